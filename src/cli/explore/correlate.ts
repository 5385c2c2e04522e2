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
  const known = prepared.map(knownRows)
  const filled = prepared.map(zeroFilled)
  const flat = values.map(zeroFilled)
  const products = laggedProducts(filled, reach)
  const memories = prepared.map((_, i) => memoryOf(products, i, reach))
  const trials = ((count * (count - 1)) / 2) * (2 * reach + 1)

  const matrix = new Float32Array(count * count)
  const lags = new Int16Array(count * count)
  const pairs: Pair[] = []
  const apparent: Apparent[] = []
  for (let i = 0; i < count; i++) {
    say(1 - ((count - i) * (count - i)) / (count * count))
    matrix[i * count + i] = 1
    const others = Array.from({ length: count - 1 - i }, (_, k) => i + 1 + k)
    products.between(i, others, (j, sums) => {
      const gaps = known[i].count < rows || known[j].count < rows
      const shared = gaps ? sharedRows(known[i].bits, known[j].bits) : rows
      const zero = shared >= FEWEST ? clampOne(sums[reach] / shared) : 0
      let best = shared >= FEWEST ? strongest(sums, shared, reach) : 0
      let r = best === 0 ? zero : clampOne(sums[reach + best] / (shared - Math.abs(best)))
      let counted = shared - Math.abs(best)
      const limit = correlationLimit(effectiveRows(counted, memories[i], memories[j]), trials)
      if (gaps && Math.abs(r) >= 0.8 * limit) {
        const exact = correlateAt(prepared[i], prepared[j], best)
        counted = exact.rows
        r = exact.rows >= FEWEST && !Number.isNaN(exact.r) ? exact.r : 0
      }
      const beside = r
      const sure = Math.abs(r) >= limit && counted >= FEWEST
      if (!sure) {
        r = zero
        best = 0
      }
      matrix[i * count + j] = matrix[j * count + i] = r
      lags[i * count + j] = best
      lags[j * count + i] = -best
      if (sure && Math.abs(r) >= least) {
        const [leads, follows] = best >= 0 ? [i, j] : [j, i]
        pairs.push({ leads, follows, r, lag: Math.abs(best), edge: reach > 0 && Math.abs(best) === reach, rows: counted, limit })
      }
      if (Math.abs(beside) < NOTHING) {
        const both = shared >= FEWEST ? clampOne(dot(flat[i], flat[j]) / shared) : 0
        if (Math.abs(both) >= APPARENT) apparent.push({ a: i, b: j, values: both, beside })
      }
    })
  }
  pairs.sort((a, b) => Math.abs(b.r) - Math.abs(a.r))
  apparent.sort((a, b) => Math.abs(b.values) - Math.abs(a.values))
  return { matrix, lags, pairs, apparent }
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

/** Autocorrelation at lags 0 … reach. */
function memoryOf(products: ReturnType<typeof laggedProducts>, i: number, reach: number): Float64Array {
  const memory = new Float64Array(reach + 1)
  products.between(i, [i], (_, sums) => {
    for (let lag = 0; lag <= reach; lag++) memory[lag] = sums[reach + lag] / sums[reach]
  })
  return memory
}

interface Known {
  readonly count: number
  readonly bits: Uint32Array
}

function knownRows(values: Float64Array): Known {
  const bits = new Uint32Array(Math.ceil(values.length / 32))
  let count = 0
  for (let i = 0; i < values.length; i++)
    if (!Number.isNaN(values[i])) {
      bits[i >> 5] |= 1 << (i & 31)
      count++
    }
  return { count, bits }
}

function sharedRows(a: Uint32Array, b: Uint32Array): number {
  let count = 0
  for (let i = 0; i < a.length; i++) {
    let bits = a[i] & b[i]
    bits -= (bits >>> 1) & 0x55555555
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return count
}

function zeroFilled(values: Float64Array): Float64Array {
  return values.map(value => (Number.isNaN(value) ? 0 : value))
}

function dot(a: Float64Array, b: Float64Array): number {
  let [even, odd] = [0, 0]
  const last = a.length - 1
  for (let i = 0; i < last; i += 2) {
    even += a[i] * b[i]
    odd += a[i + 1] * b[i + 1]
  }
  return even + odd + (last % 2 === 0 ? a[last] * b[last] : 0)
}

function clampOne(r: number): number {
  return Math.min(1, Math.max(-1, r))
}
