import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../duration.ts'
import { notifiers } from '../notifiers/index.ts'
import type { Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { sources } from '../sources/index.ts'
import { fromMemory } from '../stores/memory.ts'
import { type FakeAnswer, fakePrometheus, serveSeries } from '../testing/fake-prometheus.ts'
import { sampleAnomaly, sampleRun } from '../testing/store-laws.ts'
import { type Service, startService } from './service.ts'

/** A service that starts over a store in which an anomaly is open, as the process before left it. */

const labels = { __name__: 'load', pod: 'a' }
const flow: FlowConfig = {
  name: 'load',
  every: SECOND,
  query: { source: 'prom', expr: 'load', step: SECOND },
  detect: [{ type: 'ewma', name: 'ewma' }],
  rule: { type: 'threshold', upper: 50 },
  refine: [],
  notify: ['pager'],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 5 * SECOND,
  keep: MINUTE,
  deadline: HOUR,
  forget: MINUTE,
  lookback: 30 * SECOND,
}
const configuration: Configuration = {
  file: 'test',
  sources: { prom: { type: 'prometheus', config: sources.prometheus!.config.parse({ url: 'http://prometheus', retries: 0 }) } },
  notifiers: { pager: { type: 'alertmanager', config: notifiers.alertmanager!.config.parse({ urls: ['http://alertmanager'] }) } },
  store: { type: 'memory', config: {} },
  server: { host: '127.0.0.1', port: 0, externalUrl: '' },
  workers: 1,
  training: { threads: 1, deadline: MINUTE },
  flows: [flow],
}

let service: Service | undefined
afterEach(() => service?.close())

/** Starts the service; the source answers its first query when `answer` is called. */
async function restart() {
  const store = fromMemory()
  const now = Date.now()
  await store.commit(
    sampleRun({
      flow: 'load',
      channels: ['pager'],
      range: { start: now - 60 * SECOND, end: now - 20 * SECOND },
      finishedAt: now - 20 * SECOND,
      watermark: now - 20 * SECOND,
      anomalies: [
        sampleAnomaly({ labels, detector: 'ewma', start: now - 30 * SECOND, end: now - 20 * SECOND, peak: now - 25 * SECOND }),
      ],
    }),
  )
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<(request: Parameters<ReturnType<typeof serveSeries>>[0]) => FakeAnswer>()
  const posts: { endsAt: number; at: number }[] = []
  const answering = async (url: string, init: RequestInit): Promise<Response> => {
    if (url.startsWith('http://alertmanager')) {
      for (const { endsAt } of JSON.parse(String(init.body))) posts.push({ endsAt: Date.parse(endsAt), at: Date.now() })
      return new Response('{}')
    }
    if (url.includes('query_range')) asked.resolve()
    const script = url.includes('query_range') ? await answered.promise : serveSeries([])
    return fakePrometheus(request => script(request)).fetch(url, init)
  }
  service = await startService(configuration, store, '/', {
    now: Date.now,
    random: Math.random,
    fetch: answering as typeof fetch,
    sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
    log: () => {},
  })
  await asked.promise
  return { store, posts, answer: answered.resolve }
}

it('fires nothing that is over: messages of the process before wait for the first run', async () => {
  const { store, posts, answer } = await restart()
  expect(posts).toEqual([])
  answer(serveSeries([{ labels, value: () => 1 }]))
  await expect.poll(() => posts.length).toBeGreaterThan(0)
  expect(posts.filter(({ at, endsAt }) => endsAt > at)).toEqual([])
  expect(await store.anomalies({ status: 'open' })).toEqual([])
})

it('fires what was open when the first run fails, so that no outage of the source ends an alert', async () => {
  const { posts, answer } = await restart()
  expect(posts).toEqual([])
  answer(() => ({ status: 500, body: 'no' }))
  await expect.poll(() => posts.length).toBeGreaterThan(0)
  expect(posts.filter(({ at, endsAt }) => endsAt <= at)).toEqual([])
})
