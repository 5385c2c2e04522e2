import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Labels, seriesId } from '../anomaly.ts'
import { DAY, HOUR } from '../duration.ts'
import { SourceError } from '../errors.ts'
import { create } from '../pipeline/configuration.ts'
import { type SourceSubject, sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import type { Source } from './source.ts'

/** The same five days of a gauge at 30 s in a real Prometheus and a real VictoriaMetrics, with an hour in which one replica was silent. */
const STEP = 30_000
const ROWS = 14_400
const T0 = Math.floor((Date.now() - 6 * DAY) / DAY) * DAY
const SILENT = { start: T0 + 2 * DAY, end: T0 + 2 * DAY + HOUR }
const PODS = ['a', 'b']
/** Prometheus looks back so far for the last sample. */
const LOOKBACK = 5 * 60_000

const PROMETHEUS = 31_010
const VICTORIA = 31_011
const PROXY = 31_012

const sampleAt = (pod: string, time: number) =>
  Math.round(100 + 50 * Math.sin((time / DAY) * 2 * Math.PI) + (pod === 'a' ? 0 : 7)) / 4
const isSilent = (pod: string, time: number) => pod === 'b' && time >= SILENT.start && time < SILENT.end
const signal = new AbortController().signal
const range = { start: T0, end: T0 + ROWS * STEP }

let folder: string
const children: ChildProcess[] = []

function open(port: number, options: object = {}): Source {
  const needs = { fetch, now: Date.now, sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }), folder }
  return create(sources, { type: 'prometheus', url: `http://127.0.0.1:${port}`, retries: 0, ...options }, needs)
}

function start(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore', cwd: folder })
  children.push(child)
  return child
}

async function startPrometheus(): Promise<ChildProcess> {
  const child = start(
    'prometheus',
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    '--storage.tsdb.retention.time=1y',
    `--web.listen-address=127.0.0.1:${PROMETHEUS}`,
  )
  await answering(PROMETHEUS)
  return child
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(port).check(signal)
    } catch (error) {
      if (attempt > 150) throw error
      await sleep(200)
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-peers-'))
  await writeFile(join(folder, 'prometheus.yml'), 'global: {scrape_interval: 1h}\n')
  const seconds: string[] = ['# TYPE tide gauge']
  const milliseconds: string[] = []
  for (const pod of PODS)
    for (let row = 0; row < ROWS; row++) {
      const time = T0 + row * STEP
      if (isSilent(pod, time)) continue
      seconds.push(`tide{pod="${pod}"} ${sampleAt(pod, time)} ${time / 1000}`)
      milliseconds.push(`tide{pod="${pod}"} ${sampleAt(pod, time)} ${time}`)
    }
  await writeFile(join(folder, 'tide.txt'), `${seconds.join('\n')}\n# EOF\n`)
  await promisify(execFile)(
    'promtool',
    ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=24h', join(folder, 'tide.txt'), join(folder, 'tsdb')],
    { cwd: folder },
  )
  start(
    'victoria-metrics',
    `-storageDataPath=${join(folder, 'victoria')}`,
    `-httpListenAddr=127.0.0.1:${VICTORIA}`,
    '-retentionPeriod=1y',
    '-search.latencyOffset=0s',
  )
  await Promise.all([startPrometheus(), answering(VICTORIA)])
  const imported = await fetch(`http://127.0.0.1:${VICTORIA}/api/v1/import/prometheus`, {
    method: 'POST',
    body: `${milliseconds.join('\n')}\n`,
  })
  expect(imported.status).toBe(204)
  await fetch(`http://127.0.0.1:${VICTORIA}/internal/force_flush`)
})

afterAll(async () => {
  await Promise.all(children.map(end))
  await rm(folder, { recursive: true, force: true })
})

describe.each([
  ['Prometheus', PROMETHEUS],
  ['VictoriaMetrics', VICTORIA],
])('%s keeps the laws', (_, port) => {
  const subject: SourceSubject = {
    make: () => open(port, { maxPoints: 100 }),
    makeBroken: () => open(31_099),
    // Less than one step of look-back: a sample is there or it is not, whether the window is closed on its left or open.
    expr: 'last_over_time(tide[29s])',
    range: { start: SILENT.start - HOUR - 5000, end: SILENT.end + HOUR + 5000 },
    step: STEP,
    valueAt: ({ pod }: Labels, time) => (isSilent(pod, time) ? NaN : sampleAt(pod, time)),
    series: PODS.map(pod => seriesId({ __name__: 'tide', pod })),
  }
  for (const law of sourceLaws) it(law.name, () => law.check(subject))
})

describe('Prometheus and VictoriaMetrics', () => {
  it('give the same answer to a range of more than 11,000 points', async () => {
    const answers = await Promise.all(
      [PROMETHEUS, VICTORIA].map(port => open(port).read({ expr: 'tide', range, step: STEP }, signal)),
    )
    for (const { frames, requests, warnings } of answers) {
      expect(requests).toHaveLength(2)
      expect(warnings).toEqual([])
      expect(frames.map(({ labels }) => labels)).toEqual(PODS.map(pod => ({ __name__: 'tide', pod })))
      for (const { labels, times, columns } of frames) {
        expect(times).toHaveLength(ROWS)
        const wrong = Array.from(times).filter((time, i) => {
          const value = columns.value[i]
          // Each looks back in its own way just after the silence began.
          if (isSilent(labels.pod, time)) return time > SILENT.start + LOOKBACK && !Number.isNaN(value)
          return value !== sampleAt(labels.pod, time)
        })
        expect(wrong).toEqual([])
      }
    }
  })

  it('give the same sums and the same instants', async () => {
    const settled = { start: T0 + HOUR, end: T0 + DAY }
    const [sums, instants] = await Promise.all([
      Promise.all(
        [PROMETHEUS, VICTORIA].map(port => open(port).read({ expr: 'sum(tide)', range: settled, step: 60_000 }, signal)),
      ),
      Promise.all([PROMETHEUS, VICTORIA].map(port => open(port).latest({ expr: 'tide', time: T0 + DAY }, signal))),
    ])
    expect(sums[0].frames).toEqual(sums[1].frames)
    expect(sums[0].frames[0].columns.value.every(Number.isFinite)).toBe(true)
    const byPod = (frames: (typeof instants)[0]['frames']) =>
      frames.map(({ labels, columns }) => [labels.pod, columns.value[0]]).sort()
    expect(byPod(instants[0].frames)).toEqual(PODS.map(pod => [pod, sampleAt(pod, T0 + DAY)]))
    expect(byPod(instants[0].frames)).toEqual(byPod(instants[1].frames))
  })

  it('name their metrics', async () => {
    for (const port of [PROMETHEUS, VICTORIA]) expect(await open(port).names(signal)).toContain('tide')
  })

  it('refuse a wrong query with their own words, at once', async () => {
    for (const port of [PROMETHEUS, VICTORIA]) {
      const error = await open(port, { retries: 3 })
        .read({ expr: 'sum(tide', range: { start: T0, end: T0 + HOUR }, step: STEP }, signal)
        .then(
          () => undefined,
          error => error,
        )
      expect(error).toBeInstanceOf(SourceError)
      expect(error.retryable).toBe(false)
      expect(error.message).toMatch(/got (400|422) .*(parse error|unclosed|unparsed|cannot parse|missing)/)
      expect(error.requests[0]).toContain(`'query=sum(tide'`)
    }
  })

  it('answer the very command that is shown', async () => {
    const { requests, frames } = await open(PROMETHEUS).read(
      { expr: `tide{pod="a"}`, range: { start: T0, end: T0 + HOUR }, step: STEP },
      signal,
    )
    const { stdout } = await promisify(execFile)('sh', ['-c', requests[0]])
    const { data } = JSON.parse(stdout)
    expect(data.result[0].values).toHaveLength(frames[0].times.length)
  })
})

describe('a server that goes away', () => {
  it('in the middle of an answer is an error that can be tried again', async () => {
    const halving = await startHalvingProxy()
    try {
      const error = await open(PROXY, { retries: 1 })
        .read({ expr: 'tide', range, step: STEP }, signal)
        .then(
          () => undefined,
          error => error,
        )
      expect(error).toBeInstanceOf(SourceError)
      expect(error.retryable).toBe(true)
    } finally {
      halving.close()
    }
  })

  it('between the pieces is an error, not a part; and its return is noticed', async () => {
    const source = open(PROMETHEUS, { maxPoints: 20, concurrency: 1 })
    const prometheus = children.find(({ spawnargs }) => spawnargs[0] === 'prometheus')!
    const reading = source.read({ expr: 'tide', range, step: STEP }, signal).then(
      () => undefined,
      error => error,
    )
    await sleep(100)
    await end(prometheus)
    const error = await reading
    expect(error).toBeInstanceOf(SourceError)
    expect(error.retryable).toBe(true)
    expect(error.message).toMatch(/ECONNREFUSED|ECONNRESET|closed|terminated/)
    await expect(source.check(signal)).rejects.toBeInstanceOf(SourceError)

    const patient = open(PROMETHEUS, { retries: 6 }).read({ expr: 'tide', range, step: STEP }, signal)
    await startPrometheus()
    expect((await patient).frames).toHaveLength(2)
  })
})

/** Stands before Prometheus and hangs up after the first 10 kB of each answer. */
async function startHalvingProxy(): Promise<Server> {
  const server = createServer(client => {
    const upstream = connect(PROMETHEUS, '127.0.0.1')
    let passed = 0
    client.pipe(upstream)
    upstream.on('data', chunk => {
      client.write(chunk.subarray(0, Math.max(0, 10_000 - passed)))
      passed += chunk.length
      if (passed > 10_000) client.destroy()
    })
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>(resolve => server.listen(PROXY, '127.0.0.1', resolve))
  return server
}
