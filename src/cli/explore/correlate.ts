import { correlateAt } from '../../math/correlate-at.ts'
import { correlationLimit } from '../../math/correlation-limit.ts'
import { effectiveRows } from '../../math/effective-rows.ts'
import { laggedProducts } from '../../math/lagged-products.ts'

/** Two series that belong together: `follows` does what `leads` did `lag` rows before; with a lag of 0 their order means nothing. */
export interface Pair {
  readonly leads: number
  readonly follows: number
  /** -1 … 1; negative when one falls as the other rises. */
  readonly r: number
  readonly lag: number
  /** The longest lag that was tried: the true one may be longer. */
  readonly edge: boolean
  /** Rows in which both are known. */
  readonly rows: number
  /** What |r| had to be so that chance is ruled out. */
  readonly limit: number
}

/** Two series whose values correlate, but nothing else of them: both follow a season, a trend, or one event. */
export interface Apparent {
  readonly a: number
  readonly b: number
  /** Correlation of the values as they are. */
  readonly values: number
  /** The strongest at any lag beside season and trend. */
  readonly beside: number
}

export interface Correlations {
  /** Row by row: the strongest r of each pair where it is beyond chance, else that of lag 0; 1 on the diagonal. */
  readonly matrix: Float32Array
  /** Rows by which the second series of a pair follows the first, row by row; 0 where chance is not ruled out. */
  readonly lags: Int16Array
  /** Beyond chance and at least `least`, strongest first. */
  readonly pairs: readonly Pair[]
  /** Those that correlate by a few events, as often as chance would have it. */
  readonly few: readonly Pair[]
  readonly apparent: readonly Apparent[]
}

export interface CorrelateOptions {
  /** Longest lag, rows. */
  readonly reach: number
  /** The |r| from which a pair is told. */
  readonly least: number
  /** Told the share of pairs that are done. */
  readonly say?: (share: number) => void
}

/** Fewer shared rows than this tell nothing. */
const FEWEST = 20
/** Rows by the count of `countEvents` that a correlation must be made of: three for each event. */
const EVENTS = 24
/** A nearer lag that is nearly as good as the best is the one meant: neighbours of smooth series differ by nothing. */
const NEARLY = 0.985
/** Values correlate this much, and less than that beside season and trend: the correlation is an appearance. */
const APPARENT = 0.8
const NOTHING = 0.3

/**
 * Correlates every pair at every lag. `prepared` have mean 0 and variance 1 over their known rows, gaps are NaN; `values` are the series as they
 * are, standardised likewise. Pairs with gaps are searched as if both had their mean there, and counted anew over their shared rows at the
 * lag found.
 */
export function correlateAll(
  prepared: readonly Float64Array[],
  values: readonly Float64Array[],
  { reach, least, say = () => {} }: CorrelateOptions,
): Correlations {
  const count = prepared.length
  const rows = prepared[0]?.length ?? 0
  const known = prepared.map(values => survey(values))
  const products = laggedProducts(
    known.map(({ filled }) => filled),
    reach,
  )
  const memories = prepared.map((_, i) => memoryOf(products, i, reach))
  // What a few events make must be most of both series: one that is spread over many rows needs no count.
  const steady = known.map(
    ({ filled }, i) => countEvents(filled, filled, 0, memoryLength(memories[i], memories[i])) > 20 * EVENTS,
  )
  const alike = likeness(values)
  const trials = ((count * (count - 1)) / 2) * (2 * reach + 1)
  /** No pair can have a lower limit: most are done with when they stay below it. */
  const lowest = correlationLimit(rows, trials)

  const matrix = new Float32Array(count * count)
  const lags = new Int16Array(count * count)
  const pairs: Pair[] = []
  const few: Pair[] = []
  const apparent: Apparent[] = []
  const pairOf = (i: number, j: number, r: number, lag: number, shared: number, limit: number): Pair => {
    const [leads, follows] = lag >= 0 ? [i, j] : [j, i]
    return { leads, follows, r, lag: Math.abs(lag), edge: reach > 0 && Math.abs(lag) === reach, rows: shared, limit }
  }
  for (let i = 0; i < count; i++) {
    say(1 - ((count - i) * (count - i)) / (count * count))
    matrix[i * count + i] = 1
    const others = Array.from({ length: count - 1 - i }, (_, k) => i + 1 + k)
    products.between(i, others, (j, sums) => {
      const [x, y] = [known[i], known[j]]
      const shared = countShared(x, y)
      const enough = shared >= FEWEST
      let best = enough ? strongest(sums, shared, reach) : 0
      let { r, rows: counted } = enough ? sharedCorrelation(x, y, best, sums[reach + best]) : { r: 0, rows: shared }
      const beside = r
      let limit = Math.abs(r) < lowest ? 1 : correlationLimit(effectiveRows(counted, memories[i], memories[j]), trials)
      let sure = Math.abs(r) >= limit && counted >= FEWEST
      if (sure && !(steady[i] || steady[j])) {
        const events = countEvents(x.filled, y.filled, best, memoryLength(memories[i], memories[j]))
        limit = events < EVENTS ? 1 : Math.max(limit, correlationLimit(events, trials))
        sure = events >= EVENTS && Math.abs(r) >= limit
        if (!sure && Math.abs(r) >= least) few.push(pairOf(i, j, r, best, counted, limit))
      }
      if (!sure) {
        r = enough ? sharedCorrelation(x, y, 0, sums[reach]).r : 0
        best = 0
      }
      matrix[i * count + j] = matrix[j * count + i] = r
      lags[i * count + j] = best
      lags[j * count + i] = -best
      if (sure && Math.abs(r) >= least) pairs.push(pairOf(i, j, r, best, counted, limit))
      if (Math.abs(beside) < NOTHING) {
        const both = alike(i, j)
        if (Math.abs(both) >= APPARENT) apparent.push({ a: i, b: j, values: both, beside })
      }
    })
  }
  for (const list of [pairs, few]) list.sort((a, b) => Math.abs(b.r) - Math.abs(a.r))
  apparent.sort((a, b) => Math.abs(b.values) - Math.abs(a.values))
  return { matrix, lags, pairs, few, apparent }
}

/** The lag of the greatest |r|, or the nearest to 0 that is nearly as good. */
function strongest(sums: Float64Array, shared: number, reach: number): number {
  const at = (lag: number) => sums[reach + lag] / Math.max(FEWEST, shared - Math.abs(lag))
  let best = 0
  for (let lag = -reach; lag <= reach; lag++)
    if (shared - Math.abs(lag) >= FEWEST && Math.abs(at(lag)) > Math.abs(at(best))) best = lag
  const top = at(best)
  for (let near = 0; near < Math.abs(best); near++)
    for (const lag of [near, -near]) if (at(lag) * Math.sign(top) >= NEARLY * Math.abs(top)) return lag
  return best
}

/** The lag from which two series do not remember together. */
function memoryLength(x: Float64Array, y: Float64Array): number {
  const at = x.findIndex((r, lag) => lag > 0 && r * y[lag] < 0.05)
  return at < 0 ? x.length : at
}

/**
 * Of how many independent rows a correlation is made at most: three times the participation ratio of its products, in blocks of `length`
 * rows, which is about all blocks for normal noise and about three for one common event.
 */
function countEvents(x: Float64Array, y: Float64Array, lag: number, length: number): number {
  const from = Math.max(0, -lag)
  const to = Math.min(x.length, y.length - lag)
  let [sizes, squares] = [0, 0]
  for (let start = from; start < to; start += length) {
    const end = Math.min(to, start + length)
    let block = 0
    for (let i = start; i < end; i++) block += x[i] * y[i + lag]
    sizes += Math.abs(block)
    squares += block * block
  }
  return squares > 0 ? (3 * sizes * sizes) / squares : 0
}

/** Autocorrelation at lags 0 … reach. */
function memoryOf(products: ReturnType<typeof laggedProducts>, i: number, reach: number): Float64Array {
  const memory = new Float64Array(reach + 1)
  products.between(i, [i], (_, sums) => {
    for (let lag = 0; lag <= reach; lag++) memory[lag] = sums[reach + lag] / sums[reach]
  })
  return memory
}

/** A series with gaps as 0, and where they are. */
interface Known {
  readonly filled: Float64Array
  readonly missing: Uint32Array
  /** A bit for each known row. */
  readonly bits: Uint32Array
  readonly count: number
  readonly sum: number
  readonly squares: number
}

function survey(values: Float64Array): Known {
  const filled = values.map(value => (Number.isNaN(value) ? 0 : value))
  const bits = new Uint32Array(Math.ceil(values.length / 32))
  const missing: number[] = []
  let [sum, squares] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) missing.push(i)
    else bits[i >> 5] |= 1 << (i & 31)
    sum += filled[i]
    squares += filled[i] * filled[i]
  }
  return { filled, missing: Uint32Array.from(missing), bits, count: values.length - missing.length, sum, squares }
}

function countShared(x: Known, y: Known): number {
  if (x.missing.length === 0) return y.count
  if (y.missing.length === 0) return x.count
  let count = 0
  for (let i = 0; i < x.bits.length; i++) {
    let bits = x.bits[i] & y.bits[i]
    bits -= (bits >>> 1) & 0x55555555
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}

/** Pearson's r over the shared rows at a lag from the sum of products: only the rows that are not shared are looked at. */
function sharedCorrelation(x: Known, y: Known, lag: number, product: number): { r: number; rows: number } {
  const one = keptMoments(x, y, lag)
  const other = keptMoments(y, x, -lag)
  const { rows } = one
  const xx = one.squares - (one.sum * one.sum) / rows
  const yy = other.squares - (other.sum * other.sum) / rows
  const r = (product - (one.sum * other.sum) / rows) / Math.sqrt(xx * yy)
  return { r: rows >= 3 && xx > 1e-6 * rows && yy > 1e-6 * rows ? Math.min(1, Math.max(-1, r)) : 0, rows }
}

/** Count, sum and squares of those rows of `x` that `y` has `lag` rows later. */
function keptMoments(x: Known, y: Known, lag: number): { rows: number; sum: number; squares: number } {
  const { filled, bits } = x
  const size = filled.length
  let { count: rows, sum, squares } = x
  const drop = (i: number) => {
    rows -= (bits[i >> 5] >>> (i & 31)) & 1
    sum -= filled[i]
    squares -= filled[i] * filled[i]
  }
  for (let i = Math.max(0, size - lag); i < size; i++) drop(i)
  for (let i = 0; i < -lag; i++) drop(i)
  for (const gap of y.missing) if (gap - lag >= 0 && gap - lag < size) drop(gap - lag)
  return { rows, sum, squares }
}

/** Rows that are enough to see that two series could be alike. */
const COARSE = 1000

/** Correlation of two series as they are; pairs that are unlike in the coarse are 0, without looking closer. */
function likeness(values: readonly Float64Array[]): (i: number, j: number) => number {
  const factor = Math.max(1, Math.floor((values[0]?.length ?? 0) / COARSE))
  const coarse = values.map(series => {
    const means = Float64Array.from({ length: Math.floor(series.length / factor) }, (_, i) => {
      let [sum, count] = [0, 0]
      for (let at = i * factor; at < (i + 1) * factor; at++)
        if (!Number.isNaN(series[at])) {
          sum += series[at]
          count++
        }
      return count > 0 ? sum / count : 0
    })
    const size = Math.sqrt(dot(means, means))
    return size > 0 ? means.map(mean => mean / size) : means
  })
  return (i, j) => {
    if (Math.abs(dot(coarse[i], coarse[j])) < 0.6 * APPARENT) return 0
    const { r, rows } = correlateAt(values[i], values[j])
    return rows >= FEWEST && !Number.isNaN(r) ? r : 0
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
