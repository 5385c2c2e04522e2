import { sumLanes } from './gates'

/**
 * Weights stand in blocks of four rows, column by column: weights[row / 4][column][row % 4]. Sheets stand in panels of eight: sheet[panel][row][8],
 * panels `…Step` rows apart.
 */

/** out[m] (+)= weights[m][k] · b[k]; m in fours. */
export function multiply(
  out: usize,
  outStep: i32,
  weights: usize,
  b: usize,
  bStep: i32,
  m: i32,
  k: i32,
  panels: i32,
  accumulate: i32,
): void {
  const block = (<usize>k) << 4
  const nextOut = (<usize>outStep) << 5
  const nextB = (<usize>bStep) << 5
  let a = weights
  for (let i = 0; i < m; i += 4) {
    let c = out + ((<usize>i) << 5)
    let panel = b
    const end = a + block
    for (let j = 0; j < panels; j++) {
      let c0 = f32x4.splat(0),
        c1 = f32x4.splat(0)
      let d0 = f32x4.splat(0),
        d1 = f32x4.splat(0)
      let e0 = f32x4.splat(0),
        e1 = f32x4.splat(0)
      let f0 = f32x4.splat(0),
        f1 = f32x4.splat(0)
      if (accumulate) {
        c0 = v128.load(c)
        c1 = v128.load(c, 16)
        d0 = v128.load(c, 32)
        d1 = v128.load(c, 48)
        e0 = v128.load(c, 64)
        e1 = v128.load(c, 80)
        f0 = v128.load(c, 96)
        f1 = v128.load(c, 112)
      }
      let p = a
      let q = panel
      // Not unrolled: the accumulators would not stay in registers.
      while (p < end) {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let s = v128.load32_splat(p)
        c0 = f32x4.add(c0, f32x4.mul(s, b0))
        c1 = f32x4.add(c1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 4)
        d0 = f32x4.add(d0, f32x4.mul(s, b0))
        d1 = f32x4.add(d1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 8)
        e0 = f32x4.add(e0, f32x4.mul(s, b0))
        e1 = f32x4.add(e1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 12)
        f0 = f32x4.add(f0, f32x4.mul(s, b0))
        f1 = f32x4.add(f1, f32x4.mul(s, b1))
        p += 16
        q += 32
      }
      v128.store(c, c0)
      v128.store(c, c1, 16)
      v128.store(c, d0, 32)
      v128.store(c, d1, 48)
      v128.store(c, e0, 64)
      v128.store(c, e1, 80)
      v128.store(c, f0, 96)
      v128.store(c, f1, 112)
      c += nextOut
      panel += nextB
    }
    a += block
  }
}

/** out[m][k] += a[m] · b[k]ᵀ, summed over all panels, `out` being columns of weights that have `columns` of them; m in fours. */
export function accumulateProduct(
  out: usize,
  columns: i32,
  a: usize,
  aStep: i32,
  b: usize,
  bStep: i32,
  m: i32,
  k: i32,
  panels: i32,
): void {
  const block = (<usize>columns) << 4
  const nextA = (<usize>aStep) << 5
  const nextB = (<usize>bStep) << 5
  const length = nextA * <usize>panels
  let c = out
  for (let i = 0; i < m; i += 4) {
    const a0 = a + ((<usize>i) << 5)
    const end = a0 + length
    let j = 0
    for (; j + 1 < k; j += 2) {
      let c0 = f32x4.splat(0),
        c1 = f32x4.splat(0)
      let d0 = f32x4.splat(0),
        d1 = f32x4.splat(0)
      let e0 = f32x4.splat(0),
        e1 = f32x4.splat(0)
      let f0 = f32x4.splat(0),
        f1 = f32x4.splat(0)
      let q = b + ((<usize>j) << 5)
      for (let p = a0; p < end; p += nextA, q += nextB) {
        let v0 = v128.load(q)
        let v1 = v128.load(q, 32)
        let x = v128.load(p)
        c0 = f32x4.add(c0, f32x4.mul(x, v0))
        c1 = f32x4.add(c1, f32x4.mul(x, v1))
        x = v128.load(p, 32)
        d0 = f32x4.add(d0, f32x4.mul(x, v0))
        d1 = f32x4.add(d1, f32x4.mul(x, v1))
        x = v128.load(p, 64)
        e0 = f32x4.add(e0, f32x4.mul(x, v0))
        e1 = f32x4.add(e1, f32x4.mul(x, v1))
        x = v128.load(p, 96)
        f0 = f32x4.add(f0, f32x4.mul(x, v0))
        f1 = f32x4.add(f1, f32x4.mul(x, v1))
        v0 = v128.load(q, 16)
        v1 = v128.load(q, 48)
        x = v128.load(p, 16)
        c0 = f32x4.add(c0, f32x4.mul(x, v0))
        c1 = f32x4.add(c1, f32x4.mul(x, v1))
        x = v128.load(p, 48)
        d0 = f32x4.add(d0, f32x4.mul(x, v0))
        d1 = f32x4.add(d1, f32x4.mul(x, v1))
        x = v128.load(p, 80)
        e0 = f32x4.add(e0, f32x4.mul(x, v0))
        e1 = f32x4.add(e1, f32x4.mul(x, v1))
        x = v128.load(p, 112)
        f0 = f32x4.add(f0, f32x4.mul(x, v0))
        f1 = f32x4.add(f1, f32x4.mul(x, v1))
      }
      const to = c + ((<usize>j) << 4)
      v128.store(to, f32x4.add(v128.load(to), sumEach(c0, d0, e0, f0)))
      v128.store(to, f32x4.add(v128.load(to, 16), sumEach(c1, d1, e1, f1)), 16)
    }
    if (j < k) {
      let c0 = f32x4.splat(0),
        d0 = f32x4.splat(0),
        e0 = f32x4.splat(0),
        f0 = f32x4.splat(0)
      let q = b + ((<usize>j) << 5)
      for (let p = a0; p < end; p += nextA, q += nextB) {
        let v = v128.load(q)
        c0 = f32x4.add(c0, f32x4.mul(v128.load(p), v))
        d0 = f32x4.add(d0, f32x4.mul(v128.load(p, 32), v))
        e0 = f32x4.add(e0, f32x4.mul(v128.load(p, 64), v))
        f0 = f32x4.add(f0, f32x4.mul(v128.load(p, 96), v))
        v = v128.load(q, 16)
        c0 = f32x4.add(c0, f32x4.mul(v128.load(p, 16), v))
        d0 = f32x4.add(d0, f32x4.mul(v128.load(p, 48), v))
        e0 = f32x4.add(e0, f32x4.mul(v128.load(p, 80), v))
        f0 = f32x4.add(f0, f32x4.mul(v128.load(p, 112), v))
      }
      const to = c + ((<usize>j) << 4)
      v128.store(to, f32x4.add(v128.load(to), sumEach(c0, d0, e0, f0)))
    }
    c += block
  }
}

/** The sums of the lanes of four vectors. */
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}

/** out[column][row] = weights[row][from + column], both as weights; rows and columns in fours, `all` columns in `weights`. */
export function transpose(out: usize, weights: usize, rows: i32, from: i32, columns: i32, all: i32): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const to = (((j >> 2) * rows + i) << 2) + (j & 3)
      const at = (((i >> 2) * all + from + j) << 2) + (i & 3)
      store<f32>(out + ((<usize>to) << 2), load<f32>(weights + ((<usize>at) << 2)))
    }
}

/** out[m] += sums of the rows of a[m] over all panels. */
export function addRowSums(out: usize, a: usize, aStep: i32, m: i32, panels: i32): void {
  for (let i = 0; i < m; i++) {
    let sum = f32x4.splat(0)
    let p = a + ((<usize>i) << 5)
    for (let panel = 0; panel < panels; panel++) {
      sum = f32x4.add(sum, f32x4.add(v128.load(p), v128.load(p, 16)))
      p += (<usize>aStep) << 5
    }
    const c = out + ((<usize>i) << 2)
    store<f32>(c, load<f32>(c) + sumLanes(sum))
  }
}

/** out[m] = column[m] in every lane. */
export function spread(out: usize, outStep: i32, column: usize, m: i32, panels: i32): void {
  for (let panel = 0; panel < panels; panel++) {
    let to = out + <usize>panel * ((<usize>outStep) << 5)
    for (let i = 0; i < m; i++) {
      const value = v128.load32_splat(column + ((<usize>i) << 2))
      v128.store(to, value)
      v128.store(to, value, 16)
      to += 32
    }
  }
}
