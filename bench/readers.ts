import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { DAY, HOUR, MINUTE, SECOND } from '../src/duration.ts'
import { openSqlite } from '../src/stores/sqlite.ts'
import { sampleAnomaly, sampleRun } from '../src/testing/store-laws.ts'
import type { BenchOptions, Row } from './bench.ts'

export const summary = '200 readers of the API while 10 flows run every 5 s: time of an answer, and runs that were late'

const READERS = 200
const FLOWS = 10
const EVERY = 5 * SECOND
const WARM_UP = 10 * SECOND
const LOAD = 30 * SECOND
/** Of a reader between an answer and its next request; a page asks less often. */
const PAUSE = SECOND
const PAST_ANOMALIES = 2000
const OPEN_ANOMALIES = 200
const GOAL = 300

const root = join(import.meta.dirname, '..')

/** Two loads: readers that pause for a second, and (`--only eager` alone) readers that never do, which is as much as one core answers. */
export async function run({ only }: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const [name, pause] of [
    ['pausing', PAUSE],
    ['eager', 0],
  ] as const)
    if (only === undefined || only === name) rows.push(...(await measure(name, pause)))
  return rows
}

async function measure(name: string, pause: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-readers-'))
  const server = await serve(folder)
  try {
    await wait(WARM_UP)
    const cpuBefore = await cpuSeconds(server.url)
    const from = Date.now()
    const times = await read(server.url, from + LOAD, pause)
    const cpu = (await cpuSeconds(server.url)) - cpuBefore
    const late = await lateRuns(server.url, from)
    const sorted = times.toSorted((a, b) => a - b)
    const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
    const row = (what: string, value: number, unit: string, goal?: number): Row => ({
      name: `readers: ${name}: ${what}`,
      value,
      unit,
      ...(goal === undefined ? {} : { goal, met: value <= goal }),
    })
    return [
      row('median answer', quantile(0.5), 'ms'),
      row('99th percentile of answers', quantile(0.99), 'ms', GOAL),
      row('answers a second', times.length / (LOAD / SECOND), '1/s'),
      row('CPU of the server, for flows too', (cpu / (LOAD / SECOND)) * 100, '%'),
      row('runs that were late', late, 'runs', 0),
    ]
  } finally {
    server.child.kill('SIGTERM')
    await new Promise(done => server.child.once('exit', done))
    await rm(folder, { recursive: true, force: true })
  }
}

/** `tidewatch serve` over the bundled recording, with a store that has a past. */
async function serve(folder: string) {
  const now = Date.now()
  const store = openSqlite(join(folder, 'tidewatch.db'), { now: Date.now })
  const anomaly = (start: number, ongoing: boolean, i: number) =>
    sampleAnomaly({ start, end: start + MINUTE, peak: start, ongoing, labels: { __name__: 'past', instance: `host-${i}` } })
  const past = Array.from({ length: PAST_ANOMALIES }, (_, i) => anomaly(now - DAY + i * 30 * SECOND, false, i))
  const open = Array.from({ length: OPEN_ANOMALIES }, (_, i) => anomaly(now - HOUR, true, PAST_ANOMALIES + i))
  const range = { start: now - 2 * DAY, end: now - HOUR + MINUTE }
  await store.commit(
    sampleRun({ flow: 'flow-0', range, finishedAt: now, anomalies: [...past, ...open], mergeGap: 0, silent: true }),
  )
  await store.close()

  const recording = { type: 'recording', path: join(root, 'recordings/coredns.csv.gz'), position: 0.5, at: now, loop: true }
  const flows = Array.from({ length: FLOWS }, (_, i) => ({
    name: `flow-${i}`,
    every: '5s',
    query: { expr: 'latency_p99', step: '1s' },
    detect: ['ewma', 'absence'],
    lookback: '10m',
  }))
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(
    file,
    JSON.stringify({
      sources: { recording },
      store: { type: 'sqlite', path: 'tidewatch.db' },
      server: { listen: '127.0.0.1:0' },
      flows,
    }),
  )
  const args = process.env.READERS_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.READERS_PROFILE}`] : []
  const child = spawn(process.execPath, [...args, join(root, 'src/cli/main.ts'), 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    let log = ''
    child.stderr.on('data', chunk => {
      log += chunk
      const found = /page and API on (http:\S+)/.exec(log)
      if (found) resolve(found[1]!)
    })
    child.once('exit', code => reject(new Error(`the server must start, got exit code ${code}: ${log}`)))
  })
  return { child, url }
}

/** What a page asks, in turns; returns the ms of each answer. */
async function read(url: string, until: number, pause: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: READERS })
  const listed = JSON.parse(await ask(agent, `${url}/api/v1/anomalies?limit=50`)) as { anomalies: { id: string }[] }
  const paths = (reader: number) => [
    '/api/v1/status',
    '/api/v1/anomalies?status=open&limit=200',
    '/api/v1/flows',
    `/api/v1/anomalies/${listed.anomalies[reader % listed.anomalies.length]!.id}/chart?points=600`,
    '/api/v1/anomalies?status=resolved&limit=50',
    '/api/v1/channels',
    '/api/v1/sources',
  ]
  const times: number[] = []
  await Promise.all(
    Array.from({ length: READERS }, async (_, reader) => {
      // So that they do not ask all at once.
      await wait((pause * reader) / READERS)
      for (let i = reader; Date.now() < until; i++) {
        const start = performance.now()
        await ask(agent, url + paths(reader)[i % 7]!)
        times.push(performance.now() - start)
        if (pause > 0) await wait(pause)
      }
    }),
  )
  agent.destroy()
  return times
}

function ask(agent: Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString())
        else reject(new Error(`${url} must answer 200, got ${response.statusCode}`))
      })
    }).on('error', reject)
  })
}

async function cpuSeconds(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)![1])
}

/** Runs that began more than half a period after they were due. */
async function lateRuns(url: string, from: number): Promise<number> {
  let late = 0
  for (let i = 0; i < FLOWS; i++) {
    const { runs } = (await (await fetch(`${url}/api/v1/flows/flow-${i}/runs?limit=50`)).json()) as {
      runs: { startedAt: number }[]
    }
    const starts = runs.map(({ startedAt }) => startedAt).filter(start => start >= from - EVERY)
    late += starts.slice(1).filter((start, j) => starts[j]! - start > 1.5 * EVERY).length
  }
  return late
}
