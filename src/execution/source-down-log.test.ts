import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { calendars } from '../calendars/index.ts'
import { detectors } from '../detectors/index.ts'
import { notifiers } from '../notifiers/index.ts'
import { loadConfiguration } from '../pipeline/load-configuration.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import { stores } from '../stores/index.ts'
import { fromMemory } from '../stores/memory.ts'
import { fakePrometheus } from '../testing/fake-prometheus.ts'
import { transforms } from '../transforms/index.ts'
import { type Service, startService } from './service.ts'

const families = { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners }
const flow = (name: string) =>
  `  - { name: ${name}, query: { source: prom, expr: ${name}, step: 1s }, every: 1s, detect: [{ type: ewma }], lookback: 60s, deadline: 1h }`
const TEXT = `
sources:
  prom: { type: prometheus, url: http://127.0.0.1:9090, retries: 0 }
store: { type: memory }
flows:
${['one', 'two', 'three', 'wrong'].map(flow).join('\n')}
`

let service: Service
let isDown = true
const log: string[] = []
beforeAll(async () => {
  const fake = fakePrometheus(({ params }) => {
    if (isDown) return new Error('connect ECONNREFUSED')
    if (params.query === 'wrong') return { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'parse error' } }
    if (params.query === '1') return { body: { status: 'success', data: { resultType: 'scalar', result: [0, '1'] } } }
    return { body: { status: 'success', data: { resultType: 'matrix', result: [] } } }
  })
  service = await startService(loadConfiguration(TEXT, { file: 'test.yaml', env: {}, families }), fromMemory(), '/', {
    now: Date.now,
    random: Math.random,
    fetch: fake.fetch,
    sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
    log: (level, message) => log.push(`${level} ${message}`),
  })
})
afterAll(() => service.close())

it('has one line for a source that is down, none for its flows, and one for a flow that fails by itself', async () => {
  const failures = async (name: string) => (await service.store.flow(name))?.failures ?? 0
  for (const name of ['one', 'two', 'three', 'wrong']) await expect.poll(() => failures(name)).toBeGreaterThan(1)
  expect(log.filter(line => /fails/.test(line))).toEqual([expect.stringContaining('source prom fails: ')])
  isDown = false
  await expect.poll(() => log.filter(line => /flow wrong fails/.test(line)).length).toBe(1)
  expect(log.filter(line => /flow (one|two|three)/.test(line))).toEqual([])
})
