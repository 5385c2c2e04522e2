/** Says how far a value, or the mean of the last ones, is outside the range of the last rows. */
export interface RangeRule {
  /** In ranges beyond the tolerance; 0 inside, and while nothing is known. Of a flat series every other value is one range outside. */
  excess(value: number): number
  learn(value: number): void
  state(): RangeRuleState
}

export interface Range {
  readonly lower: number
  readonly upper: number
}

export interface RangeRuleState {
  readonly rows: number
  readonly recent: Float64Array
  readonly values: Bounds
  readonly means: Bounds
}

/** Of blocks of rows, the oldest of which makes room. */
interface Bounds {
  readonly lowest: Float64Array
  readonly highest: Float64Array
}

/** Of the range of values: how far outside one may lie. As in the Numenta Anomaly Benchmark. */
const TOLERANCE = 0.05
/** The mean is that of so many rows … */
const MEAN = 12
/** … and may lie so far outside the range of means, in that range and in that of values, whichever is more. */
const MEAN_TOLERANCE = 0.1
const LEAST_TOLERANCE = 0.02
/** Rows before means are judged. */
const YOUNG = 100
/** The range is that of the last blocks and the one that goes on: 4,000 to 4,500 rows. */
const BLOCKS = 8
const BLOCK = 500

/** The range rule of the Numenta Anomaly Benchmark, for values and for their moving mean. Departure: it forgets. */
export function openRangeRule(from?: RangeRuleState): RangeRule {
  const recent = from?.recent.slice() ?? new Float64Array(MEAN)
  const values = copyOf(from?.values)
  const means = copyOf(from?.means)
  let rows = from?.rows ?? 0

  /** NaN for the first rows. */
  function meanWith(value: number): number {
    if (rows < MEAN - 1) return NaN
    let sum = value
    for (let back = 1; back < MEAN; back++) sum += recent[(rows - back) % MEAN]
    return sum / MEAN
  }

  function widen({ lowest, highest }: Bounds, value: number): void {
    const at = Math.floor(rows / BLOCK) % (BLOCKS + 1)
    if (rows % BLOCK === 0) {
      lowest[at] = Infinity
      highest[at] = -Infinity
    }
    if (value < lowest[at]) lowest[at] = value
    if (value > highest[at]) highest[at] = value
  }

  return {
    excess(value) {
      const range = rangeOf(values)
      const width = range.upper - range.lower
      const mean = meanWith(value)
      const usual = rangeOf(means)
      const tolerance = Math.max(MEAN_TOLERANCE * (usual.upper - usual.lower), LEAST_TOLERANCE * width)
      return Math.max(beyond(range, value, TOLERANCE * width, width), rows < YOUNG ? 0 : beyond(usual, mean, tolerance, width))
    },
    learn(value) {
      widen(values, value)
      widen(means, meanWith(value))
      recent[rows % MEAN] = value
      rows++
    },
    state: () => ({ rows, recent: recent.slice(), values: copyOf(values), means: copyOf(means) }),
  }
}

function rangeOf({ lowest, highest }: Bounds): Range {
  let lower = Infinity
  let upper = -Infinity
  for (let b = 0; b < lowest.length; b++) {
    if (lowest[b] < lower) lower = lowest[b]
    if (highest[b] > upper) upper = highest[b]
  }
  return { lower, upper }
}

/** How far beyond the tolerance, in widths; 0 when the range or the value is not known. */
function beyond({ lower, upper }: Range, value: number, tolerance: number, width: number): number {
  const outside = Math.max(value - upper, lower - value) - tolerance
  if (!(outside > 0 && upper >= lower)) return 0
  return width > 0 ? outside / width : 1
}

const copyOf = (from?: Bounds): Bounds => ({
  lowest: from?.lowest.slice() ?? new Float64Array(BLOCKS + 1).fill(Infinity),
  highest: from?.highest.slice() ?? new Float64Array(BLOCKS + 1).fill(-Infinity),
})
