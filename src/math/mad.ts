import { median } from './median.ts'

/** Median absolute deviation of the known values from their median, times 1.4826: the standard deviation when they are normal. */
export function mad(values: ArrayLike<number>): number {
  const centre = median(values)
  return 1.4826 * median(Float64Array.from(values, value => Math.abs(value - centre)))
}
