const BARS = '▁▂▃▄▅▆▇█'

/**
 * Values as a line of bars, each the one of its share that is farthest from the median of all; NaN is a blank, a constant lies low, an infinite value lies as
 * high or low as the others reach. */
export function sparkline(values: ArrayLike<number>, width = 40): string {
  const cells = shares(values, Math.min(width, values.length))
  const known = cells.filter(Number.isFinite)
  if (known.length === 0) return ' '.repeat(cells.length)
  const low = Math.min(...known)
  const range = Math.max(...known) - low
  return cells
    .map(value =>
      Number.isNaN(value) ? ' ' : BARS[range > 0 ? Math.max(0, Math.min(7, Math.floor(((value - low) / range) * 8))) : 0],
    )
    .join('')
}

/** One value per cell: that farthest from the median of all, so that a short spike is not averaged away. */
function shares(values: ArrayLike<number>, width: number): number[] {
  const sorted = Array.from(values)
    .filter(value => !Number.isNaN(value))
    .toSorted((a, b) => a - b)
  const middle = sorted[sorted.length >> 1] ?? 0
  return Array.from({ length: width }, (_, i) => {
    let farthest = NaN
    for (let at = Math.floor((i * values.length) / width); at < Math.floor(((i + 1) * values.length) / width); at++)
      if (!(Math.abs(values[at] - middle) <= Math.abs(farthest - middle)) && !Number.isNaN(values[at])) farthest = values[at]
    return farthest
  })
}
