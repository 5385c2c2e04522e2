import { listRecording } from '../data/recording.ts'
import type { BenchEntry } from '../data/series.ts'
import { openSet } from '../data/sets.ts'
import { listSynthetic } from '../data/synthetic.ts'

/** The series of any set, made or read; undefined when its data is not there. */
export async function openEntries(set: string, data: string | undefined): Promise<BenchEntry[] | undefined> {
  if (set === 'synthetic') return listSynthetic()
  return set === 'recording' ? listRecording() : openSet(set, data)
}
