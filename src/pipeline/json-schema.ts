import { z } from 'zod'
import type { Registry } from '../component.ts'
import type { Families } from './families.ts'
import { fileSchema, flowSchema, serverSchema } from './flow-schema.ts'

type Json = Record<string, any>

/** JSON Schema (2020-12) of a configuration file, for editors: one branch for each type of part, all with their summaries. */
export function configurationJsonSchema({ sources, notifiers, stores, detectors, rules, refiners }: Families): Json {
  const one = (name: string) => ({ $ref: `#/$defs/${name}` })
  const oneOrMany = (name: string) => ({ anyOf: [one(name), { type: 'array', items: one(name) }] })
  const flow = toJson(flowSchema)
  flow.properties.detect = { ...flow.properties.detect, ...oneOrMany('detector') }
  flow.properties.rule = { ...flow.properties.rule, ...one('rule') }
  flow.properties.refine = { ...flow.properties.refine, ...oneOrMany('refiner') }
  const file = toJson(fileSchema)
  file.properties.sources = { ...file.properties.sources, type: 'object', additionalProperties: one('source') }
  file.properties.notifiers = { ...file.properties.notifiers, type: 'object', additionalProperties: one('notifier') }
  file.properties.store = { ...file.properties.store, ...one('store') }
  file.properties.server = { ...file.properties.server, ...toJson(serverSchema) }
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

function toJson(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
  return json
}
