import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DAY } from '../../src/duration.ts'
import { readTable } from '../../src/sources/table/read-table.ts'
import type { BenchEntry, BenchSeries } from './series.ts'
import { ascending } from './series.ts'

const FOLDER = resolve(import.meta.dirname, '../../recordings')
/** Calm rows before the first fault that are judged too. */
const CALM = 60

/** What the recording says of itself. */
interface Described {
  readonly start: number
  readonly step: number
  /** Of the compressed day, ms. */
  readonly day: number
  readonly faults: readonly { readonly start: number; readonly end: number; readonly benign: boolean }[]
}

/**
 * The recorded laboratory that comes with the project, as a set of one series: what was switched on is an anomaly, unless it was benign. Its days are
 * compressed; here they are stretched again, so that a day is one for what looks at the clock, and a week for budgets.
 */
export function listLab(): BenchEntry[] {
  return [{ name: 'coredns', load: () => readLab('coredns') }]
}

async function readLab(name: string): Promise<BenchSeries> {
  const { start, step, day, faults }: Described = JSON.parse(await readFile(resolve(FOLDER, `${name}.json`), 'utf8'))
  const { times, columns } = await readTable(resolve(FOLDER, `${name}.csv.gz`), { ignore: [] })
  const labels = Uint8Array.from(times, time =>
    faults.some(({ start, end, benign }) => !benign && time >= start && time < end) ? 1 : 0,
  )
  const first = Math.min(...faults.map(({ start }) => start))
  const trainRows = times.findIndex(time => time >= first) - CALM
  const stretch = DAY / day
  const stretched = ascending(times).map(time => start + (time - start) * stretch)
  return { set: 'lab', name, times: stretched, columns, labels, trainRows, step: step * stretch }
}
