import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'

/**
 * Kills the server with -9 at random moments while flows run and a webhook receiver counts.
 *
 *   node scripts/crash.ts --kills 200 --seed 1
 *
 * The series are a function of time alone, so that what must be found is known: every SPIKE_EVERY seconds each has a spike. Prints JSON; exit
 * code 0 when every change arrived, none under two keys, and the store opened clean each time.
 */
export interface CrashReport {
  readonly kills: number
  readonly starts: number
  readonly expected: number
  readonly opened: number
  readonly resolved: number
  readonly requests: number
  /** Sent again under the same key, which a receiver can tell. */
  readonly repeated: number
  readonly problems: readonly string[]
}

const SPIKE_EVERY = 9
const SPIKE_LENGTH = 2
const SERIES = 5
const SECOND = 1000

interface Received {
  readonly key: string
  readonly kind: string
  readonly id: string
}

export async function crashTest(options: {
  kills: number
  seed: number
  onProgress?: (text: string) => void
}): Promise<CrashReport> {
  const { kills, seed, onProgress = () => {} } = options
  const random = seeded(seed)
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-crash-'))
  const received: Received[] = []
  const prometheus = await serve((url, body, reply) => reply(200, answerQuery(url, body)))
  const receiver = await serve((_, body, reply) => {
    const { key, kind, anomaly } = JSON.parse(body)
    // A receiver that is sometimes down: what it refuses must come again.
    if (random() < 0.1) return reply(503, 'try later')
    received.push({ key, kind, id: anomaly.id })
    // Sometimes the answer gets lost after it was taken.
    if (random() < 0.1) return reply(undefined, '')
    reply(200, 'ok')
  })
  const port = await freePort()
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(file, configuration(portOf(prometheus), portOf(receiver), port))
  const problems: string[] = []
  let starts = 0
  let child: ChildProcess | undefined
  let output = ''
  const start = () => {
    starts++
    output = ''
    child = spawn(process.execPath, [resolve(import.meta.dirname, '../src/cli/main.ts'), 'serve', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr!.on('data', chunk => (output = (output + chunk).slice(-4000)))
    return child
  }
  const ready = async () => {
    for (let tries = 0; tries < 200; tries++) {
      if (child!.exitCode !== null)
        throw new Error(`the server must start after a crash, got exit code ${child!.exitCode}: ${output}`)
      if ((await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok) return
      await wait(50)
    }
    throw new Error(`the server must be ready within 10 s, got: ${output}`)
  }
  const kill = async (signal: NodeJS.Signals) => {
    const gone = new Promise(done => child!.once('exit', done))
    child!.kill(signal)
    await gone
  }
  try {
    let firstWatermark = 0
    for (let done = 0; done < kills; done++) {
      start()
      // Half of the kills hit the start itself, the other half the running server.
      if (random() < 0.5 && done > 0) await wait(random() * 1500)
      else {
        await ready()
        if (firstWatermark === 0) firstWatermark = Date.now()
        await wait(random() * 2000)
      }
      if (child!.exitCode !== null)
        throw new Error(`the server must run until it is killed, got exit code ${child!.exitCode}: ${output}`)
      await kill('SIGKILL')
      onProgress(`${done + 1}/${kills} kills, ${received.length} messages`)
    }
    start()
    await ready()
    const until = Date.now()
    // Everything up to here must be told: the last spike has to end, and refused messages come again.
    const { anomalies, expected } = await settled(port, received, firstWatermark, until)
    await kill('SIGTERM')

    const keys = new Map<string, Set<string>>()
    for (const { key, kind, id } of received) {
      const change = `${kind} ${id}`
      keys.set(change, (keys.get(change) ?? new Set()).add(key))
    }
    for (const [change, all] of keys)
      if (all.size > 1) problems.push(`${change} was told under ${all.size} keys: ${[...all].join(', ')}`)
    for (const { id, start } of anomalies) {
      for (const kind of ['opened', 'resolved'])
        if (!keys.has(`${kind} ${id}`)) problems.push(`${kind} of the anomaly at ${new Date(start).toISOString()} never arrived`)
    }
    for (const change of keys.keys()) if (change.startsWith('withdrawn')) problems.push(`${change}: nothing was to be withdrawn`)
    for (const missing of expected) problems.push(`the spike ${missing} was not found exactly once`)
    const distinct = new Set(received.map(({ key }) => key)).size
    return {
      kills,
      starts,
      expected: anomalies.length,
      opened: [...keys.keys()].filter(change => change.startsWith('opened')).length,
      resolved: [...keys.keys()].filter(change => change.startsWith('resolved')).length,
      requests: received.length,
      repeated: received.length - distinct,
      problems,
    }
  } finally {
    child?.kill('SIGKILL')
    prometheus.close()
    receiver.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Listed {
  readonly id: string
  readonly start: number
  readonly labels: Readonly<Record<string, string>>
}

/** Waits until every spike of the time between is stored and told, at most 60 s; gives the anomalies and the spikes not found exactly once. */
async function settled(port: number, received: readonly Received[], from: number, until: number) {
  const first = Math.ceil(from / SECOND / SPIKE_EVERY) * SPIKE_EVERY
  let anomalies: Listed[] = []
  let expected: string[] = []
  for (let tries = 0; tries < 60; tries++) {
    await wait(1000)
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/anomalies?limit=1000&start=${from}&end=${until}`)
    const body = (await response.json()) as { anomalies: (Omit<Listed, 'start'> & { start: number | string })[] }
    anomalies = body.anomalies
      .map(one => ({ ...one, start: typeof one.start === 'string' ? Date.parse(one.start) : one.start }))
      .filter(one => one.start >= first * SECOND && one.start < until - 15 * SECOND)
    const seen = new Map<string, number>()
    for (const { labels, start } of anomalies) {
      const spike = `${labels.n} at ${start / SECOND}`
      seen.set(spike, (seen.get(spike) ?? 0) + 1)
    }
    expected = []
    for (let second = first; second * SECOND < until - 15 * SECOND; second += SPIKE_EVERY)
      for (let n = 0; n < SERIES; n++) if (seen.get(`${n} at ${second}`) !== 1) expected.push(`${n} at ${second}`)
    const told = new Set(received.map(({ kind, id }) => `${kind} ${id}`))
    if (expected.length === 0 && anomalies.every(({ id }) => told.has(`opened ${id}`) && told.has(`resolved ${id}`))) break
  }
  return { anomalies, expected }
}

function configuration(prometheus: number, receiver: number, port: number): string {
  return `
sources: { prom: { type: prometheus, url: 'http://127.0.0.1:${prometheus}' } }
notifiers: { hook: { type: webhook, url: 'http://127.0.0.1:${receiver}/hook' } }
store: { type: sqlite, path: tidewatch.db }
server: { listen: '127.0.0.1:${port}' }
flows:
  - name: spikes
    every: 1s
    query: { source: prom, expr: spikes, step: 1s }
    detect: [{ type: ewma }]
    rule: { type: threshold, upper: 50 }
    refine: [{ type: merge }, { type: shape }]
    notify: [hook]
    delay: 0s
    reexamine: 4s
    lookback: 30s
`
}

/** The range API of Prometheus over the function of time. */
function answerQuery(url: string, body: string): string {
  const parameters = new URLSearchParams(body || url.split('?')[1] || '')
  if (!url.includes('query_range')) return JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [0, '1'] } })
  const [start, end, step] = ['start', 'end', 'step'].map(name => Number.parseFloat(parameters.get(name) ?? '')) as [
    number,
    number,
    number,
  ]
  const result = Array.from({ length: SERIES }, (_, n) => {
    const values: [number, string][] = []
    for (let time = start; time <= end; time += step)
      if (time <= Date.now() / SECOND)
        values.push([time, String(Math.round(time) % SPIKE_EVERY < SPIKE_LENGTH ? 100 + n : 10 + (time % 3))])
    return { metric: { __name__: 'spikes', n: String(n) }, values }
  })
  return JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
}

function serve(
  handle: (url: string, body: string, reply: (status: number | undefined, text: string) => void) => void,
): Promise<Server> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    handle(request.url ?? '', body, (status, text) => {
      if (status === undefined) return request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    })
  })
  return new Promise(done => server.listen(0, '127.0.0.1', () => done(server)))
}

async function freePort(): Promise<number> {
  const server = await serve(() => {})
  const port = portOf(server)
  await new Promise(done => server.close(done))
  return port
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } } })
  const report = await crashTest({
    kills: Number(values.kills),
    seed: Number(values.seed),
    onProgress: text => process.stderr.write(`\r${text}   `),
  })
  process.stderr.write('\n')
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.problems.length > 0 ? 1 : 0
}
