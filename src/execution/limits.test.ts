import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { calendars } from '../calendars/index.ts'
import { detectors } from '../detectors/index.ts'
import { SECOND } from '../duration.ts'
import { notifiers } from '../notifiers/index.ts'
import { loadConfiguration } from '../pipeline/load-configuration.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import { stores } from '../stores/index.ts'
import { fromMemory } from '../stores/memory.ts'
import { fakePrometheus, serveSeries } from '../testing/fake-prometheus.ts'
import { transforms } from '../transforms/index.ts'
import { type Service, startService } from './service.ts'

const families = { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners }
const TEXT = `
sources:
  prom: { type: prometheus, url: http://127.0.0.1:9090, maxSeries: 3, retries: 0 }
store: { type: memory }
flows:
  - { name: huge, query: { source: prom, expr: huge, step: 1s }, every: 1s, detect: [{ type: ewma }], lookback: 60s, deadline: 1h }
  - { name: small, query: { source: prom, expr: small, step: 1s }, every: 1s, detect: [{ type: ewma }], lookback: 60s, deadline: 1h }
`

const series = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    labels: { __name__: name, pod: `p${i}` },
    value: (time: number) => 10 + ((time / SECOND) % 7),
  }))

let service: Service
beforeAll(async () => {
  const fake = fakePrometheus(request =>
    serveSeries(series(request.params.query, request.params.query === 'huge' ? 4 : 2))(request),
  )
  service = await startService(loadConfiguration(TEXT, { file: 'test.yaml', env: {}, families }), fromMemory(), '/', {
    now: Date.now,
    random: Math.random,
    fetch: fake.fetch,
    sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
    log: () => {},
  })
})
afterAll(() => service.close())

it('fails the flow that breaks a limit, alone, and counts it', async () => {
  const lastRun = async (name: string) => (await service.store.flow(name))?.lastRun
  await expect.poll(async () => (await lastRun('small'))?.series).toBe(2)
  await expect.poll(async () => (await lastRun('huge'))?.error).toContain('at most 3 series, got 4')
  expect((await lastRun('small'))!.status).toBe('ok')
  const hits = async () => /tidewatch_limits_hit_total\{limit="maxSeries"\} (\d+)/.exec(await service.metrics.metrics())?.[1]
  await expect.poll(async () => Number(await hits())).toBeGreaterThan(0)
})
