import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openDiary } from './crash/diary.ts'
import { explain } from './crash/explain.ts'
import { makeFaults } from './crash/faults.ts'
import { openNight } from './crash/night.ts'
import { openProgram } from './crash/program.ts'
import { freePort, openPrometheus, openReceiver, portOf, type Received, type World } from './crash/servers.ts'
import { judge, settle } from './crash/verdict.ts'

/**
 * Kills the server with -9 at random moments, and lets things go wrong around it (`crash/faults.ts`), while flows run and a webhook receiver counts.
 *
 *   node scripts/crash.ts --kills 200 --seed 1 [--only 'a source that lies']… [--no-faults] [--no-kills]
 *
 * The series are a function of time alone, so that what must be found is known: every SPIKE_EVERY seconds each has a spike. Prints JSON; exit
 * code 0 when every change arrived, none under two keys, nothing was withdrawn, and the store opened clean each time. After a failed run the folder with
 * store, log, diary and the story of each anomaly that is a problem (`explained.txt`) stays, and the report names it.
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
  readonly problems: readonly string[]
  /** What can be looked at after a failed run. */
  readonly folder?: string
}

export interface CrashOptions {
  readonly kills: number
  readonly seed: number
  /** Names of the faults that happen beside the kills; all without it. */
  readonly faults?: readonly string[]
  /** Let the server live where it would be killed. */
  readonly spare?: boolean
  readonly onProgress?: (text: string) => void
}

export async function crashTest({
  kills,
  seed,
  faults,
  spare = false,
  onProgress = () => {},
}: CrashOptions): Promise<CrashReport> {
  const random = seeded(seed)
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-crash-'))
  const store = join(folder, 'tidewatch.db')
  const clock = join(folder, 'clock')
  const diary = openDiary(join(folder, 'diary.txt'))
  const received: Received[] = []
  const world: World = { lie: undefined, refusal: undefined }
  const prometheus = await openPrometheus(world)
  const receiver = await openReceiver(world, received, random)
  const port = await freePort()
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(file, configuration(portOf(prometheus), portOf(receiver), port))
  const program = openProgram({ file, port, clock, log: join(folder, 'log.txt') })
  const night = openNight(chooseFaults(makeFaults({ world, random, store, clock }), faults), random, diary)
  let isClean = false
  try {
    await program.start()
    await firstRun(program.ask)
    const from = Date.now()
    night.begin()
    for (let done = 0; done < kills; done++) {
      if (done > 0 && !spare) await startOrHit(program, random)
      else await wait(random() * 2000)
      if (spare) continue
      await program.kill('SIGKILL')
      diary.write('killed')
      onProgress(`${done + 1}/${kills} kills, ${received.length} messages${night.current ? `, ${night.current}` : ''}`)
    }
    night.end()
    if (!spare) await program.start()
    const until = Date.now()
    diary.write('all faults are over')
    // Everything up to here must be reported: the last spike has to end, and refused messages come again.
    const { anomalies, wrong } = await settle(program.ask, received, from, until)
    await program.kill('SIGTERM')
    const problems = [...judge(anomalies, received), ...wrong]
    const ids = new Set(problems.flatMap(({ anomaly }) => anomaly ?? []))
    const stories = [...ids].map(id => explain(store, diary, received, id))
    if (problems.length > 0) await writeFile(join(folder, 'explained.txt'), stories.join('\n\n'))
    isClean = problems.length === 0
    const count = (kind: string) => new Set(received.filter(one => one.kind === kind).map(({ id }) => id)).size
    return {
      kills,
      starts: program.starts,
      faults: night.counts,
      expected: anomalies.length,
      opened: count('opened'),
      resolved: count('resolved'),
      requests: received.length,
      repeated: received.length - new Set(received.map(({ key }) => key)).size,
      problems: problems.map(({ text }) => text),
      ...(isClean ? {} : { folder }),
    }
  } finally {
    night.end()
    await program.kill('SIGKILL')
    prometheus.close()
    receiver.close()
    if (isClean) await rm(folder, { recursive: true, force: true })
    else onProgress(`the run failed; store, log and diary are in ${folder}\n`)
  }
}

/** Half of the kills hit the start itself, the other half the running server, which lives for longer where all takes longer. */
async function startOrHit(program: ReturnType<typeof openProgram>, random: () => number): Promise<void> {
  if (random() < 0.5) {
    program.spawn()
    await wait(random() * Math.max(1500, program.startTook))
  } else {
    await program.start()
    await wait(random() * Math.max(2000, 2 * program.startTook))
  }
}

/** Resolves when the flow has run: what it finds in the first run is history, of which nobody is notified. */
async function firstRun(ask: (path: string) => Promise<Response>): Promise<void> {
  for (;;) {
    const { flows } = (await (await ask('/api/v1/flows')).json()) as { flows: { lastSuccessAt?: unknown }[] }
    if (flows.every(({ lastSuccessAt }) => lastSuccessAt !== undefined && lastSuccessAt !== null)) return
    await wait(100)
  }
}

function chooseFaults<Fault extends { readonly name: string }>(
  all: readonly Fault[],
  names: readonly string[] = all.map(({ name }) => name),
): readonly Fault[] {
  const known = all.map(({ name }) => name)
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(`a fault must be one of ${known.join(', ')}, got ${unknown}`)
  return all.filter(({ name }) => names.includes(name))
}

function configuration(prometheus: number, receiver: number, port: number): string {
  return `
sources: { prom: { type: prometheus, url: 'http://127.0.0.1:${prometheus}' } }
notifiers: { hook: { type: webhook, url: 'http://127.0.0.1:${receiver}/hook' } }
store: { type: sqlite, path: tidewatch.db, keepRuns: 10000 }
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
      only: { type: 'string', multiple: true },
      'no-faults': { type: 'boolean', default: false },
      'no-kills': { type: 'boolean', default: false },
    },
  })
  const report = await crashTest({
    kills: Number(values.kills),
    seed: Number(values.seed),
    spare: values['no-kills'],
    ...(values['no-faults'] ? { faults: [] } : values.only ? { faults: values.only } : {}),
    onProgress: text => process.stderr.write(`\r\x1b[K${text}`),
  })
  process.stderr.write('\n')
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.problems.length > 0 ? 1 : 0
}
