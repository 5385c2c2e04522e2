import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Labels, seriesId } from '../anomaly.ts'
import { DAY, HOUR, MINUTE } from '../duration.ts'
import { SourceError } from '../errors.ts'
import { create } from '../pipeline/configuration.ts'
import { findPeer } from '../testing/find-peer.ts'
import { freePorts } from '../testing/free-ports.ts'
import { type SourceSubject, sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import type { Source } from './source.ts'
import { selectMetric } from './table/selector.ts'

/**
 * The same five days of a gauge at 30 s in real servers, with an hour in which one replica was silent. The older generation is what Debian has,
 * the newest is built by scripts/newest-peers.sh; one that is not there is skipped, loudly.
 */
const STEP = 30_000
const ROWS = 14_400
const T0 = Math.floor((Date.now() - 6 * DAY) / DAY) * DAY
const SILENT = { start: T0 + 2 * DAY, end: T0 + 2 * DAY + HOUR }
const PODS = ['a', 'b']
/** Prometheus looks back so far for the last sample. */
const LOOKBACK = 5 * 60_000

interface Peer {
  readonly name: string
  readonly kind: 'prometheus' | 'victoria'
  /** Whether it has names that are no words, and native histograms. */
  readonly newest: boolean
  readonly program: string | undefined
  port: number
}
const PEERS: readonly Peer[] = [
  { name: 'Prometheus of Debian', kind: 'prometheus', newest: false, program: findPeer('prometheus'), port: 0 },
  { name: 'Prometheus 3', kind: 'prometheus', newest: true, program: findPeer('prometheus3'), port: 0 },
  { name: 'VictoriaMetrics of Debian', kind: 'victoria', newest: false, program: findPeer('victoria-metrics'), port: 0 },
  { name: 'VictoriaMetrics, newest', kind: 'victoria', newest: true, program: findPeer('victoria-metrics-new'), port: 0 },
]
const found = PEERS.filter(peer => peer.program)
const prometheus = found.filter(({ kind }) => kind === 'prometheus')
const victoria = found.filter(({ kind }) => kind === 'victoria')

const sampleAt = (pod: string, time: number) =>
  Math.round(100 + 50 * Math.sin((time / DAY) * 2 * Math.PI) + (pod === 'a' ? 0 : 7)) / 4
const isSilent = (pod: string, time: number) => pod === 'b' && time >= SILENT.start && time < SILENT.end
const signal = new AbortController().signal
const range = { start: T0, end: T0 + ROWS * STEP }

let folder: string
let exporter: HttpServer
const children = new Map<Peer, ChildProcess>()

function open(port: number, options: object = {}): Source {
  const needs = { fetch, now: Date.now, sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }), folder }
  return create(sources, { type: 'prometheus', url: `http://127.0.0.1:${port}`, retries: 0, ...options }, needs)
}

/** Metrics as an exporter has them: a gauge, a classic histogram, and in the newer format names that are no words. */
const CLASSIC = `# TYPE floats gauge
floats 5
# TYPE infinite gauge
infinite +Inf
# TYPE latency histogram
latency_bucket{le="1"} 3
latency_bucket{le="+Inf"} 4
latency_sum 7
latency_count 4
`
const WITH_WORDS_OF_ANY_KIND = `${CLASSIC}# TYPE "my.metric" gauge
{"my.metric","service.name"="shop front"} 7
`

async function startExporter(): Promise<HttpServer> {
  const server = createHttpServer((request, response) => {
    const isNew = request.headers.accept?.includes('escaping=allow-utf-8') ?? false
    response.setHeader('content-type', `text/plain; version=${isNew ? '1.0.0; escaping=allow-utf-8' : '0.0.4'}; charset=utf-8`)
    response.end(isNew ? WITH_WORDS_OF_ANY_KIND : CLASSIC)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

function start(peer: Peer): Promise<void> {
  const data = join(folder, `data-${PEERS.indexOf(peer)}`)
  const args =
    peer.kind === 'prometheus'
      ? [
          `--config.file=${join(folder, peer.newest ? 'newest.yml' : 'prometheus.yml')}`,
          `--storage.tsdb.path=${data}`,
          '--storage.tsdb.retention.time=1y',
          `--web.listen-address=127.0.0.1:${peer.port}`,
        ]
      : [`-storageDataPath=${data}`, `-httpListenAddr=127.0.0.1:${peer.port}`, '-retentionPeriod=1y', '-search.latencyOffset=0s']
  children.set(peer, spawn(peer.program!, args, { stdio: 'ignore', cwd: folder }))
  return answering(peer.port)
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await open(port).check(signal)
    } catch (error) {
      if (attempt > 300) throw error
      await sleep(200)
    }
  }
}

async function end(peer: Peer): Promise<void> {
  const child = children.get(peer)
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-peers-'))
  exporter = await startExporter()
  const { port } = exporter.address() as AddressInfo
  const scrape = (more: string) =>
    `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: own\n${more}    static_configs: [{targets: ['127.0.0.1:${port}']}]\n`
  await writeFile(join(folder, 'prometheus.yml'), scrape(''))
  await writeFile(join(folder, 'newest.yml'), scrape('    convert_classic_histograms_to_nhcb: true\n'))
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
  const blocks = ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=24h']
  await promisify(execFile)('promtool', [...blocks, join(folder, 'tide.txt'), join(folder, 'tsdb')], { cwd: folder })
  for (const peer of prometheus) await cp(join(folder, 'tsdb'), join(folder, `data-${PEERS.indexOf(peer)}`), { recursive: true })
  const ports = await freePorts(found.length)
  for (const [i, peer] of found.entries()) peer.port = ports[i]!
  await Promise.all(found.map(start))
  for (const { port } of victoria) await fillVictoria(port, milliseconds)
})

async function fillVictoria(port: number, lines: readonly string[]): Promise<void> {
  const send = async (path: string, body: string) => {
    const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })
    expect(status).toBe(204)
  }
  await send('/api/v1/import/prometheus', `${lines.join('\n')}\n`)
  const now = Date.now()
  const own = (metric: object, value: number | string) => JSON.stringify({ metric, values: [value], timestamps: [now] })
  const dotted = { __name__: 'my.metric', 'service.name': 'shop front' }
  await send('/api/v1/import', `${own(dotted, 7)}\n${own({ __name__: 'floats' }, 5)}\n`)
  await send('/api/v1/import/prometheus', 'infinite +Inf\n')
  await fetch(`http://127.0.0.1:${port}/internal/force_flush`)
}

afterAll(async () => {
  await Promise.all(found.map(end))
  exporter?.closeAllConnections()
  exporter?.close()
  await rm(folder, { recursive: true, force: true })
})

describe.each(PEERS)('$name', peer => {
  const here = it.skipIf(peer.program === undefined)

  describe('keeps the laws', () => {
    const subject: SourceSubject = {
      make: () => open(peer.port, { maxPoints: 100 }),
      // Nobody listens there.
      makeBroken: () => open(1),
      // Less than one step of look-back: a sample is there or it is not, whether the window is closed on its left or open.
      expr: 'last_over_time(tide[29s])',
      range: { start: SILENT.start - HOUR - 5000, end: SILENT.end + HOUR + 5000 },
      step: STEP,
      valueAt: ({ pod }: Labels, time) => (isSilent(pod, time) ? NaN : sampleAt(pod, time)),
      series: PODS.map(pod => seriesId({ __name__: 'tide', pod })),
    }
    for (const law of sourceLaws) here(law.name, () => law.check(subject))
  })

  here('answers a range of more than 11,000 points', async () => {
    const { frames, requests, warnings } = await open(peer.port).read({ expr: 'tide', range, step: STEP }, signal)
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
  })

  here('answers a range whose answer is too large in shorter pieces', async () => {
    const source = open(peer.port, { maxBytes: '64KiB' })
    const { frames, requests } = await source.read({ expr: 'tide', range, step: STEP }, signal)
    const whole = await open(peer.port).read({ expr: 'tide', range, step: STEP }, signal)
    expect(frames).toEqual(whole.frames)
    expect(requests.length).toBeGreaterThan(8)
  })

  here('gives sums and instants', async () => {
    const settled = { start: T0 + HOUR, end: T0 + DAY }
    const [sums, instants] = await Promise.all([
      open(peer.port).read({ expr: 'sum(tide)', range: settled, step: 60_000 }, signal),
      open(peer.port).latest({ expr: 'tide', time: T0 + DAY }, signal),
    ])
    const { times, columns } = sums.frames[0]
    expect(Array.from(columns.value)).toEqual(Array.from(times, time => sampleAt('a', time) + sampleAt('b', time)))
    const byPod = instants.frames.map(({ labels, columns }) => [labels.pod, columns.value[0]]).sort()
    expect(byPod).toEqual(PODS.map(pod => [pod, sampleAt(pod, T0 + DAY)]))
  })

  here('names its metrics', async () => {
    expect(await open(peer.port).names(signal)).toContain('tide')
  })

  here('says +Inf and NaN, and what it says is what they are', async () => {
    const value = async (expr: string) => (await open(peer.port).latest({ expr, time: T0 + DAY }, signal)).frames[0]
    expect((await value('sum(tide) / 0')).columns.value[0]).toBe(Infinity)
    expect((await value('-sum(tide) / 0')).columns.value[0]).toBe(-Infinity)
    const range = { start: T0 + HOUR, end: T0 + 2 * HOUR }
    const { frames } = await open(peer.port).read({ expr: 'sum(tide) * 0 / 0', range, step: MINUTE }, signal)
    // VictoriaMetrics leaves NaN out of its answers: there it is missing.
    expect(frames.map(({ notANumber }) => notANumber?.every(mark => mark === 1))).toEqual(
      peer.kind === 'prometheus' ? [true] : [],
    )
  })

  here('refuses a wrong query with its own words, at once', async () => {
    const error = await open(peer.port, { retries: 3 })
      .read({ expr: 'sum(tide', range: { start: T0, end: T0 + HOUR }, step: STEP }, signal)
      .then(
        () => undefined,
        error => error,
      )
    expect(error).toBeInstanceOf(SourceError)
    expect(error.retryable).toBe(false)
    expect(error.message).toMatch(/got (400|422) .*(parse error|unclosed|unparsed|cannot parse|missing)/)
    expect(error.requests[0]).toContain(`'query=sum(tide'`)
  })

  here('answers the very command that is shown', async () => {
    const { requests, frames } = await open(peer.port).read(
      { expr: `tide{pod="a"}`, range: { start: T0, end: T0 + HOUR }, step: STEP },
      signal,
    )
    const { stdout } = await promisify(execFile)('sh', ['-c', requests[0]])
    const { data } = JSON.parse(stdout)
    expect(data.result[0].values).toHaveLength(frames[0].times.length)
  })

  const hasAnyNames = it.skipIf(peer.program === undefined || (peer.kind === 'prometheus' && !peer.newest))
  hasAnyNames('has metrics whose names are no words, and finds them by what a scan writes', async () => {
    const source = open(peer.port)
    await expect.poll(() => source.names(signal)).toContain('my.metric')
    const { frames } = await source.latest({ expr: selectMetric('my.metric'), time: Date.now() }, signal)
    expect(frames[0].labels).toMatchObject({ __name__: 'my.metric', 'service.name': 'shop front' })
    expect(frames[0].columns.value[0]).toBe(7)
  })

  const isNewPrometheus = it.skipIf(peer.program === undefined || peer.kind !== 'prometheus' || !peer.newest)
  isNewPrometheus('takes names that are no words in quotes, and labels too', async () => {
    const expr = 'sum by ("service.name") ({"my.metric","service.name"=~"shop.*"})'
    await expect
      .poll(async () => (await open(peer.port).latest({ expr, time: Date.now() }, signal)).frames.map(({ labels }) => labels))
      .toEqual([{ 'service.name': 'shop front' }])
  })

  isNewPrometheus('has native histograms beside floats: these go on, those are named', async () => {
    const now = () => Math.floor(Date.now() / 1000) * 1000
    const expr = '{__name__=~"floats|latency"}'
    const read = () => open(peer.port).read({ expr, range: { start: now() - 5000, end: now() }, step: 1000 }, signal)
    await expect.poll(async () => (await read()).warnings.join()).toMatch(/^native histograms are left out, of latency\{/)
    const { frames } = await read()
    expect(frames.map(({ labels }) => labels.__name__)).toEqual(['floats'])
    await expect(open(peer.port).latest({ expr: 'latency', time: now() }, signal)).rejects.toThrow(
      'got native histograms for latency{',
    )
    const { frames: quantiles } = await open(peer.port).latest({ expr: 'histogram_quantile(0.5, latency)', time: now() }, signal)
    expect(quantiles[0].columns.value[0]).toBeGreaterThan(0)
  })
})

describe.each(prometheus)('$name that goes away', peer => {
  it('in the middle of an answer is an error that can be tried again', async () => {
    const halving = await startHalvingProxy(peer.port)
    try {
      const { port } = halving.address() as AddressInfo
      const error = await open(port, { retries: 1 })
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
    const source = open(peer.port, { maxPoints: 20, concurrency: 1 })
    const reading = source.read({ expr: 'tide', range, step: STEP }, signal).then(
      () => undefined,
      error => error,
    )
    await sleep(100)
    await end(peer)
    const error = await reading
    expect(error).toBeInstanceOf(SourceError)
    expect(error.retryable).toBe(true)
    expect(error.message).toMatch(/ECONNREFUSED|ECONNRESET|closed|terminated/)
    await expect(source.check(signal)).rejects.toBeInstanceOf(SourceError)

    const patient = open(peer.port, { retries: 6 }).read({ expr: 'tide', range, step: STEP }, signal)
    await start(peer)
    expect((await patient).frames).toHaveLength(2)
  })
})

/** Stands before a server and hangs up after the first 10 kB of each answer. */
async function startHalvingProxy(behind: number): Promise<Server> {
  const server = createServer(client => {
    const upstream = connect(behind, '127.0.0.1')
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
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}
