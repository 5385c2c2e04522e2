import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { signalsOf } from '../src/packs/coredns.ts'
import { faults } from './faults/index.ts'
import { openLab } from './lab.ts'
import { readRange } from './prometheus.ts'

export interface RecordOptions {
  /** The table, `.csv.gz`; what happened when is written beside it as `.json`. */
  readonly out: string
  readonly minutes: number
  readonly base: number
  /** Mean queries per second. */
  readonly rate: number
  readonly log: (line: string) => void
}

export interface Recording {
  readonly summary: string
  readonly coredns: string
  /** Epoch ms, half open. */
  readonly start: number
  readonly end: number
  /** ms. */
  readonly step: number
  /** Length of the compressed day, ms. */
  readonly day: number
  readonly columns: Readonly<Record<string, { readonly summary: string; readonly unit: string }>>
  /** What was switched on from `start` to `end`, epoch ms. */
  readonly faults: readonly {
    readonly name: string
    readonly summary: string
    readonly benign: boolean
    readonly start: number
    readonly end: number
  }[]
}

export const DAY = 360_000
const STEP = 1000
const WINDOW = '5s'
const SELECTOR = 'job="coredns"'

interface Plan {
  readonly name: string
  /** ms after the start of the recording. */
  readonly start: number
  readonly length: number
}

/** Spreads the faults over the last two days with at least a minute of calm between them; a recording shorter than three days has all in its last half. */
export function planFaults(minutes: number): readonly Plan[] {
  const length = minutes * 60_000
  const from = minutes * 60_000 >= 3 * DAY ? length - 2 * DAY : length / 2
  const slot = (length - from) / Object.keys(faults).length
  return Object.values(faults).map((fault, index) => ({
    name: fault.name,
    start: Math.round(from + slot * (index + 0.35)),
    length: Math.min(fault.benign ? 45_000 : 50_000, slot * 0.4),
  }))
}

/** The columns of a recording: the signals of the pack, each replica, and what clients saw. */
export function columnsOf(): readonly { id: string; summary: string; expr: string; unit: string }[] {
  const pack = signalsOf({ generation: '1.11', selector: SELECTOR, window: WINDOW, cacheRequests: true }).map(
    ({ id, summary, expr, unit }) => ({ id, summary, expr, unit }),
  )
  const replicas = ['a', 'b', 'c'].map(name => ({
    id: `coredns-qps-${name}`,
    summary: `Queries a second of replica ${name}; empty while it is not there`,
    expr: `sum(rate(coredns_dns_requests_total{${SELECTOR},instance="coredns-${name}"}[${WINDOW}]))`,
    unit: '1/s',
  }))
  return [
    ...pack,
    ...replicas,
    {
      id: 'client-timeout-ratio',
      summary: 'Share of queries without an answer for five seconds, as clients saw it',
      expr: `sum(rate(lab_timeouts_total[${WINDOW}])) / sum(rate(lab_queries_total[${WINDOW}]))`,
      unit: 'ratio',
    },
    {
      id: 'client-latency',
      summary: 'Mean time of an answer, as clients saw it',
      expr: `sum(rate(lab_answer_seconds_sum[${WINDOW}])) / sum(rate(lab_answer_seconds_count[${WINDOW}]))`,
      unit: 's',
    },
  ]
}

/** Runs the lab for `minutes` with the faults of the plan and writes what Prometheus saw. */
export async function record({ out, minutes, base, rate, log }: RecordOptions): Promise<Recording> {
  const lab = await openLab({ base, seed: 7, curve: { base: rate, day: DAY, week: 0, weekend: 1 } })
  let failed = true
  try {
    await sleep(15_000)
    const start = Math.ceil(Date.now() / STEP) * STEP
    const end = start + minutes * 60_000
    const done: Recording['faults'][number][] = []
    for (const { name, start: offset, length } of planFaults(minutes)) {
      await sleep(Math.max(0, start + offset - Date.now()))
      const fault = faults[name]!
      const from = Date.now()
      log(`${name} on`)
      await fault.inject(lab)
      await sleep(length)
      await fault.remove(lab)
      log(`${name} off`)
      done.push({ name, summary: fault.summary, benign: fault.benign, start: from, end: Date.now() })
    }
    await sleep(Math.max(0, end - Date.now()) + 2000)
    const columns = columnsOf()
    const series = await Promise.all(columns.map(({ expr }) => readRange(lab.prometheus, expr, start, end - STEP, STEP)))
    writeFileSync(
      out,
      gzipSync(
        writeTable(
          columns.map(({ id }) => id),
          series,
          start,
          end,
        ),
        { level: 9 },
      ),
    )
    const recording: Recording = {
      summary:
        'Three replicas of CoreDNS under a shaped load, scraped every second; rates over 5 s; a day is compressed to 6 minutes.',
      coredns: lab.version,
      start,
      end,
      step: STEP,
      day: DAY,
      columns: Object.fromEntries(columns.map(({ id, summary, unit }) => [id, { summary, unit }])),
      faults: done,
    }
    writeFileSync(out.replace(/\.csv\.gz$/, '.json'), `${JSON.stringify(recording, null, 2)}\n`)
    failed = false
    return recording
  } finally {
    if (failed) log(`logs are kept in ${lab.folder}`)
    await lab.close(failed)
  }
}

/** One row a step, `timestamp` in epoch ms; a cell is empty where there is no sample, and has five digits at most. */
export function writeTable(
  ids: readonly string[],
  series: readonly ReadonlyMap<number, number>[],
  start: number,
  end: number,
): string {
  const rows = [`timestamp,${ids.join(',')}`]
  for (let time = start; time < end; time += STEP) {
    const cells = series.map(values => {
      const value = values.get(time)
      return value === undefined || !Number.isFinite(value) ? '' : String(Number(value.toPrecision(5)))
    })
    rows.push(`${time},${cells.join(',')}`)
  }
  return `${rows.join('\n')}\n`
}
