import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Fault, makeFaults } from './crash/faults.ts'
import {
  freePort,
  openPrometheus,
  openReceiver,
  portOf,
  type Received,
  SERIES,
  SPIKE_EVERY,
  type World,
} from './crash/servers.ts'

/**
 * Kills the server with -9 at random moments, and lets things go wrong around it (`crash/faults.ts`), while flows run and a webhook receiver counts.
 *
 *   node scripts/crash.ts --kills 200 --seed 1 [--no-faults]
 *
 * The series are a function of time alone, so that what must be found is known: every SPIKE_EVERY seconds each has a spike. Prints JSON; exit
 * code 0 when every change arrived, none under two keys, and the store opened clean each time.
 */
export interface CrashReport {
  readonly kills: number
  readonly starts: number
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>
  readonly expected: number
  readonly opened: number
  readonly resolved: number
  readonly requests: number
  /** Sent again under the same key, which a receiver can tell. */
  readonly repeated: number
  /** Ended and begun again by a clock that jumped: the only reason to report an anomaly twice. */
  readonly retold: number
  readonly problems: readonly string[]
}

export interface CrashOptions {
  readonly kills: number
  readonly seed: number
  readonly faults?: boolean
  /** Faults that do not happen in this run. */
  readonly without?: readonly string[]
  readonly onProgress?: (text: string) => void
}

const SECOND = 1000
/** Longest time that a start may take; a store that another process locks for a while is waited for. */
const START_TIME = 30 * SECOND

export async function crashTest({
  kills,
  seed,
  faults = true,
  without = [],
  onProgress = () => {},
}: CrashOptions): Promise<CrashReport> {
  const random = seeded(seed)
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-crash-'))
  const received: Received[] = []
  const world: World = { lie: undefined, refusal: undefined }
  const prometheus = await openPrometheus(world)
  const receiver = await openReceiver(world, received, random)
  const port = await freePort()
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(file, configuration(portOf(prometheus), portOf(receiver), port))
  const clock = join(folder, 'clock')
  const server = openServer(file, port, clock)
  const all = makeFaults({ world, random, store: join(folder, 'tidewatch.db'), clock })
  const night = openNight(
    all.filter(({ name }) => !without.includes(name)),
    random,
  )
  try {
    await server.start()
    const from = Date.now()
    const stop = faults ? night.begin() : () => {}
    for (let done = 0; done < kills; done++) {
      // Half of the kills hit the start itself, the other half the running server.
      if (done > 0 && random() < 0.5) {
        server.spawn()
        await wait(random() * 1500)
      } else {
        if (done > 0) await server.start()
        await wait(random() * 2000)
      }
      await server.kill('SIGKILL')
      onProgress(`${done + 1}/${kills} kills, ${received.length} messages${night.current ? `, ${night.current}` : ''}`)
    }
    stop()
    await server.start()
    const until = Date.now()
    // Everything up to here must be reported: the last spike has to end, and refused messages come again.
    const { anomalies, missing } = await settled(port, received, from, until)
    await server.kill('SIGTERM')
    const verdict = judge(anomalies, received, night.jumps)
    const opened = new Set(received.filter(({ kind }) => kind === 'opened').map(({ id }) => id))
    const resolved = new Set(received.filter(({ kind }) => kind === 'resolved').map(({ id }) => id))
    return {
      kills,
      starts: server.starts,
      faults: night.counts,
      expected: anomalies.length,
      opened: opened.size,
      resolved: resolved.size,
      requests: received.length,
      repeated: received.length - new Set(received.map(({ key }) => key)).size,
      retold: verdict.retold,
      problems: [...verdict.problems, ...missing.map(spike => `the spike ${spike} was not found exactly once`)],
    }
  } finally {
    night.end()
    await server.kill('SIGKILL')
    prometheus.close()
    receiver.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The program under test: `tidewatch serve` in a process of its own, with a clock that can be moved. */
function openServer(file: string, port: number, clock: string) {
  let child: ChildProcess | undefined
  let output = ''
  const server = {
    starts: 0,
    spawn() {
      server.starts++
      output = ''
      const program = resolve(import.meta.dirname, '../src/cli/main.ts')
      const clockModule = pathToFileURL(resolve(import.meta.dirname, 'crash/jumping-clock.ts')).href
      child = spawn(process.execPath, ['--import', clockModule, program, 'serve', '--config', file], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, CRASH_CLOCK: clock },
      })
      child.stderr!.on('data', chunk => (output = (output + chunk).slice(-4000)))
    },
    /** Resolves when it is ready. One that ends because its store is locked is started again, as a supervisor would. */
    async start() {
      const limit = performance.now() + START_TIME
      server.spawn()
      while (performance.now() < limit) {
        if (child!.exitCode !== null) {
          if (!/locked/.test(output)) throw new Error(`the server must start, got exit code ${child!.exitCode}: ${output}`)
          server.spawn()
        }
        if ((await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok) return
        await wait(50)
      }
      throw new Error(`the server must be ready within ${START_TIME / SECOND} s, got: ${output}`)
    },
    async kill(signal: NodeJS.Signals) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise(done => child!.once('exit', done))
      child.kill(signal)
      await gone
    },
  }
  return server
}

interface Stretch {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** Lets one fault after the other happen, in random order, with calm between them. */
function openNight(all: readonly Fault[], random: () => number) {
  const counts: Record<string, number> = Object.fromEntries(all.map(({ name }) => [name, 0]))
  const jumps: Stretch[] = []
  const stopping = new AbortController()
  let running: { readonly name: string; readonly start: number; readonly end: () => void } | undefined
  const endCurrent = () => {
    if (!running) return
    running.end()
    if (running.name === 'a clock that jumps') jumps.push({ ...running, end: Date.now() })
    running = undefined
  }
  const loop = async () => {
    let left: Fault[] = []
    while (!stopping.signal.aborted) {
      await wait(1000 + random() * 3000, undefined, { signal: stopping.signal })
      // Each happens once before any happens again.
      if (left.length === 0) left = [...all]
      const [fault] = left.splice(Math.floor(random() * left.length), 1) as [Fault]
      counts[fault.name]!++
      running = { name: fault.name, start: Date.now(), end: fault.begin() }
      await wait((0.3 + 0.7 * random()) * fault.longest, undefined, { signal: stopping.signal })
      endCurrent()
    }
  }
  const end = () => {
    stopping.abort()
    endCurrent()
  }
  return {
    counts,
    jumps,
    get current() {
      return running?.name
    },
    begin() {
      loop().catch(() => {})
      return end
    },
    end,
  }
}

/** What was not as it must be: lost, reported under two keys, or taken back. */
function judge(anomalies: readonly Listed[], received: readonly Received[], jumps: readonly Stretch[]) {
  const problems: string[] = []
  const keys = new Map<string, Set<string>>()
  for (const { key, kind, id } of received) {
    const change = `${kind} ${id}`
    keys.set(change, (keys.get(change) ?? new Set()).add(key))
  }
  const duringJump = new Set(
    anomalies
      .filter(({ start }) => jumps.some(jump => start < jump.end + 15 * SECOND && start > jump.start - 15 * SECOND))
      .map(({ id }) => id),
  )
  let retold = 0
  for (const [change, all] of keys) {
    if (change.startsWith('withdrawn')) problems.push(`${change}: nothing was to be withdrawn`)
    if (all.size === 1) continue
    if (duringJump.has(change.split(' ')[1]!)) retold++
    else problems.push(`${change} was reported under ${all.size} keys: ${[...all].join(', ')}`)
  }
  for (const { id, start } of anomalies)
    for (const kind of ['opened', 'resolved'])
      if (!keys.has(`${kind} ${id}`)) problems.push(`${kind} of the anomaly at ${new Date(start).toISOString()} never arrived`)
  return { problems, retold }
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
  return { anomalies, missing: expected }
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
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      'no-faults': { type: 'boolean', default: false },
    },
  })
  const report = await crashTest({
    kills: Number(values.kills),
    seed: Number(values.seed),
    faults: !values['no-faults'],
    onProgress: text => process.stderr.write(`\r\x1b[K${text}`),
  })
  process.stderr.write('\n')
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.problems.length > 0 ? 1 : 0
}
