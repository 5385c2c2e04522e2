/**
 * Centred mean of the known values in windows of `width` places (an even width takes half of each end, as decompositions do). Places nearer
 * than half a window to an end take the nearest whole window's mean; a window of which less than a quarter is known is NaN.
 */
export function movingMean(values: ArrayLike<number>, width: number): Float64Array {
  const size = values.length
  const sums = new Float64Array(size + 1)
  const counts = new Float64Array(size + 1)
  for (let i = 0; i < size; i++) {
    const known = !Number.isNaN(values[i])
    sums[i + 1] = sums[i] + (known ? values[i] : 0)
    counts[i + 1] = counts[i] + (known ? 1 : 0)
  }
  const half = width >> 1
  const even = width % 2 === 0
  const meanAt = (centre: number): number => {
    const from = Math.max(0, centre - half)
    const to = Math.min(size, centre + half + 1)
    let sum = sums[to] - sums[from]
    let count = counts[to] - counts[from]
    if (even) {
      for (const end of [from, to - 1]) {
        if (Number.isNaN(values[end])) continue
        sum -= values[end] / 2
        count -= 0.5
      }
    }
    return count >= width / 4 ? sum / count : NaN
  }
  const means = new Float64Array(size)
  const first = Math.min(half, size >> 1)
  const last = Math.max(first, size - 1 - half)
  for (let i = first; i <= last; i++) means[i] = meanAt(i)
  means.fill(means[first], 0, first)
  means.fill(means[last], last + 1)
  return means
}
