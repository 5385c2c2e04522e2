import { existsSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readTable } from '../../src/sources/table/read-table.ts'
import { probationRows } from '../protocols/nab.ts'
import type { BenchEntry, BenchSeries } from './series.ts'
import { ascending } from './series.ts'

/** The folder of a data set: `folder` itself or the one of that name inside it; undefined when neither has `mark`. */
export function findSet(folder: string | undefined, set: string, mark: string): string | undefined {
  if (folder === undefined) return undefined
  return [folder, join(folder, set)].find(path => existsSync(join(path, mark)) && !(path === folder && isOther(path, set)))
}

/** `smd`, `asd` and `aiops` look alike but for the name of their folder. */
function isOther(path: string, set: string): boolean {
  return set !== 'nab' && ['smd', 'asd', 'aiops'].some(other => other !== set && path.replace(/\/+$/, '').endsWith(other))
}

/** The files of the Numenta Anomaly Benchmark in `folder` (with `combined_windows.json` and `data/`), in order of their names. */
export async function readNab(folder: string): Promise<BenchEntry[]> {
  const windows: Record<string, [string, string][]> = JSON.parse(await readFile(join(folder, 'combined_windows.json'), 'utf8'))
  const files = globSync('*/*.csv', { cwd: join(folder, 'data') }).sort()
  return files.map(name => ({ name, load: () => readSeries(folder, name, windows[name] ?? []) }))
}

async function readSeries(folder: string, name: string, windows: readonly [string, string][]): Promise<BenchSeries> {
  const { times, columns, step } = await readTable(join(folder, 'data', name))
  const rows = windows.map(([first, last]) => [findRow(times, first, name), findRow(times, last, name)] as const)
  const labels = new Uint8Array(times.length)
  for (const [first, last] of rows) labels.fill(1, first, last + 1)
  return {
    set: 'nab',
    name,
    times: ascending(times),
    columns,
    labels,
    trainRows: probationRows(times.length),
    step,
    windows: rows,
  }
}

/** The first row with exactly that timestamp, as the benchmark matches window edges. */
function findRow(times: Float64Array, text: string, name: string): number {
  const time = Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`)
  const row = times.indexOf(time)
  if (row < 0) throw new RangeError(`a window of ${name} must begin and end at a row, got ${text}`)
  return row
}
