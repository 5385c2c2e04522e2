/**
 * Eigenvalues, largest first, and unit eigenvectors of a symmetric matrix (n × n, row after row; not changed), by cyclic Jacobi rotations
 * (Golub & Van Loan 2013, 8.5). `vectors` holds one vector per row, each with its largest element positive. NaN in gives NaN out.
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice(0, n * n)
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  let size = 0
  for (const value of a) size += value * value
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = 0; q < p; q++) off += a[p * n + q] ** 2
    if (!(off > 1e-24 * size)) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i] || i - j)
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    const row = v.subarray(from * n, (from + 1) * n)
    let most = 0
    for (const x of row) if (Math.abs(x) > Math.abs(most) + 1e-12) most = x
    for (let j = 0; j < n; j++) vectors[to * n + j] = most < 0 ? -row[j] : row[j]
  })
  return { values: Float64Array.from(order, i => a[i * n + i]), vectors }
}

/** Makes a[p][q] zero; rows of `v` collect the vectors. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]
  if (apq === 0) return
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const kp = a[k * n + p]
    const kq = a[k * n + q]
    a[k * n + p] = c * kp - s * kq
    a[k * n + q] = s * kp + c * kq
  }
  for (let k = 0; k < n; k++) {
    const pk = a[p * n + k]
    const qk = a[q * n + k]
    a[p * n + k] = c * pk - s * qk
    a[q * n + k] = s * pk + c * qk
    const vp = v[p * n + k]
    const vq = v[q * n + k]
    v[p * n + k] = c * vp - s * vq
    v[q * n + k] = s * vp + c * vq
  }
}
