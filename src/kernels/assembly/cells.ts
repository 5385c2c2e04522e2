import { sigmoid, tanh, throughSigmoid, throughTanh } from './gates'

/**
 * One step of an LSTM (Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000). `packed` holds for each unit the four rows of its
 * gates (input, forget, cell, output), k long; z[k] is input and earlier hidden state; `start` [units · 4] is added. Writes the values of the gates,
 * the state, its tanh and the hidden state. `start` has the steps of `gates`; states stand side by side.
 */
export function lstmForward(
  gates: usize,
  gatesStep: i32,
  state: usize,
  squashed: usize,
  hidden: usize,
  hiddenStep: i32,
  before: usize,
  start: usize,
  packed: usize,
  z: usize,
  zStep: i32,
  units: i32,
  k: i32,
  panels: i32,
): void {
  const block = (<usize>k) << 4
  const nextZ = (<usize>zStep) << 5
  const nextHidden = (<usize>hiddenStep) << 5
  const nextGates = (<usize>gatesStep) << 5
  const next = (<usize>units) << 5
  let a = packed
  for (let u = 0; u < units; u++) {
    const end = a + block
    let at = (<usize>u) << 5
    let at4 = at << 2
    let to = hidden + at
    let panel = z
    for (let j = 0; j < panels; j++) {
      let c = start + at4
      let i0 = v128.load(c)
      let i1 = v128.load(c, 16)
      let f0 = v128.load(c, 32)
      let f1 = v128.load(c, 48)
      let g0 = v128.load(c, 64)
      let g1 = v128.load(c, 80)
      let o0 = v128.load(c, 96)
      let o1 = v128.load(c, 112)
      let p = a
      let q = panel
      while (p < end) {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let s = v128.load32_splat(p)
        i0 = f32x4.add(i0, f32x4.mul(s, b0))
        i1 = f32x4.add(i1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 4)
        f0 = f32x4.add(f0, f32x4.mul(s, b0))
        f1 = f32x4.add(f1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 8)
        g0 = f32x4.add(g0, f32x4.mul(s, b0))
        g1 = f32x4.add(g1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 12)
        o0 = f32x4.add(o0, f32x4.mul(s, b0))
        o1 = f32x4.add(o1, f32x4.mul(s, b1))
        p += 16
        q += 32
      }
      c = gates + at4
      i0 = sigmoid(i0)
      v128.store(c, i0)
      i1 = sigmoid(i1)
      v128.store(c, i1, 16)
      f0 = sigmoid(f0)
      v128.store(c, f0, 32)
      f1 = sigmoid(f1)
      v128.store(c, f1, 48)
      g0 = tanh(g0)
      v128.store(c, g0, 64)
      g1 = tanh(g1)
      v128.store(c, g1, 80)
      o0 = sigmoid(o0)
      v128.store(c, o0, 96)
      o1 = sigmoid(o1)
      v128.store(c, o1, 112)
      f0 = f32x4.add(f32x4.mul(f0, v128.load(before + at)), f32x4.mul(i0, g0))
      f1 = f32x4.add(f32x4.mul(f1, v128.load(before + at, 16)), f32x4.mul(i1, g1))
      v128.store(state + at, f0)
      v128.store(state + at, f1, 16)
      f0 = tanh(f0)
      f1 = tanh(f1)
      v128.store(squashed + at, f0)
      v128.store(squashed + at, f1, 16)
      v128.store(to, f32x4.mul(o0, f0))
      v128.store(to, f32x4.mul(o1, f1), 16)
      at += next
      at4 += nextGates
      to += nextHidden
      panel += nextZ
    }
    a += block
  }
}

/** Back through the gates of a step: `gates` become gradients before the gates and are added to `sums`; dState goes to the step before. */
export function lstmBackward(
  gates: usize,
  gatesStep: i32,
  dState: usize,
  sums: usize,
  dHidden: usize,
  squashed: usize,
  before: usize,
  units: i32,
  panels: i32,
): void {
  let row: usize = 0
  for (let panel = 0; panel < panels; panel++) {
    let c = gates + <usize>panel * ((<usize>gatesStep) << 5)
    let sum = sums + <usize>panel * ((<usize>gatesStep) << 5)
    for (let u = 0; u < units; u++) {
      for (let at = row, end = row + 32; at < end; at += 16) {
        const i = v128.load(c)
        const f = v128.load(c, 32)
        const g = v128.load(c, 64)
        const o = v128.load(c, 96)
        const dh = v128.load(dHidden + at)
        const t = v128.load(squashed + at)
        const dc = f32x4.add(v128.load(dState + at), throughTanh(f32x4.mul(dh, o), t))
        v128.store(dState + at, f32x4.mul(dc, f))
        put(c, sum, throughSigmoid(f32x4.mul(dc, g), i))
        put(c + 32, sum + 32, throughSigmoid(f32x4.mul(dc, v128.load(before + at)), f))
        put(c + 64, sum + 64, throughTanh(f32x4.mul(dc, i), g))
        put(c + 96, sum + 96, throughSigmoid(f32x4.mul(dh, t), o))
        c += 16
        sum += 16
      }
      row += 32
      c += 96
      sum += 96
    }
  }
}

function put(to: usize, sum: usize, value: v128): void {
  v128.store(to, value)
  v128.store(sum, f32x4.add(v128.load(sum), value))
}

/**
 * One step of a GRU (Cho et al. 2014, with the reset gate after the product as in cuDNN): n = tanh(x + r · h), hidden = (1 − z) n + z before. The
 * packed rows of a unit are reset, update, new (and nought) for the input and reset, update, (nought and) new for the hidden state; `start` has the
 * rows r, z, x, h. Writes r, z, n and h into `gates`.
 */
export function gruForward(
  gates: usize,
  gatesStep: i32,
  hidden: usize,
  hiddenStep: i32,
  before: usize,
  beforeStep: i32,
  start: usize,
  packedInput: usize,
  x: usize,
  xStep: i32,
  inputs: i32,
  packedHidden: usize,
  units: i32,
  panels: i32,
): void {
  const next = (<usize>gatesStep) << 5
  for (let u = 0; u < units; u++) {
    let at4 = (<usize>u) << 7
    let to = hidden + ((<usize>u) << 5)
    let panelX = x
    let panelH = before
    for (let j = 0; j < panels; j++) {
      const last = panelH + ((<usize>u) << 5)
      let c = start + at4
      let r0 = v128.load(c)
      let r1 = v128.load(c, 16)
      let z0 = v128.load(c, 32)
      let z1 = v128.load(c, 48)
      let x0 = v128.load(c, 64)
      let x1 = v128.load(c, 80)
      let h0 = v128.load(c, 96)
      let h1 = v128.load(c, 112)
      let p = packedInput + ((<usize>(u * inputs)) << 4)
      let end = p + ((<usize>inputs) << 4)
      let q = panelX
      while (p < end) {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let s = v128.load32_splat(p)
        r0 = f32x4.add(r0, f32x4.mul(s, b0))
        r1 = f32x4.add(r1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 4)
        z0 = f32x4.add(z0, f32x4.mul(s, b0))
        z1 = f32x4.add(z1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 8)
        x0 = f32x4.add(x0, f32x4.mul(s, b0))
        x1 = f32x4.add(x1, f32x4.mul(s, b1))
        p += 16
        q += 32
      }
      p = packedHidden + ((<usize>(u * units)) << 4)
      end = p + ((<usize>units) << 4)
      q = panelH
      while (p < end) {
        const b0 = v128.load(q)
        const b1 = v128.load(q, 16)
        let s = v128.load32_splat(p)
        r0 = f32x4.add(r0, f32x4.mul(s, b0))
        r1 = f32x4.add(r1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 4)
        z0 = f32x4.add(z0, f32x4.mul(s, b0))
        z1 = f32x4.add(z1, f32x4.mul(s, b1))
        s = v128.load32_splat(p, 12)
        h0 = f32x4.add(h0, f32x4.mul(s, b0))
        h1 = f32x4.add(h1, f32x4.mul(s, b1))
        p += 16
        q += 32
      }
      c = gates + at4
      r0 = sigmoid(r0)
      v128.store(c, r0)
      r1 = sigmoid(r1)
      v128.store(c, r1, 16)
      z0 = sigmoid(z0)
      v128.store(c, z0, 32)
      z1 = sigmoid(z1)
      v128.store(c, z1, 48)
      x0 = tanh(f32x4.add(x0, f32x4.mul(r0, h0)))
      v128.store(c, x0, 64)
      x1 = tanh(f32x4.add(x1, f32x4.mul(r1, h1)))
      v128.store(c, x1, 80)
      v128.store(c, h0, 96)
      v128.store(c, h1, 112)
      // n + z (before − n)
      v128.store(to, f32x4.add(x0, f32x4.mul(z0, f32x4.sub(v128.load(last), x0))))
      v128.store(to, f32x4.add(x1, f32x4.mul(z1, f32x4.sub(v128.load(last, 16), x1))), 16)
      at4 += next
      to += (<usize>hiddenStep) << 5
      panelX += (<usize>xStep) << 5
      panelH += (<usize>beforeStep) << 5
    }
  }
}

/** `gates` become gradients (r, z, x, h) and are added to `sums`; dHidden becomes what goes straight to the step before. */
export function gruBackward(
  gates: usize,
  gatesStep: i32,
  dHidden: usize,
  sums: usize,
  before: usize,
  beforeStep: i32,
  units: i32,
  panels: i32,
): void {
  let d = dHidden
  for (let panel = 0; panel < panels; panel++) {
    let c = gates + <usize>panel * ((<usize>gatesStep) << 5)
    let sum = sums + <usize>panel * ((<usize>gatesStep) << 5)
    let last = before + <usize>panel * ((<usize>beforeStep) << 5)
    for (let u = 0; u < units; u++) {
      for (const end = d + 32; d < end; d += 16) {
        const r = v128.load(c)
        const z = v128.load(c, 32)
        const n = v128.load(c, 64)
        const h = v128.load(c, 96)
        const dh = v128.load(d)
        const dn = throughTanh(f32x4.sub(dh, f32x4.mul(dh, z)), n)
        v128.store(d, f32x4.mul(dh, z))
        put(c, sum, throughSigmoid(f32x4.mul(dn, h), r))
        put(c + 32, sum + 32, throughSigmoid(f32x4.mul(dh, f32x4.sub(v128.load(last), n)), z))
        put(c + 64, sum + 64, dn)
        put(c + 96, sum + 96, f32x4.mul(dn, r))
        c += 16
        sum += 16
        last += 16
      }
      c += 96
      sum += 96
    }
  }
}

/** hidden = tanh(gates). */
export function rnnForward(hidden: usize, hiddenStep: i32, gates: usize, gatesStep: i32, units: i32, panels: i32): void {
  for (let panel = 0; panel < panels; panel++) {
    let to = hidden + <usize>panel * ((<usize>hiddenStep) << 5)
    let at = gates + <usize>panel * ((<usize>gatesStep) << 5)
    for (const end = at + ((<usize>units) << 5); at < end; at += 16, to += 16) v128.store(to, tanh(v128.load(at)))
  }
}

/** gates = dHidden · (1 − hidden²), also added to `sums`. */
export function rnnBackward(
  gates: usize,
  gatesStep: i32,
  sums: usize,
  dHidden: usize,
  hidden: usize,
  hiddenStep: i32,
  units: i32,
  panels: i32,
): void {
  let d = dHidden
  for (let panel = 0; panel < panels; panel++) {
    let to = gates + <usize>panel * ((<usize>gatesStep) << 5)
    let sum = sums + <usize>panel * ((<usize>gatesStep) << 5)
    let at = hidden + <usize>panel * ((<usize>hiddenStep) << 5)
    for (const end = d + ((<usize>units) << 5); d < end; d += 16, at += 16, to += 16, sum += 16)
      put(to, sum, throughTanh(v128.load(d), v128.load(at)))
  }
}
