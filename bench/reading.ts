import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { MINUTE } from '../src/duration.ts'
import { sources } from '../src/sources/index.ts'
import type { Row } from './bench.ts'

export const summary = 'how long an answer of 50 MB keeps everything else waiting, against JSON.parse of it'

const SERIES = 150
const ROWS = 10_000
const RUNS = 3

/** A server in a thread of its own, so that sending does not count. */
const SERVER = `
const { createServer } = require('node:http')
const { parentPort, workerData } = require('node:worker_threads')
const { series, rows, start, step } = workerData
const values = Array.from({ length: rows }, (_, i) => [start + i * step, String(100 * Math.sin(i / 20))])
const result = Array.from({ length: series }, (_, n) => ({ metric: { __name__: 'bench', pod: 'pod-' + n, namespace: 'kube-system' }, values }))
const body = Buffer.from(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }))
const server = createServer((request, response) => response.setHeader('content-type', 'application/json').end(body))
server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port, bytes: body.length }))
`

/**
 * The longest delay of the event loop (resolution 1 ms) while the source reads the answer, beside that of fetching and parsing the text on the
 * same thread. `ratio` is how many times shorter.
 */
export async function run(): Promise<readonly Row[]> {
  const start = Date.UTC(2026, 0, 1)
  const workerData = { series: SERIES, rows: ROWS, start: start / 1000, step: 60 }
  const server = new Worker(SERVER, { eval: true, workerData })
  try {
    const [{ port, bytes }] = (await once(server, 'message')) as [{ port: number; bytes: number }]
    const url = `http://127.0.0.1:${port}`
    const source = sources.prometheus!.create(sources.prometheus!.config.parse({ url, maxBytes: '256MiB' }), {
      fetch,
      now: Date.now,
      sleep: async (ms: number, signal: AbortSignal) => void (await wait(ms, undefined, { signal })),
      folder: '.',
    })
    const query = { expr: 'bench', step: MINUTE, range: { start, end: start + ROWS * MINUTE } }
    const read = async () => {
      const { frames } = await source.read(query, new AbortController().signal)
      if (frames.length !== SERIES) throw new Error(`the answer must have ${SERIES} series, got ${frames.length}`)
    }
    const parse = async () => void JSON.parse(await (await fetch(`${url}/api/v1/query_range`)).text())
    const own = await bestDelay(read)
    const plain = await bestDelay(parse)
    const size = `${Math.round(bytes / 1e6)} MB`
    return [
      {
        name: `reading: longest delay of the event loop, ${size}`,
        value: own.delay,
        unit: 'ms',
        goal: 100,
        met: own.delay < 100,
        peer: `fetch and JSON.parse, ${plain.delay.toFixed(0)} ms`,
        ratio: plain.delay / own.delay,
      },
      {
        name: `reading: time of ${size}`,
        value: own.time,
        unit: 's',
        peer: `fetch and JSON.parse, ${plain.time.toFixed(2)} s`,
        ratio: plain.time / own.time,
      },
    ]
  } finally {
    await server.terminate()
  }
}

/** Least longest delay (ms) and least time (s) of some runs, after one that warms up. */
async function bestDelay(work: () => Promise<void>): Promise<{ delay: number; time: number }> {
  await work()
  let [delay, time] = [Infinity, Infinity]
  for (let i = 0; i < RUNS; i++) {
    const watch = monitorEventLoopDelay({ resolution: 1 })
    await wait(50)
    watch.enable()
    const from = performance.now()
    await work()
    time = Math.min(time, (performance.now() - from) / 1000)
    // A delay is seen when the loop turns again.
    await wait(20)
    watch.disable()
    delay = Math.min(delay, watch.max / 1e6)
  }
  return { delay, time }
}
