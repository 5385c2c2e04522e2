import { rowCount, type Table } from './table.ts'

/** More known values of a column than this are thinned before they are sorted. */
const SORTED = 1 << 17
const CELLS = 1024

/**
 * Where the values of a column may be parted, ascending, in 32 bits: bin b holds what is at least cut b − 1 and below cut b; the last cut is
 * above all of them. Between all distinct values where there are at most `bins`, in their middle; else at quantiles.
 */
export function findCuts(table: Table, column: number, bins: number): Float32Array {
  const sorted = knownValues(table, column).sort()
  const { length } = sorted
  if (length === 0) return new Float32Array(0)
  const cuts = distinctCuts(sorted, bins) ?? quantileCuts(sorted, bins)
  const top = sorted[length - 1]
  cuts.push(Math.fround(top + Math.abs(top) + 1e-5))
  return Float32Array.from(cuts)
}

function knownValues(table: Table, column: number): Float32Array {
  const { values, columns } = table
  const rows = rowCount(table)
  const known = new Float32Array(rows)
  let count = 0
  for (let i = column; i < values.length; i += columns) {
    const value = Math.fround(values[i])
    if (value - value === 0) known[count++] = value
  }
  if (count <= SORTED) return known.subarray(0, count)
  // Steps of the golden ratio, so that no season of the rows is met again and again.
  for (let i = 0, at = 0; i < SORTED; i++, at = (at + 0.6180339887498949) % 1) {
    const from = Math.floor((i / SORTED) * count)
    const to = Math.floor(((i + 1) / SORTED) * count)
    known[i] = known[from + Math.floor(at * (to - from))]
  }
  return known.subarray(0, SORTED)
}

function distinctCuts(sorted: Float32Array, bins: number): number[] | undefined {
  const cuts: number[] = []
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) continue
    if (cuts.length === bins - 1) return undefined
    cuts.push(between(sorted[i - 1], sorted[i]))
  }
  return cuts
}

function quantileCuts(sorted: Float32Array, bins: number): number[] {
  const cuts: number[] = []
  for (let b = 1; b < bins; b++) {
    const at = Math.round((b * sorted.length) / bins)
    let from = at
    // Equal values stay together: the cut goes to the nearest place where one is larger than the one before.
    while (from < sorted.length && sorted[from] === sorted[from - 1]) from++
    if (from === sorted.length) break
    const cut = between(sorted[from - 1], sorted[from])
    if (cuts.length === 0 || cut > cuts[cuts.length - 1]) cuts.push(cut)
  }
  return cuts
}

/** The middle, but never the lower one itself. */
function between(low: number, high: number): number {
  const middle = Math.fround(low / 2 + high / 2)
  return middle > low ? middle : high
}

/** Puts the bin of each value of a column into `bins`, from `start` on in steps of `stride`; `missing` for what is not finite. */
export function fillBins(
  { values, columns }: Table,
  column: number,
  cuts: Float32Array,
  into: { bins: Uint8Array; start: number; stride: number; missing: number },
): void {
  const { bins, start, stride, missing } = into
  const last = cuts.length - 1
  const low = cuts[0]
  const scale = last > 1 ? CELLS / (cuts[last - 1] - low) : 0
  const cellOf = (value: number) => {
    const place = (value - low) * scale
    return place > 0 ? Math.min(Math.floor(place), CELLS - 1) : 0
  }
  // How many cuts lie in lower cells of equal width: `cellOf` never falls, so the bin of a value lies between that of its cell and of the next.
  const before = new Uint8Array(CELLS + 1)
  for (let cell = 0, b = 0; cell <= CELLS; cell++) {
    while (b < last && (cell === CELLS || cellOf(cuts[b]) < cell)) b++
    before[cell] = b
  }
  for (let i = column, at = start; i < values.length; i += columns, at += stride) {
    const value = Math.fround(values[i])
    if (last < 0 || value - value !== 0) {
      bins[at] = missing
      continue
    }
    const cell = cellOf(value)
    let from = before[cell]
    let to = before[cell + 1]
    while (from < to) {
      const middle = (from + to) >> 1
      if (cuts[middle] <= value) from = middle + 1
      else to = middle
    }
    bins[at] = from
  }
}
