import type { BenchEntry } from '../data/series.ts'
import { openSet } from '../data/sets.ts'

/** The series of any set, made or read; undefined when its data is not there. */
export async function openEntries(set: string, data: string | undefined): Promise<BenchEntry[] | undefined> {
  return openSet(set, data)
}
