import { quantile } from './quantile.ts'

/** Middle of the known values; NaN when none is known. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}
