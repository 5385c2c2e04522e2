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
    const fours = end - ((<usize>((k - 1) & 3)) << 4)
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
      // The first column apart: addresses made here stay in registers. Four columns a turn, since each turn costs two branches more.
      let p = a
      let q = panel
      let b0 = v128.load(q)
      let b1 = v128.load(q, 16)
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
      while (p < fours) {
        b0 = v128.load(q)
        b1 = v128.load(q, 16)
        s = v128.load32_splat(p)
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
        b0 = v128.load(q, 32)
        b1 = v128.load(q, 48)
        s = v128.load32_splat(p)
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
        b0 = v128.load(q, 64)
        b1 = v128.load(q, 80)
        s = v128.load32_splat(p)
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
        b0 = v128.load(q, 96)
        b1 = v128.load(q, 112)
        s = v128.load32_splat(p)
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
        q += 128
      }
      while (p < end) {
        b0 = v128.load(q)
        b1 = v128.load(q, 16)
        s = v128.load32_splat(p)
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

/** Panels that are summed at a time: enough to pay for the sums, few enough to stay near. */
const TOGETHER = 32
/** Room for eight rows of them, TOGETHER · 256 bytes between the constants of the module and what is allocated: see RESERVED in ../wasm-ops.ts. */
const TURNED: usize = 4096

/**
 * out[m][k] += a[m] · b[k]ᵀ, summed over all panels, `out` being columns of weights that have `columns` of them; m in fours. Eight rows of `a` are turned
 * at a time, so that sums stand as weights do; up to three rows are read beyond those of `b`.
 */
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
  const nextA = (<usize>aStep) << 5
  const nextB = (<usize>bStep) << 5
  for (let from = 0; from < panels; from += TOGETHER) {
    const count = min(panels - from, TOGETHER)
    for (let i = 0; i < m; i += 8) {
      turn(a + ((<usize>i) << 5), nextA, count)
      if (i + 4 < m) turn(a + ((<usize>(i + 4)) << 5), nextA, count, 16)
      accumulateRows(out + <usize>(i * columns) * 4, (<usize>columns) << 4, b, nextB, k, count, i + 4 < m)
    }
    a += <usize>count * nextA
    b += <usize>count * nextB
  }
}

/** Writes four rows of so many panels side by side, example after example. */
function turn(a: usize, nextA: usize, panels: i32, shift: usize = 0): void {
  let to = TURNED + shift
  for (let panel = 0; panel < panels; panel++, a += nextA)
    for (let p = a; p < a + 32; p += 16) {
      const r0 = v128.load(p)
      const r1 = v128.load(p, 32)
      const r2 = v128.load(p, 64)
      const r3 = v128.load(p, 96)
      const s0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
      const s1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
      const s2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
      const s3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
      v128.store(to, v128.shuffle<f32>(s0, s1, 0, 1, 4, 5))
      v128.store(to, v128.shuffle<f32>(s0, s1, 2, 3, 6, 7), 32)
      v128.store(to, v128.shuffle<f32>(s2, s3, 0, 1, 4, 5), 64)
      v128.store(to, v128.shuffle<f32>(s2, s3, 2, 3, 6, 7), 96)
      to += 128
    }
}

/** out += turned rows · bᵀ: four rows, or eight with the other four in the next block of weights. */
function accumulateRows(out: usize, block: usize, b: usize, nextB: usize, k: i32, panels: i32, isEight: bool): void {
  const last = TURNED + ((<usize>panels) << 8)
  for (let j = 0; j < k; j += 4) {
    let c0 = f32x4.splat(0),
      c1 = f32x4.splat(0)
    let d0 = f32x4.splat(0),
      d1 = f32x4.splat(0)
    let e0 = f32x4.splat(0),
      e1 = f32x4.splat(0)
    let f0 = f32x4.splat(0),
      f1 = f32x4.splat(0)
    let b0: v128, b1: v128, s: v128
    let q = TURNED
    let panel = b + ((<usize>j) << 5)
    while (q < last) {
      let p = panel
      b0 = v128.load(q)
      b1 = v128.load(q, 16)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 32)
      b1 = v128.load(q, 48)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 64)
      b1 = v128.load(q, 80)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 96)
      b1 = v128.load(q, 112)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 128)
      b1 = v128.load(q, 144)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 160)
      b1 = v128.load(q, 176)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 192)
      b1 = v128.load(q, 208)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      p += 4
      b0 = v128.load(q, 224)
      b1 = v128.load(q, 240)
      s = v128.load32_splat(p)
      c0 = f32x4.add(c0, f32x4.mul(s, b0))
      c1 = f32x4.add(c1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 32)
      d0 = f32x4.add(d0, f32x4.mul(s, b0))
      d1 = f32x4.add(d1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 64)
      e0 = f32x4.add(e0, f32x4.mul(s, b0))
      e1 = f32x4.add(e1, f32x4.mul(s, b1))
      s = v128.load32_splat(p, 96)
      f0 = f32x4.add(f0, f32x4.mul(s, b0))
      f1 = f32x4.add(f1, f32x4.mul(s, b1))
      q += 256
      panel += nextB
    }
    const to = out + ((<usize>j) << 4)
    add(to, c0)
    if (isEight) add(to + block, c1)
    if (j + 1 < k) {
      add(to + 16, d0)
      if (isEight) add(to + 16 + block, d1)
    }
    if (j + 2 < k) {
      add(to + 32, e0)
      if (isEight) add(to + 32 + block, e1)
    }
    if (j + 3 < k) {
      add(to + 48, f0)
      if (isEight) add(to + 48 + block, f1)
    }
  }
}

function add(to: usize, value: v128): void {
  v128.store(to, f32x4.add(v128.load(to), value))
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
