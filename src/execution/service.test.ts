import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../duration.ts'
import type { Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { fromMemory } from '../stores/memory.ts'
import { type Service, startService } from './service.ts'

const START = Math.floor(Date.now() / SECOND) * SECOND - 900 * SECOND
const small = { units: 4, steps: 4, epochs: 2, windows: 64, memory: 512, warmUp: 256, refit: 512 }
/** Takes far longer than the test. */
const long = { units: 256, steps: 100, epochs: 1000, windows: 100_000, memory: 512, warmUp: 300 }

const flow = (name: string, detect: Record<string, unknown>): FlowConfig => ({
  name,
  every: SECOND,
  query: { source: 'data', expr: '*', step: SECOND },
  detect: [{ type: 'ewma', name: 'it', ...detect }],
  rule: { type: 'threshold', limit: 50 },
  refine: [],
  notify: [],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 2 * SECOND,
  keep: MINUTE,
  deadline: HOUR,
  forget: MINUTE,
  lookback: 600 * SECOND,
})

const configuration = (...flows: FlowConfig[]): Configuration => ({
  file: 'test',
  sources: {
    data: {
      type: 'memory',
      config: {
        series: [
          {
            labels: { __name__: 'rps', job: 'dns', pod: 'a' },
            start: new Date(START).toISOString(),
            step: SECOND,
            values: Array.from({ length: 2000 }, (_, i) => 100 + 20 * Math.sin(i / 10) + ((i * 7919) % 13)),
          },
        ],
      },
    },
  },
  notifiers: {},
  store: { type: 'memory', config: {} },
  server: { host: '127.0.0.1', port: 0, externalUrl: '' },
  workers: 1,
  training: { threads: 1, deadline: HOUR },
  flows,
})

describe('a service with learned detectors', () => {
  const log: string[] = []
  const quick = flow('quick', {})
  const learned = flow('learned', { type: 'lstm', ...small })
  const slow = flow('slow', { type: 'lstm', ...long })
  let service: Service
  beforeAll(async () => {
    service = await startService(configuration(learned, quick), fromMemory(), '/', {
      now: Date.now,
      random: Math.random,
      fetch: globalThis.fetch,
      sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
      log: (level, message) => log.push(`${level} ${message}`),
    })
  })
  afterAll(() => service.close())

  const finished = async (name: string) => (await service.store.flow(name))?.lastRun?.finishedAt ?? 0
  const metric = async (name: string) => (await service.metrics.metrics()).split('\n').find(line => line.startsWith(name))

  it('fits a model of what the first run saw, and judges with it', async () => {
    await expect
      .poll(() => service.store.models())
      .toMatchObject([
        { flow: 'learned', detector: 'it', workload: { __name__: 'rps', job: 'dns' }, version: 1, status: 'in force' },
      ])
    expect(await metric('tidewatch_model_fits_total{outcome="taken"}')).toMatch(/ 1$/)
    expect(await metric('tidewatch_model_fit_seconds_count')).toMatch(/ 1$/)
    expect(log.join('\n')).toMatch(/info flow learned: it of rps\{job="dns"\}: model 1 taken, error [\d.]+ \(first, \d+ rows/)
    const [{ labels }] = await service.store.snapshots('learned')
    const band = async () => {
      const points = await service.store.points('learned', labels, 'it', { start: 0, end: Infinity })
      return points?.columns.expected.at(-1)
    }
    await expect.poll(band).toBeGreaterThan(0)
  })

  it('goes on with all flows while a long fit runs, and shows it', async () => {
    await service.reconfigure(configuration(learned, quick, slow))
    await expect.poll(() => service.health().training.running).toMatchObject([{ flow: 'slow', reason: 'first' }])
    const [{ startedAt }] = service.health().training.running
    expect(await metric('tidewatch_model_fits_running')).toBe('tidewatch_model_fits_running 1')
    for (const name of ['quick', 'slow', 'learned']) {
      const before = await finished(name)
      await expect.poll(() => finished(name)).toBeGreaterThan(before)
      expect((await service.store.flow(name))!.lastRun!.status).toBe('ok')
    }
    expect(service.health().training.running).toMatchObject([{ flow: 'slow', startedAt }])
  })

  it('cancels the fit of a flow that is gone', async () => {
    await service.reconfigure(configuration(learned, quick))
    await expect.poll(() => service.health().training.running).toEqual([])
    expect(await metric('tidewatch_model_fits_total{outcome="cancelled"}')).toMatch(/ 1$/)
    expect((await service.store.models()).every(model => model.flow === 'learned')).toBe(true)
  })

  it('does not change how it trains while it runs', async () => {
    const other = { ...configuration(learned, quick), training: { threads: 2, deadline: HOUR } }
    await expect(service.reconfigure(other)).rejects.toThrow('training: must stay as it is while the service runs')
  })
})
