/**
 * Mean of the known values at most `reach` rows before and after. Near the ends the window shrinks on both sides, so that a straight trend is its
 * own mean everywhere. NaN where nothing near is known. Looks ahead: not for scores.
 */
export function symmetricMean(values: ArrayLike<number>, reach: number): Float64Array {
  const size = values.length
  let level = 0
  for (let i = 0; i < size; i++)
    if (!Number.isNaN(values[i])) {
      // Sums of differences from a known level: a great level does not eat the digits.
      level = values[i]
      break
    }
  const sums = new Float64Array(size + 1)
  const counts = new Uint32Array(size + 1)
  for (let i = 0; i < size; i++) {
    const known = !Number.isNaN(values[i])
    sums[i + 1] = sums[i] + (known ? values[i] - level : 0)
    counts[i + 1] = counts[i] + (known ? 1 : 0)
  }
  return Float64Array.from({ length: size }, (_, i) => {
    const near = Math.min(reach, i, size - 1 - i)
    return level + (sums[i + near + 1] - sums[i - near]) / (counts[i + near + 1] - counts[i - near])
  })
}
