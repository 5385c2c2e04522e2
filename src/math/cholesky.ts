/**
 * Lower triangle L with L·Lᵀ = A + ridge·I, of a symmetric positive definite A (row after row, n × n; only its lower triangle is read; Golub
 * & Van Loan 2013, 4.2.5). Writes into `out` (n × n, may be A itself; what stands above the diagonal is then left over). Throws `RangeError`
 * where a pivot is not positive.
 */
export function factorCholesky(a: Float64Array, n: number, ridge = 0, out: Float64Array = new Float64Array(n * n)): Float64Array {
  if (a.length < n * n) throw new RangeError(`matrix must have ${n * n} elements, got ${a.length}`)
  for (let i = 0; i < n; i++) {
    const row = i * n
    for (let j = 0; j < i; j++) {
      const other = j * n
      let sum = a[row + j]
      for (let k = 0; k < j; k++) sum -= out[row + k] * out[other + k]
      out[row + j] = sum / out[other + j]
    }
    let pivot = a[row + i] + ridge
    for (let k = 0; k < i; k++) pivot -= out[row + k] * out[row + k]
    if (!(pivot > 0)) throw new RangeError(`matrix must be positive definite, got a pivot of ${pivot} at row ${i}`)
    out[row + i] = Math.sqrt(pivot)
  }
  return out
}

/** Solves L·Lᵀ·X = B in place for `columns` right sides; B is n × `columns`, row after row. Returns B. */
export function solveCholesky(lower: Float64Array, n: number, b: Float64Array, columns = 1): Float64Array {
  if (b.length < n * columns) throw new RangeError(`right side must have ${n * columns} elements, got ${b.length}`)
  solveLower(lower, n, b, columns)
  for (let i = n - 1; i >= 0; i--) {
    const row = i * columns
    for (let k = i + 1; k < n; k++) subtractRow(b, row, b, k * columns, lower[k * n + i], columns)
    scaleRow(b, row, 1 / lower[i * n + i], columns)
  }
  return b
}

/** Solves L·X = B in place: with the factor of a covariance it whitens, and |x|² is the squared Mahalanobis length. Returns B. */
export function solveLower(lower: Float64Array, n: number, b: Float64Array, columns = 1): Float64Array {
  for (let i = 0; i < n; i++) {
    const row = i * columns
    for (let k = 0; k < i; k++) subtractRow(b, row, b, k * columns, lower[i * n + k], columns)
    scaleRow(b, row, 1 / lower[i * n + i], columns)
  }
  return b
}

function subtractRow(to: Float64Array, at: number, from: Float64Array, other: number, factor: number, size: number): void {
  if (factor !== 0) for (let j = 0; j < size; j++) to[at + j] -= factor * from[other + j]
}

function scaleRow(to: Float64Array, at: number, factor: number, size: number): void {
  for (let j = 0; j < size; j++) to[at + j] *= factor
}
