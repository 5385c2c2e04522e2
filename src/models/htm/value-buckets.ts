/** Makes categories of numbers, and numbers of probabilities over categories. */
export interface ValueBuckets {
  readonly count: number
  /** The bucket of a number; −1 for NaN. */
  bucketOf(value: number): number
  /** Takes a number: buckets stand for the mean of the latest ones in them. NaN is passed over; one far beyond the range counts as one range beyond. */
  learn(value: number): void
  /** Mean of a distribution over the buckets, in the unit of the numbers. */
  expected(probabilities: ArrayLike<number>): number
  /** The `p`-quantile (0 … 1) of a distribution over the buckets, linear within one. */
  quantile(probabilities: ArrayLike<number>, p: number): number
  state(): ValueBucketsState
}

export interface ValueBucketsOptions {
  readonly count: number
  /** The range that the buckets divide evenly. Numbers beyond it belong to the outermost ones, which reach as far as what they saw. */
  readonly lower: number
  readonly upper: number
}

/** Plain data from which buckets go on. */
export interface ValueBucketsState {
  readonly means: Float64Array
  readonly least: number
  readonly most: number
}

/** Share of a new number in the mean of its bucket. */
const PACE = 0.1

/** Buckets of one width over a range, after the actual values of the SDR classifier in NuPIC (Cui, Ahmad & Hawkins 2016). */
export function openValueBuckets(options: ValueBucketsOptions, from?: ValueBucketsState): ValueBuckets {
  const { count, lower, upper } = options
  if (!(upper > lower && Number.isFinite(upper - lower))) {
    throw new RangeError(`upper must be a finite number above lower (${lower}), got ${upper}`)
  }
  const width = (upper - lower) / count
  const means = from?.means.slice() ?? Float64Array.from({ length: count }, (_, b) => lower + (b + 0.5) * width)
  let least = from?.least ?? lower
  let most = from?.most ?? upper

  const bucketOf = (value: number) =>
    Number.isNaN(value) ? -1 : Math.max(0, Math.min(count - 1, Math.floor((value - lower) / width)))

  return {
    count,
    bucketOf,
    learn(value) {
      if (Number.isNaN(value)) return
      const bucket = bucketOf(value)
      const near = Math.max(2 * lower - upper, Math.min(2 * upper - lower, value))
      means[bucket] += PACE * (near - means[bucket])
      least = Math.min(least, near)
      most = Math.max(most, near)
    },
    expected(probabilities) {
      let sum = 0
      for (let b = 0; b < count; b++) sum += probabilities[b] * means[b]
      return sum
    },
    quantile(probabilities, p) {
      let below = 0
      for (let b = 0; b < count; b++) {
        const share = probabilities[b]
        if (below + share >= p && share > 0) {
          const left = b === 0 ? least : lower + b * width
          const right = b === count - 1 ? most : lower + (b + 1) * width
          return left + ((p - below) / share) * (right - left)
        }
        below += share
      }
      return most
    },
    state: () => ({ means: means.slice(), least, most }),
  }
}
