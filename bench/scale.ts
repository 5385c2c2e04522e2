import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { HOUR, MINUTE } from '../src/duration.ts'
import { openComputePool } from '../src/execution/compute-pool.ts'
import { flowRange, runFlow } from '../src/execution/run-flow.ts'
import { openReader } from '../src/execution/store-reader.ts'
import type { FlowConfig } from '../src/pipeline/configuration.ts'
import { flowPipeline } from '../src/pipeline/flow.ts'
import { sources } from '../src/sources/index.ts'
import { openSqlite } from '../src/stores/sqlite.ts'
import type { Row } from './bench.ts'

export const summary = 'from a VictoriaMetrics with 10,000 series to committed scores, on two worker threads'

const SERIES = 10_000
const HISTORY = 3 * HOUR
const RUNS = 3

/** A cold start over three hours of history, then runs a minute apart, as in steady state. Needs `victoria-metrics` on PATH. */
export async function run(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-bench-'))
  const port = await freePort()
  const server = spawn(
    'victoria-metrics',
    [
      `-storageDataPath=${join(folder, 'vm')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
      '-retentionPeriod=1y',
      '-search.latencyOffset=0s',
    ],
    { stdio: 'ignore' },
  )
  const missing = new Promise<'missing'>(resolve => server.once('error', () => resolve('missing')))
  const pool = openComputePool(2)
  const url = `http://127.0.0.1:${port}`
  try {
    if ((await Promise.race([missing, answers(`${url}/health`)])) === 'missing') {
      console.error('scale: not run, victoria-metrics must be on PATH')
      return []
    }
    const end = Math.floor(Date.now() / MINUTE) * MINUTE
    await load(url, end - HISTORY, end)
    const signal = new AbortController().signal
    const sleep = async (ms: number, signal: AbortSignal) => void (await wait(ms, undefined, { signal }))
    const source = sources.prometheus!.create(sources.prometheus!.config.parse({ url, timeout: '2m' }), {
      fetch,
      now: Date.now,
      sleep,
      folder,
    })
    const store = openSqlite(join(folder, 'bench.db'), { now: Date.now })
    const reader = openReader({ vm: source }, store)
    const pipeline = flowPipeline(flow, HISTORY - RUNS * MINUTE - MINUTE, pool.compute)
    const times: number[] = []
    let series = 0
    for (let i = 0; i <= RUNS; i++) {
      const now = end - (RUNS - i) * MINUTE
      const state = await store.flow(flow.name)
      const start = performance.now()
      await runFlow(
        { config: flow, pipeline, reader, store, now: () => now },
        flowRange(flow, state?.watermark ?? NaN, now),
        signal,
      )
      times.push((performance.now() - start) / 1000)
      series = (await store.flow(flow.name))?.lastRun?.series ?? 0
    }
    await store.close()
    if (series !== SERIES) throw new Error(`the run must see ${SERIES} series, got ${series}`)
    const [cold, ...steady] = times as [number, ...number[]]
    const best = Math.min(...steady)
    return [
      { name: 'scale: run of 10,000 series', value: best, unit: 's', goal: 10, met: best < 10 },
      { name: 'scale: series per minute', value: (SERIES / best) * 60, unit: 'series/min' },
      { name: 'scale: cold start over three hours', value: cold, unit: 's' },
    ]
  } finally {
    await pool.close()
    server.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const flow: FlowConfig = {
  name: 'scale',
  every: MINUTE,
  query: { source: 'vm', expr: 'bench_value', step: MINUTE },
  detect: [{ type: 'seasonal', name: 'seasonal' }],
  rule: { type: 'budget' },
  refine: [{ type: 'merge' }, { type: 'shape' }],
  notify: [],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 5 * MINUTE,
  keep: HOUR,
  deadline: 5 * MINUTE,
  forget: 24 * HOUR,
}

/** Writes the series by VictoriaMetrics' JSON lines import, a few hundred at a time. */
async function load(url: string, start: number, end: number): Promise<void> {
  const timestamps = Array.from({ length: (end - start) / MINUTE + 1 }, (_, i) => start + i * MINUTE)
  for (let from = 0; from < SERIES; from += 500) {
    const lines = Array.from({ length: 500 }, (_, k) => {
      const n = from + k
      const values = timestamps.map((_, i) => 100 + (n % 50) + 10 * Math.sin(i / 20 + n) + ((i * 7919 + n * 104729) % 101) / 20)
      return JSON.stringify({ metric: { __name__: 'bench_value', n: String(n) }, values, timestamps })
    })
    const response = await fetch(`${url}/api/v1/import`, { method: 'POST', body: lines.join('\n') })
    if (!response.ok) throw new Error(`the import must be taken, got ${response.status}`)
  }
  await fetch(`${url}/internal/force_flush`)
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await fetch(url).catch(() => undefined))?.ok) return
    await wait(100)
  }
  throw new Error(`${url} must answer within 10 s`)
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise(done =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    }),
  )
}
