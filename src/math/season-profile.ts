/** The fewest rows that make one point of a profile: fewer would copy the noise. */
const ROWS = 6

/**
 * Mean of the known values at each phase of a season of `period` rows (need not be whole), as one value for each row. Phases share a point
 * where there are too few seasons for one each, with straight lines between the points. NaN where a phase was never seen.
 */
export function seasonProfile(values: ArrayLike<number>, period: number): Float64Array {
  const points = Math.max(2, Math.min(Math.round(period), Math.floor(values.length / ROWS)))
  const sums = new Float64Array(points)
  const counts = new Float64Array(points)
  const place = (i: number) => ((i % period) / period) * points
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue
    const at = Math.min(points - 1, Math.floor(place(i) + 1e-9))
    sums[at] += values[i]
    counts[at]++
  }
  const means = sums.map((sum, at) => (counts[at] > 0 ? sum / counts[at] : NaN))
  const out = new Float64Array(values.length)
  if (points >= Math.round(period)) {
    for (let i = 0; i < out.length; i++) out[i] = means[Math.min(points - 1, Math.floor(place(i) + 1e-9))]
    return out
  }
  for (let i = 0; i < out.length; i++) {
    const at = place(i) + points / period / 2 - 0.5
    const below = Math.floor(at)
    const share = at - below
    const left = means[(below + points) % points]
    const right = means[(below + 1) % points]
    out[i] = Number.isNaN(left) ? right : Number.isNaN(right) ? left : left * (1 - share) + right * share
  }
  return out
}
