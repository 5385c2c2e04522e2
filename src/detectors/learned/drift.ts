/** Tenths of a distribution. */
export const BINS = 10
/** Rows by which counts forget. */
const MEMORY = 256
/** Rows that must count before anything is said. */
const LEAST = 128
/** Population stability index that is drift: the bar of the field. */
const BAR = 0.25
/** Rows that each bin has anyway: an empty one is not infinitely strange. */
const SMOOTHING = 0.5

/** Counts a score into the tenth of the validation that it falls into; NaN counts nothing. */
export function countDrift(recent: Float64Array, score: number, deciles: ArrayLike<number>): void {
  if (Number.isNaN(score)) return
  let bin = 0
  while (bin < BINS - 1 && score > deciles[bin]) bin++
  for (let i = 0; i < BINS; i++) recent[i] *= 1 - 1 / MEMORY
  recent[bin]++
}

/**
 * Population stability index of the recent scores against those of the validation, whose tenths they are counted in, as a multiple of the usual bar of
 * 0.25; 0 where most of them are below the median, for errors that shrink ask for nothing; NaN while too few are counted.
 */
export function driftOf(recent: Float64Array): number {
  const count = recent.reduce((sum, rows) => sum + rows, 0)
  if (count < LEAST) return NaN
  if (recent.subarray(BINS / 2).reduce((sum, rows) => sum + rows, 0) < count / 2) return 0
  let index = 0
  for (const rows of recent) {
    const share = (rows + SMOOTHING) / (count + BINS * SMOOTHING)
    index += (share - 1 / BINS) * Math.log(share * BINS)
  }
  return index / BAR
}
