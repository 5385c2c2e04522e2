import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readTable } from '../../src/sources/table/read-table.ts'
import { findSet, readNab } from './nab.ts'
import type { BenchEntry, BenchSeries } from './series.ts'
import { ascending } from './series.ts'

export const SETS = ['nab', 'smd', 'asd', 'aiops'] as const

/** The series of a data set below `data` (its own folder or the one that holds all sets), or undefined when it is not there. */
export async function openSet(set: string, data: string | undefined): Promise<BenchEntry[] | undefined> {
  const folder = findSet(data, set, set === 'nab' ? 'combined_windows.json' : 'manifest.json')
  if (folder === undefined) return undefined
  return set === 'nab' ? readNab(folder) : readLabelled(set, folder)
}

/** What `manifest.json` says of a series. */
interface Listed {
  readonly series: string
  readonly step_seconds: number
  readonly train_rows: number
  readonly rows: number
}

async function readLabelled(set: string, folder: string): Promise<BenchEntry[]> {
  const manifest: Listed[] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
  return manifest.map(listed => ({ name: listed.series, load: () => readSeries(set, folder, listed) }))
}

async function readSeries(set: string, folder: string, listed: Listed): Promise<BenchSeries> {
  const { times, columns } = await readTable(join(folder, `${listed.series}.csv.gz`), { ignore: [] })
  const { label, ...values } = columns
  if (times.length !== listed.rows || !label)
    throw new RangeError(`${set}/${listed.series} must have ${listed.rows} rows and a label, got ${times.length}`)
  return {
    set,
    name: listed.series,
    times: ascending(times),
    columns: values,
    labels: Uint8Array.from(label),
    trainRows: listed.train_rows,
    step: listed.step_seconds * 1000,
  }
}
