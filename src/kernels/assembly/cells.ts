import { sigmoids, tanhs, throughSigmoid, throughTanh } from './gates'
import { multiply } from './products'

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
  const nextGates = (<usize>gatesStep) << 5
  const length = (<usize>units) << 5
  for (let j = 0; j < panels; j++) {
    const panel = <usize>j * nextGates
    let c = gates + panel
    // Panel by panel, so that the gates are still near when they are squashed.
    multiply(c, gatesStep, packed, z + <usize>j * ((<usize>zStep) << 5), zStep, units << 2, k, 1, start + panel)
    sigmoids(c, 32, 128, units)
    tanhs(c + 64, 128, 256, units >> 1)
    sigmoids(c + 96, 128, 256, units >> 1)
    const first = <usize>j * length
    const last = first + length
    let at = first
    for (let from = c; at < last; at += 32, from += 128)
      for (let half: usize = 0; half < 32; half += 16) {
        const kept = f32x4.mul(v128.load(from + half, 32), v128.load(before + at + half))
        const value = f32x4.add(kept, f32x4.mul(v128.load(from + half), v128.load(from + half, 64)))
        v128.store(state + at + half, value)
        v128.store(squashed + at + half, value)
      }
    tanhs(squashed + first, 32, 64, units >> 1)
    let to = hidden + <usize>j * ((<usize>hiddenStep) << 5)
    for (at = squashed + first; at < squashed + last; at += 32, c += 128, to += 32) {
      v128.store(to, f32x4.mul(v128.load(c, 96), v128.load(at)))
      v128.store(to, f32x4.mul(v128.load(c, 112), v128.load(at, 16)), 16)
    }
  }
}

/** Back through the gates of a step: `gates` become gradients before the gates; dState goes to the step before. */
export function lstmBackward(
  gates: usize,
  gatesStep: i32,
  dState: usize,
  dHidden: usize,
  squashed: usize,
  before: usize,
  units: i32,
  panels: i32,
): void {
  let row: usize = 0
  for (let panel = 0; panel < panels; panel++) {
    let c = gates + <usize>panel * ((<usize>gatesStep) << 5)
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
        v128.store(c, throughSigmoid(f32x4.mul(dc, g), i))
        v128.store(c, throughSigmoid(f32x4.mul(dc, v128.load(before + at)), f), 32)
        v128.store(c, throughTanh(f32x4.mul(dc, i), g), 64)
        v128.store(c, throughSigmoid(f32x4.mul(dh, t), o), 96)
        c += 16
      }
      row += 32
      c += 96
    }
  }
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
    let panelX = x
    let panelH = before
    for (let j = 0; j < panels; j++) {
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
      v128.store(c, r0)
      v128.store(c, r1, 16)
      v128.store(c, z0, 32)
      v128.store(c, z1, 48)
      v128.store(c, x0, 64)
      v128.store(c, x1, 80)
      v128.store(c, h0, 96)
      v128.store(c, h1, 112)
      at4 += next
      panelX += (<usize>xStep) << 5
      panelH += (<usize>beforeStep) << 5
    }
  }
  for (let j = 0; j < panels; j++) {
    const first = gates + <usize>j * next
    const last = first + ((<usize>units) << 7)
    sigmoids(first, 32, 128, units)
    for (let c = first; c < last; c += 128) {
      v128.store(c, f32x4.add(v128.load(c, 64), f32x4.mul(v128.load(c), v128.load(c, 96))), 64)
      v128.store(c, f32x4.add(v128.load(c, 80), f32x4.mul(v128.load(c, 16), v128.load(c, 112))), 80)
    }
    tanhs(first + 64, 128, 256, units >> 1)
    let to = hidden + <usize>j * ((<usize>hiddenStep) << 5)
    let from = before + <usize>j * ((<usize>beforeStep) << 5)
    for (let c = first; c < last; c += 128, from += 32, to += 32) {
      // n + z (before − n)
      const n0 = v128.load(c, 64)
      const n1 = v128.load(c, 80)
      v128.store(to, f32x4.add(n0, f32x4.mul(v128.load(c, 32), f32x4.sub(v128.load(from), n0))))
      v128.store(to, f32x4.add(n1, f32x4.mul(v128.load(c, 48), f32x4.sub(v128.load(from, 16), n1))), 16)
    }
  }
}

/** `gates` become gradients (r, z, x, h); dHidden becomes what goes straight to the step before. */
export function gruBackward(
  gates: usize,
  gatesStep: i32,
  dHidden: usize,
  before: usize,
  beforeStep: i32,
  units: i32,
  panels: i32,
): void {
  let d = dHidden
  for (let panel = 0; panel < panels; panel++) {
    let c = gates + <usize>panel * ((<usize>gatesStep) << 5)
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
        v128.store(c, throughSigmoid(f32x4.mul(dn, h), r))
        v128.store(c, throughSigmoid(f32x4.mul(dh, f32x4.sub(v128.load(last), n)), z), 32)
        v128.store(c, dn, 64)
        v128.store(c, f32x4.mul(dn, r), 96)
        c += 16
        last += 16
      }
      c += 96
    }
  }
}

/** hidden = tanh(gates). */
export function rnnForward(hidden: usize, hiddenStep: i32, gates: usize, gatesStep: i32, units: i32, panels: i32): void {
  for (let panel = 0; panel < panels; panel++) {
    const to = hidden + <usize>panel * ((<usize>hiddenStep) << 5)
    const at = gates + <usize>panel * ((<usize>gatesStep) << 5)
    for (let row: usize = 0; row < (<usize>units) << 5; row += 16) v128.store(to + row, v128.load(at + row))
    tanhs(to, 32, 64, units >> 1)
  }
}

/** gates = dHidden · (1 − hidden²). */
export function rnnBackward(
  gates: usize,
  gatesStep: i32,
  dHidden: usize,
  hidden: usize,
  hiddenStep: i32,
  units: i32,
  panels: i32,
): void {
  let d = dHidden
  for (let panel = 0; panel < panels; panel++) {
    let to = gates + <usize>panel * ((<usize>gatesStep) << 5)
    let at = hidden + <usize>panel * ((<usize>hiddenStep) << 5)
    for (const end = d + ((<usize>units) << 5); d < end; d += 16, at += 16, to += 16)
      v128.store(to, throughTanh(v128.load(d), v128.load(at)))
  }
}
