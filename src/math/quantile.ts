/** The `p`-quantile (0 … 1) of the known values, linear between neighbours (Hyndman & Fan 1996, type 7); NaN when none is known. */
export function quantile(values: ArrayLike<number>, p: number): number {
  const known = Float64Array.from(values).filter(value => !Number.isNaN(value))
  if (known.length === 0) return NaN
  known.sort()
  const at = Math.min(1, Math.max(0, p)) * (known.length - 1)
  const low = Math.floor(at)
  const share = at - low
  return share === 0 ? known[low] : known[low] * (1 - share) + known[low + 1] * share
}
