/**
 * How many independent rows a correlation of two series rests on (Bartlett 1946): `rows / (1 + 2 Σ ρx(k) ρy(k))` over their autocorrelations
 * at lags 1 … Two slow series agree by chance far more often than their length says. At least 1, at most `rows`.
 */
export function effectiveRows(rows: number, x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0
  const last = Math.min(x.length, y.length, rows) - 1
  for (let k = 1; k <= last; k++) sum += (1 - k / rows) * x[k] * y[k]
  return Math.max(1, Math.min(rows, rows / Math.max(1e-9, 1 + 2 * sum)))
}
