import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
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
  readonly faults: readonly { readonly start: number; readonly end: number; readonly benign: boolean }[]
}

/** The recorded laboratory that comes with the project, as a set of one series: what was switched on is an anomaly, unless it was benign. */
export function listRecording(): BenchEntry[] {
  return [{ name: 'coredns', load: () => readRecording('coredns') }]
}

async function readRecording(name: string): Promise<BenchSeries> {
  const { step, faults }: Described = JSON.parse(await readFile(resolve(FOLDER, `${name}.json`), 'utf8'))
  const { times, columns } = await readTable(resolve(FOLDER, `${name}.csv.gz`), { ignore: [] })
  const labels = Uint8Array.from(times, time =>
    faults.some(({ start, end, benign }) => !benign && time >= start && time < end) ? 1 : 0,
  )
  const first = Math.min(...faults.map(({ start }) => start))
  const trainRows = times.findIndex(time => time >= first) - CALM
  return { set: 'recording', name, times: ascending(times), columns, labels, trainRows, step }
}
