import { z } from 'zod'
import type { Registry } from '../component.ts'
import type { Families } from './families.ts'
import { fileSchema, flowSchema, heartbeatSchema } from './flow-schema.ts'
import { serverSchema } from './server-schema.ts'

type Json = Record<string, any>

/** JSON Schema (2020-12) of a configuration file, for editors: one branch for each type of part, all with their summaries. */
export function configurationJsonSchema(families: Families): Json {
  const { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners } = families
  const one = (name: string) => ({ $ref: `#/$defs/${name}` })
  const oneOrMany = (name: string) => ({ anyOf: [one(name), { type: 'array', items: one(name) }] })
  const flow = toJson(flowSchema)
  flow.properties.transform = { ...flow.properties.transform, ...oneOrMany('transform') }
  flow.properties.calendar = { ...flow.properties.calendar, ...oneOrMany('calendar') }
  flow.properties.detect = { ...flow.properties.detect, ...oneOrMany('detector') }
  flow.properties.rule = { ...flow.properties.rule, ...one('rule') }
  flow.properties.refine = { ...flow.properties.refine, ...oneOrMany('refiner') }
  const file = toJson(fileSchema)
  file.properties.sources = { ...file.properties.sources, type: 'object', additionalProperties: one('source') }
  file.properties.notifiers = { ...file.properties.notifiers, type: 'object', additionalProperties: one('notifier') }
  file.properties.store = { ...file.properties.store, ...one('store') }
  file.properties.server = { ...file.properties.server, ...toJson(serverSchema) }
  file.properties.heartbeat = { ...file.properties.heartbeat, ...toJson(heartbeatSchema) }
  file.properties.flows = { ...file.properties.flows, items: one('flow') }
  const own = { name: { type: 'string', description: 'unique in the flow; default the type' }, rule: one('rule') }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Tidewatch configuration',
    ...file,
    patternProperties: { '^x-': {} },
    $defs: {
      flow,
      source: branches(sources),
      notifier: branches(notifiers),
      store: branches(stores),
      transform: branches(transforms),
      calendar: withFiles(branches(calendars)),
      detector: branches(detectors, own),
      rule: branches(rules),
      refiner: branches(refiners),
    },
  }
}

function branches(family: Registry<unknown, any>, extra: Json = {}): Json {
  const members = Object.values(family)
  return {
    anyOf: [
      { enum: members.map(member => member.type), description: 'a type without options' },
      ...members.map(({ type, summary, config }) => {
        const schema = toJson(config)
        return {
          ...schema,
          type: 'object',
          description: summary,
          properties: { type: { const: type }, ...extra, ...schema.properties },
          required: ['type', ...(schema.required ?? [])],
        }
      }),
    ],
  }
}

/** Where an option takes a text from a file, it may be the file. */
function withFiles(definition: Json): Json {
  const file = { type: 'object', properties: { file: { type: 'string' } }, required: ['file'], additionalProperties: false }
  for (const { properties } of definition.anyOf as Json[])
    if (properties?.text) properties.text = { description: properties.text.description, anyOf: [{ type: 'string' }, file] }
  return definition
}

function toJson(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
  return json
}
