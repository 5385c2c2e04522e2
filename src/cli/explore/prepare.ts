import { mad } from '../../math/mad.ts'
import { median } from '../../math/median.ts'
import { ranks } from '../../math/ranks.ts'
import { seasonProfile } from '../../math/season-profile.ts'
import { symmetricMean } from '../../math/symmetric-mean.ts'

/**
 * What is correlated: `residual` is a series without its slow trend and its seasons, `change` the differences of neighbours without their
 * seasons, `value` the series as it is (then whatever grows, or sleeps at night, correlates).
 */
export const BASES = ['residual', 'change', 'value'] as const
export type Basis = (typeof BASES)[number]

export interface Preparation {
  readonly basis: Basis
  /** Ranks in place of values: Spearman's correlation. */
  readonly rank: boolean
  /** Longest lag, rows. */
  readonly reach: number
}

/** Outliers are drawn in to so many robust deviations: one wild row in each of two series is no correlation. */
const CLIP = 5

/** The part of a series that is correlated, with mean 0 and variance 1; a gap is NaN. Undefined when nothing moves beside trend and seasons. */
export function prepare(
  values: Float64Array,
  periods: readonly number[],
  { basis, rank, reach }: Preparation,
): Float64Array | undefined {
  // Ranks come first: then any rising function of a series is the same series.
  const level = rank ? ranks(values) : values
  let kept = level
  if (basis === 'change') kept = level.map((value, i) => value - (i > 0 ? level[i - 1] : NaN))
  if (basis === 'residual') kept = minus(level, symmetricMean(level, 2 * Math.max(6, reach)))
  if (basis !== 'value') for (const period of periods) kept = minus(kept, seasonProfile(kept, period))
  // What is left of a season without noise is rounding.
  if (!(spread(kept) > 1e-9 * spread(level))) return undefined
  return standardise(rank ? kept : clip(kept))
}

/** With mean 0 and variance 1 over the known values; undefined when they do not vary. */
export function standardise(values: Float64Array): Float64Array | undefined {
  const mean = meanOf(values)
  const deviation = spread(values)
  return deviation > 0 ? values.map(value => (value - mean) / deviation) : undefined
}

function clip(values: Float64Array): Float64Array {
  const centre = median(values)
  const robust = mad(values)
  const limit = CLIP * (robust > 0 ? robust : spread(values))
  return values.map(value => Math.min(centre + limit, Math.max(centre - limit, value)))
}

function minus(values: Float64Array, others: Float64Array): Float64Array {
  return values.map((value, i) => value - others[i])
}

function meanOf(values: Float64Array): number {
  let sum = 0
  let count = 0
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += value
      count++
    }
  return sum / count
}

function spread(values: Float64Array): number {
  const mean = meanOf(values)
  let sum = 0
  let count = 0
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += (value - mean) ** 2
      count++
    }
  return Math.sqrt(sum / count)
}
