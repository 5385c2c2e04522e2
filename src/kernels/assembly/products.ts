/**
 * Weights stand in blocks of four rows, column by column: weights[row / 4][column][row % 4]. Sheets stand in panels of eight: sheet[panel][row][8],
 * panels `…Step` rows apart.
 */

/** out[m] = weights[m][k] · b[k], and `start` (which has the steps of `out` and may be it) unless it is 0; m in fours. */
export function multiply(
  out: usize,
  outStep: i32,
  weights: usize,
  b: usize,
  bStep: i32,
  m: i32,
  k: i32,
  panels: i32,
  start: usize,
): void {
  const block = (<usize>k) << 4
  const nextOut = (<usize>outStep) << 5
  const nextB = (<usize>bStep) << 5
  // Columns after the first, in fours.
  const turns = (<usize>(k - 1) >> 2) << 6
  for (let j = 0; j < panels; j++) {
    const panel = b + <usize>j * nextB
    let c = <usize>j * nextOut
    let a = weights
    for (let i = 0; i < m; i += 4) {
      const end = a + block
      let c0 = f32x4.splat(0),
        c1 = f32x4.splat(0)
      let d0 = f32x4.splat(0),
        d1 = f32x4.splat(0)
      let e0 = f32x4.splat(0),
        e1 = f32x4.splat(0)
      let f0 = f32x4.splat(0),
        f1 = f32x4.splat(0)
      if (start) {
        const from = start + c
        c0 = v128.load(from)
        c1 = v128.load(from, 16)
        d0 = v128.load(from, 32)
        d1 = v128.load(from, 48)
        e0 = v128.load(from, 64)
        e1 = v128.load(from, 80)
        f0 = v128.load(from, 96)
        f1 = v128.load(from, 112)
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
      const fours = p + turns
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
      const to = out + c
      v128.store(to, c0)
      v128.store(to, c1, 16)
      v128.store(to, d0, 32)
      v128.store(to, d1, 48)
      v128.store(to, e0, 64)
      v128.store(to, e1, 80)
      v128.store(to, f0, 96)
      v128.store(to, f1, 112)
      c += 128
      a = end
    }
  }
}

/** Panels that are summed at a time: enough to pay for the sums, few enough to stay near. */
const TOGETHER = 32
/** Room for eight rows of them, TOGETHER · 256 bytes between the constants of the module and what is allocated: see RESERVED in ../wasm-ops.ts. */
const TURNED: usize = 4096

/**
 * out[m][k] += a[m] · b[k]ᵀ, summed over all panels, `out` being columns of weights that have `columns` of them; m in fours. Eight rows of `a` are turned
 * at a time, so that sums stand as weights do; up to three rows are read beyond those of `b`. Unless it is 0, sums[m] += sums of the rows of a[m].
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
  sums: usize,
): void {
  const block = (<usize>columns) << 4
  const nextA = (<usize>aStep) << 5
  const nextB = (<usize>bStep) << 5
  for (let from = 0; from < panels; from += TOGETHER) {
    const count = min(panels - from, TOGETHER)
    let to = out
    for (let i = 0; i < m; i += 8) {
      const rows = a + ((<usize>i) << 5)
      const sum = sums ? sums + ((<usize>i) << 2) : 0
      turn(TURNED, rows, nextA, count, sum)
      if (i + 4 < m) turn(TURNED + 16, rows + 128, nextA, count, sum ? sum + 16 : 0)
      accumulateRows(to, i + 4 < m ? block : 0, b, nextB, k, count)
      to += block << 1
    }
    a += <usize>count * nextA
    b += <usize>count * nextB
  }
}

/** Writes four rows of so many panels side by side, example after example, and adds their sums to `sums` unless it is 0. */
function turn(to: usize, a: usize, nextA: usize, panels: i32, sums: usize): void {
  let t0 = f32x4.splat(0),
    t1 = f32x4.splat(0),
    t2 = f32x4.splat(0),
    t3 = f32x4.splat(0)
  for (let panel = 0; panel < panels; panel++, a += nextA)
    for (let p = a; p < a + 32; p += 16) {
      const r0 = v128.load(p)
      const r1 = v128.load(p, 32)
      const r2 = v128.load(p, 64)
      const r3 = v128.load(p, 96)
      t0 = f32x4.add(t0, r0)
      t1 = f32x4.add(t1, r1)
      t2 = f32x4.add(t2, r2)
      t3 = f32x4.add(t3, r3)
      turnFour(to, 32, r0, r1, r2, r3)
      to += 128
    }
  if (sums) add(sums, sumEach(t0, t1, t2, t3))
}

/** Writes four rows of four as columns, `step` apart. */
function turnFour(to: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
  v128.store(to + step, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7))
  v128.store(to + 2 * step, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5))
  v128.store(to + 3 * step, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7))
}

/** The sums of the lanes of four vectors. */
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}

/** out += turned rows · bᵀ: four rows, or eight with the other four `block` later unless that is 0. */
function accumulateRows(out: usize, block: usize, b: usize, nextB: usize, k: i32, panels: i32): void {
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
    if (block) add(to + block, c1)
    if (j + 1 < k) {
      add(to + 16, d0)
      if (block) add(to + 16 + block, d1)
    }
    if (j + 2 < k) {
      add(to + 32, e0)
      if (block) add(to + 32 + block, e1)
    }
    if (j + 3 < k) {
      add(to + 48, f0)
      if (block) add(to + 48 + block, f1)
    }
  }
}

function add(to: usize, value: v128): void {
  v128.store(to, f32x4.add(v128.load(to), value))
}

/** out[column][row] = weights[row][from + column], both as weights; rows and columns in fours, `all` columns in `weights`. */
export function transpose(out: usize, weights: usize, rows: i32, from: i32, columns: i32, all: i32): void {
  for (let i = 0; i < rows; i += 4)
    for (let j = 0; j < columns; j += 4) {
      const at = weights + ((<usize>((i >> 2) * all + from + j)) << 4)
      const to = out + ((<usize>((j >> 2) * rows + i)) << 4)
      turnFour(to, 16, v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48))
    }
}

/** out[m] += all panels of a[m], one after another to the panels of `out` in turn; it has the steps of `a`. */
export function addPanels(out: usize, a: usize, step: i32, m: i32, outPanels: i32, panels: i32): void {
  const next = (<usize>step) << 5
  const end = a + <usize>panels * next
  for (let panel = 0; panel < outPanels; panel++) {
    const first = <usize>panel * next
    for (let at = first; at < first + ((<usize>m) << 5); at += 16) {
      let sum = v128.load(out + at)
      for (let from = a + at; from < end; from += <usize>outPanels * next) sum = f32x4.add(sum, v128.load(from))
      v128.store(out + at, sum)
    }
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
