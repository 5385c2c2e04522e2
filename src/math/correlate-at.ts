/** A correlation and the rows it rests on. */
export interface Correlation {
  /** Pearson's r, -1 … 1; NaN with fewer than three shared rows or without variance. */
  readonly r: number
  /** Rows in which both are known. */
  readonly rows: number
}

/**
 * Pearson's correlation of `x[i]` with `y[i + lag]` over the rows in which both are known (not NaN). A positive lag means that `y` comes later.
 * Two passes, so that a large level does not cost digits. Of ranks it is Spearman's.
 */
export function correlateAt(x: ArrayLike<number>, y: ArrayLike<number>, lag = 0): Correlation {
  const from = Math.max(0, -lag)
  const to = Math.min(x.length, y.length - lag)
  let rows = 0
  let sumX = 0
  let sumY = 0
  for (let i = from; i < to; i++) {
    if (Number.isNaN(x[i]) || Number.isNaN(y[i + lag])) continue
    rows++
    sumX += x[i]
    sumY += y[i + lag]
  }
  if (rows < 3) return { r: NaN, rows }
  const meanX = sumX / rows
  const meanY = sumY / rows
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = from; i < to; i++) {
    const dx = x[i] - meanX
    const dy = y[i + lag] - meanY
    const product = dx * dy
    if (Number.isNaN(product)) continue
    xx += dx * dx
    yy += dy * dy
    xy += product
  }
  const scale = Math.sqrt(xx) * Math.sqrt(yy)
  return { r: scale > 0 ? Math.min(1, Math.max(-1, xy / scale)) : NaN, rows }
}
