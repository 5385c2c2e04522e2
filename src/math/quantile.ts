/** The `p`-quantile (0 … 1) of the known values, linear between neighbours (Hyndman & Fan 1996, type 7); NaN when none is known. */
export function quantile(values: ArrayLike<number>, p: number): number {
  const known = new Float64Array(values.length)
  let count = 0
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) known[count++] = values[i]
  if (count === 0) return NaN
  const at = Math.min(1, Math.max(0, p)) * (count - 1)
  const low = Math.floor(at)
  const share = at - low
  const below = select(known, count, low)
  if (share === 0) return below
  let above = known[low + 1]
  for (let i = low + 2; i < count; i++) if (known[i] < above) above = known[i]
  return below * (1 - share) + above * share
}

/** The value that sorting would put at `place`; smaller ones are before it then and greater ones after (Hoare 1961). */
function select(values: Float64Array, count: number, place: number): number {
  let left = 0
  let right = count - 1
  while (left < right) {
    // The middle of three: ascending and descending values are not the worst case.
    const [a, b, c] = [values[left], values[(left + right) >>> 1], values[right]]
    const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b
    let i = left
    let j = right
    while (i <= j) {
      while (values[i] < pivot) i++
      while (values[j] > pivot) j--
      if (i > j) break
      const swapped = values[i]
      values[i++] = values[j]
      values[j--] = swapped
    }
    if (place <= j) right = j
    else if (place >= i) left = i
    else break
  }
  return values[place]
}
