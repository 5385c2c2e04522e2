/** A labelled series of a data set, ready for a detector: times ascend strictly. */
export interface BenchSeries {
  readonly set: string
  readonly name: string
  readonly times: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
  /** 1 where a row is labelled anomalous; for NAB: inside a window. */
  readonly labels: Uint8Array
  /** Rows at the beginning that a detector may learn from and that are not judged. */
  readonly trainRows: number
  /** Usual distance of rows in ms. */
  readonly step: number
  /** NAB only: inclusive rows. */
  readonly windows?: readonly (readonly [number, number])[]
}

/** Name and size of a series before it is read. */
export interface BenchEntry {
  readonly name: string
  load(): Promise<BenchSeries>
}

/** Maximal runs of rows with label 1, inclusive rows. */
export function segmentsOf(labels: ArrayLike<number>): [number, number][] {
  const segments: [number, number][] = []
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue
    const first = i
    while (i + 1 < labels.length && labels[i + 1]) i++
    segments.push([first, i])
  }
  return segments
}

/** Times as they are where they ascend; one that repeats or goes back is a ms after the row before it, so that every row keeps its score. */
export function ascending(times: Float64Array): Float64Array {
  const out = Float64Array.from(times)
  for (let i = 1; i < out.length; i++) if (!(out[i] > out[i - 1])) out[i] = out[i - 1] + 1
  return out
}
