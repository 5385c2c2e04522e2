import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { calendars } from '../src/calendars/index.ts'
import { writeStarter } from '../src/cli/scan/starter.ts'
import { detectors } from '../src/detectors/index.ts'
import { formatDuration } from '../src/duration.ts'
import { notifiers } from '../src/notifiers/index.ts'
import type { Configuration } from '../src/pipeline/configuration.ts'
import { fileSchema, flowSchema, trainingSchema, workersSchema } from '../src/pipeline/flow-schema.ts'
import { loadConfiguration } from '../src/pipeline/load-configuration.ts'
import { serverSchema } from '../src/pipeline/server-schema.ts'
import { refiners } from '../src/refiners/index.ts'
import { rules } from '../src/rules/index.ts'
import { sources } from '../src/sources/index.ts'
import { stores } from '../src/stores/index.ts'
import { transforms } from '../src/transforms/index.ts'

const families = { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners }
const load = (text: string): Configuration => loadConfiguration(text, { file: 'f.yaml', env: {}, readFile: () => '', families })

const SHORTEST = `
sources: { prometheus: { type: prometheus, url: 'http://127.0.0.1:9090' } }
flows: [{ name: f, query: { expr: up } }]
`
const configuration = load(SHORTEST)
const [flow] = configuration.flows

/** What the description of an option says behind the word `default`, up to the next semicolon or comma; undefined when it says nothing. */
function saidOf(schema: z.ZodObject, option: string): string | undefined {
  const field = option === 'workers' ? workersSchema : (schema.shape[option] as z.ZodType)
  return /\bdefault ([^;,]+)/.exec(field.meta()?.description ?? '')?.[1]
}
const types = (parts: readonly { readonly type: string }[]) => parts.map(({ type }) => type)

describe('what the descriptions of options say of defaults', () => {
  it.each<[string, z.ZodObject, string, string]>([
    ['every', flowSchema, 'every', formatDuration(flow.every)],
    ['severity', flowSchema, 'severity', flow.severity],
    ['delay', flowSchema, 'delay', formatDuration(flow.delay)],
    ['keep', flowSchema, 'keep', formatDuration(flow.keep)],
    ['deadline', flowSchema, 'deadline', formatDuration(flow.deadline)],
    ['forget', flowSchema, 'forget', formatDuration(flow.forget)],
    ['rule', flowSchema, 'rule', flow.rule.type],
    ['refine', flowSchema, 'refine', types(flow.refine).join(' and ')],
    ['detect', flowSchema, 'detect', types(flow.detect).join(' and ')],
    ['notify', flowSchema, 'notify', flow.notify.length === 0 ? 'nobody' : flow.notify.join()],
    ['workers', fileSchema, 'workers', String(configuration.workers)],
    ['store', fileSchema, 'store', `${configuration.store.type} in ./tidewatch.db`],
    ['training.threads', trainingSchema, 'threads', String(configuration.training.threads)],
    ['training.deadline', trainingSchema, 'deadline', formatDuration(configuration.training.deadline)],
    ['server.listen', serverSchema, 'listen', `${configuration.server.host}:${configuration.server.port}`],
  ])('is what %s is without it', (_, schema, option, actual) =>
    expect(saidOf(schema, option)?.replaceAll(/[`']/g, '')).toBe(actual),
  )

  it('is what the other times of a flow are', () => {
    expect(flow.query.step).toBe(flow.every)
    expect(flow.reexamine).toBe(Math.max(5 * flow.query.step, 2 * flow.every))
    expect((flow.rule as { alarms?: number }).alarms).toBeUndefined()
  })
})

describe('the starter file of scan', () => {
  const starter = writeStarter({
    source: { part: { url: 'http://127.0.0.1:9090' }, unset: [] },
    interval: 60_000,
    window: '5m',
    signals: [{ id: 'up', summary: 'Targets that are up', expr: 'up', bad: 'both', severity: 'warning' } as never],
  })

  it('says in its notes what is used when nothing is said', () => {
    const notes = /^ {2}# (detect|rule): /gm
    expect(starter.match(notes)).toHaveLength(2)
    expect(load(starter.replaceAll(notes, '  $1: ')).flows).toEqual(load(starter).flows)
  })

  it('shows the defaults of the server and the store', () => {
    const said = load(starter.replace('# server:\n#   listen', 'server:\n  listen'))
    expect(said.server).toEqual(configuration.server)
    expect(said.store).toEqual(configuration.store)
  })
})

it('the README says which detectors and which rule a flow has without them', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8').replaceAll(/\s+/g, ' ')
  const [first, second] = types(flow.detect)
  expect(readme).toContain(`Without \`detect\` a flow uses \`${first}\``)
  expect(readme).toContain(`beside it, \`${second}\``)
  expect(flow.rule.type).toBe('budget')
  expect(readme).toContain('Without `rule` it has a budget of false alarms')
})
