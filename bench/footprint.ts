import { fork, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { HOUR, MINUTE, SECOND } from '../src/duration.ts'
import type { BenchOptions, Row } from './bench.ts'
import { COMMAND, nodeOfCommand } from './footprint/command.ts'
import { BEGIN, serveLoad } from './footprint/load.ts'
import { configurationText, type Sample, storeBytes } from './footprint/service.ts'

export const summary =
  'memory and disk of a service: 30 series at 2 s for an hour, then 300 series at a time that live 30 s each for ten minutes'

/** History that the source has when the service starts. */
const HISTORY = HOUR
const CHURN = 10 * MINUTE
const MB = 1e6

/**
 * A service over a source whose series are a function of time, on a clock that goes on as soon as a run has ended: an hour takes minutes.
 * `--only steady` or `--only churn` does one of them; `--real` runs `tidewatch serve` for `--minutes` (default 10) by the real clock.
 */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  if (options.real) return steadyRows('real', await serveForReal((options.minutes ?? 10) * MINUTE))
  const length = options.minutes === undefined ? undefined : options.minutes * MINUTE
  const rows: Row[] = []
  if (options.only !== 'churn') rows.push(...steadyRows('steady', await runOnFakeClock('steady', length ?? HOUR)))
  if (options.only !== 'steady') rows.push(...churnRows(await runOnFakeClock('churn', length ?? CHURN)))
  return rows
}

function steadyRows(name: string, samples: readonly Sample[]): Row[] {
  const last = samples.at(-1)!
  // The write-ahead log has its size by then.
  const first = samples.find(({ time }) => time >= last.time / 2)!
  const hours = Math.max(1, last.time - first.time) / HOUR
  return [
    atMost(`${name}: growth of the store`, (last.bytes - first.bytes) / MB / hours, 'MB/h', 20),
    { name: `${name}: store at the end, of ${Math.round(last.time / MINUTE)} minutes`, value: last.bytes / MB, unit: 'MB' },
    atMost(`${name}: memory at the end`, last.rss / MB, 'MB', 250),
    atMost(`${name}: most memory at any time`, last.peak / MB, 'MB', 250),
  ]
}

/** Flat: what the second half adds is at most a tenth of what is there. */
function churnRows(samples: readonly Sample[]): Row[] {
  const last = samples.at(-1)!
  const middle = samples.find(({ time }) => time >= last.time / 2)!
  const row = (what: string, of: (sample: Sample) => number): Row[] => [
    { name: `churn: ${what} at the end`, value: of(last) / MB, unit: 'MB' },
    atMost(`churn: ${what}, growth in the second half`, (100 * (of(last) - of(middle))) / of(middle), '%', 10),
  ]
  return [...row('store', sample => sample.bytes), ...row('memory', sample => sample.rss)]
}

function atMost(name: string, value: number, unit: string, goal: number): Row {
  return { name: `footprint: ${name}`, value, unit, goal, met: value <= goal }
}

async function runOnFakeClock(expr: 'steady' | 'churn', length: number): Promise<Sample[]> {
  const load = await serveLoad(BEGIN)
  // The churn begins with the service: what lived before it is of no interest.
  const start = expr === 'churn' ? BEGIN + MINUTE : BEGIN + HISTORY
  const file = join(import.meta.dirname, 'footprint/service.ts')
  const { env, execArgv } = nodeOfCommand()
  const child = fork(file, [load.url, expr, String(start), String(length)], {
    execArgv: [...execArgv],
    env: { ...process.env, ...env },
  })
  const samples: Sample[] = []
  child.on('message', sample => {
    samples.push(sample as Sample)
    const { time, bytes, rss } = sample as Sample
    process.stderr.write(
      `\r${expr}: ${time / MINUTE} min, store ${Math.round(bytes / MB)} MB, memory ${Math.round(rss / MB)} MB   `,
    )
  })
  try {
    const code = await new Promise<number | null>(done => child.once('exit', done))
    if (code !== 0) throw new Error(`the service must run to the end, got exit code ${code}`)
    return samples
  } finally {
    process.stderr.write('\n')
    child.kill('SIGKILL')
    load.close()
  }
}

/** `tidewatch serve` by the real clock, seen from outside; needs /proc. */
async function serveForReal(length: number): Promise<Sample[]> {
  const begin = Math.floor((Date.now() - HISTORY) / HOUR) * HOUR
  const load = await serveLoad(begin)
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-footprint-'))
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(file, configurationText(load.url, 'steady', 0))
  const { env, execArgv } = nodeOfCommand()
  const child = spawn(process.execPath, [...execArgv, COMMAND, 'serve', '--config', file], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  })
  const samples: Sample[] = []
  const start = Date.now()
  try {
    while (Date.now() - start < length) {
      await wait(10 * SECOND)
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      const bytesOf = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
      const bytes = storeBytes(join(folder, 'tidewatch.db'))
      samples.push({ time: Date.now() - start, bytes, rss: bytesOf('VmRSS'), peak: bytesOf('VmHWM') })
    }
    return samples
  } finally {
    const gone = new Promise(done => child.once('exit', done))
    child.kill('SIGTERM')
    await gone
    load.close()
    await rm(folder, { recursive: true })
  }
}
