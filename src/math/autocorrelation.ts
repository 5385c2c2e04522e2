/**
 * Correlation of the values with themselves `lag` places later, for lags 0 … `longest`, over the pairs of which both are known (NaN is not).
 * Each lag is scaled by the variance of its own pairs, so that gaps and ends do not pull it to zero; NaN for fewer than 8 pairs, or fewer than
 * a quarter of those possible. The mean is that of all known values.
 */
export function autocorrelation(values: ArrayLike<number>, longest: number): Float64Array {
  const size = values.length
  const known = new Float64Array(size)
  const centred = new Float64Array(size)
  let sum = 0
  let count = 0
  for (let i = 0; i < size; i++) {
    if (Number.isNaN(values[i])) continue
    known[i] = 1
    sum += values[i]
    count++
  }
  const mean = sum / count
  for (let i = 0; i < size; i++) if (known[i] === 1) centred[i] = values[i] - mean
  const correlations = new Float64Array(Math.max(0, Math.min(longest, size - 1)) + 1)
  for (let lag = 0; lag < correlations.length; lag++) correlations[lag] = correlateAt(centred, known, lag)
  return correlations
}

function correlateAt(centred: Float64Array, known: Float64Array, lag: number): number {
  const pairs = centred.length - lag
  let product = 0
  let both = 0
  let before = 0
  let after = 0
  for (let i = 0; i < pairs; i++) {
    const a = centred[i]
    const b = centred[i + lag]
    product += a * b
    both += known[i] * known[i + lag]
    before += a * a * known[i + lag]
    after += b * b * known[i]
  }
  if (both < 8 || both < pairs / 4) return NaN
  const scale = Math.sqrt(before * after)
  return scale > 0 ? product / scale : NaN
}
