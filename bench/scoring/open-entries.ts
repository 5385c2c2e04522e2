import { listLab } from '../data/lab.ts'
import type { BenchEntry } from '../data/series.ts'
import { openSet } from '../data/sets.ts'
import { listSynthetic } from '../data/synthetic.ts'
import { VARIANTS, vary } from '../data/variants.ts'

/** The series of any set, made or read; undefined when its data is not there. */
export async function openEntries(set: string, data: string | undefined): Promise<BenchEntry[] | undefined> {
  if (set === 'synthetic') return listSynthetic()
  if (set === 'lab') return listLab()
  for (const variant of VARIANTS) {
    if (!set.endsWith(variant)) continue
    const entries = await openEntries(set.slice(0, -variant.length), data)
    return entries && vary(entries, variant)
  }
  return openSet(set, data)
}
