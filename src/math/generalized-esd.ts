import { studentQuantile } from './student-t.ts'

export interface EsdResult {
  /** How many of the values are outliers: the most extreme ones. */
  readonly outliers: number
  /** Median and scaled MAD of the others. */
  readonly median: number
  readonly scale: number
  /** Distance from the median, in scales, from which one more value would be an outlier. */
  readonly critical: number
}

/**
 * Generalized extreme studentized deviate test (Rosner 1983) with median and MAD in place of mean and deviation (S-H-ESD: Hochenbaum, Vallis & Kejariwal
 * 2017, section 3.3). Of at most `most` values, tested one by one, outliers are those up to the last that exceeds its critical value. Wants at least 12 more
 * values than `most`, all known; a scale below `floor` counts as `floor`.
 */
export function generalizedEsd(values: ArrayLike<number>, most: number, alpha: number, floor = 1e-12): EsdResult {
  const sorted = Float64Array.from(values).sort()
  const n = sorted.length
  let low = 0
  let high = n - 1
  let median = middle(sorted, low, high)
  let scale = Math.max(spread(sorted, low, high, median), floor)
  let found = { outliers: 0, median, scale, critical: criticalValue(n, 1, alpha) }
  for (let i = 1; i <= most; i++) {
    const extreme = Math.max(median - sorted[low], sorted[high] - median)
    const exceeds = extreme / scale > criticalValue(n, i, alpha)
    if (median - sorted[low] > sorted[high] - median) low++
    else high--
    median = middle(sorted, low, high)
    scale = Math.max(spread(sorted, low, high, median), floor)
    if (exceeds) found = { outliers: i, median, scale, critical: criticalValue(n, i + 1, alpha) }
  }
  return found
}

/** Critical value of the i-th test on n values. */
export function criticalValue(n: number, i: number, alpha: number): number {
  const degrees = n - i - 1
  const t = studentQuantile(1 - alpha / (2 * (n - i + 1)), degrees)
  return ((n - i) * t) / Math.sqrt((degrees + t * t) * (n - i + 1))
}

function middle(sorted: Float64Array, low: number, high: number): number {
  const at = (low + high) / 2
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2
}

/** Scaled MAD of sorted values: distances grow on both sides of the median, so the middle one is found by walking outwards. */
function spread(sorted: Float64Array, low: number, high: number, median: number): number {
  const count = high - low + 1
  let right = low + (count >> 1)
  let left = right - 1
  let before = 0
  let distance = 0
  for (let k = 0; k <= count >> 1; k++) {
    before = distance
    const below = left >= low ? median - sorted[left] : Infinity
    const above = right <= high ? sorted[right] - median : Infinity
    if (below <= above) {
      distance = below
      left--
    } else {
      distance = above
      right++
    }
  }
  return 1.4826 * (count % 2 === 1 ? distance : (before + distance) / 2)
}
