/** Ranks of the known values from 1, ties share the mean of theirs; NaN stays NaN. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length).fill(NaN)
  const order = Uint32Array.from({ length: values.length }, (_, i) => i)
    .filter(i => !Number.isNaN(values[i]))
    .sort((a, b) => values[a] - values[b])
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to]] === values[order[from]]) to++
    for (let at = from; at < to; at++) out[order[at]] = (from + to + 1) / 2
    from = to
  }
  return out
}
