import { sumLanes } from './gates'

/**
 * Of the first `rows` of each panel: dOut = factor · mask · (out − wanted); returns Σ mask · (out − wanted)². dOut has
 * the steps of `out`.
 */
export function squaredError(
  dOut: usize,
  out: usize,
  outStep: i32,
  wanted: usize,
  mask: usize,
  wantedStep: i32,
  maskStep: i32,
  rows: i32,
  panels: i32,
  factor: f32,
): f32 {
  let sum = f32x4.splat(0)
  const f = f32x4.splat(factor)
  for (let panel = 0; panel < panels; panel++) {
    let at = <usize>panel * ((<usize>outStep) << 5)
    let w = wanted + <usize>panel * ((<usize>wantedStep) << 5)
    let m = mask + <usize>panel * ((<usize>maskStep) << 5)
    for (const end = at + ((<usize>rows) << 5); at < end; at += 16, w += 16, m += 16) {
      const e = f32x4.sub(v128.load(out + at), v128.load(w))
      const me = f32x4.mul(e, v128.load(m))
      sum = f32x4.add(sum, f32x4.mul(me, e))
      v128.store(dOut + at, f32x4.mul(me, f))
    }
  }
  return sumLanes(sum)
}

/** Σ a². Size in fours. */
export function sumOfSquares(a: usize, size: i32): f32 {
  let sum = f32x4.splat(0)
  for (let at = a, end = a + ((<usize>size) << 2); at < end; at += 16) {
    const v = v128.load(at)
    sum = f32x4.add(sum, f32x4.mul(v, v))
  }
  return sumLanes(sum)
}

/** One step of Adam on `weights`, with gradients times `scale`. Size in fours. */
export function adam(
  weights: usize,
  gradients: usize,
  means: usize,
  squares: usize,
  size: i32,
  scale: f32,
  rate: f32,
  root: f32,
  keepMean: f32,
  keepSquare: f32,
  epsilon: f32,
): void {
  const all = (<usize>size) << 2
  const s = f32x4.splat(scale)
  const b1 = f32x4.splat(keepMean)
  const c1 = f32x4.splat(1 - keepMean)
  const b2 = f32x4.splat(keepSquare)
  const c2 = f32x4.splat(1 - keepSquare)
  const by = f32x4.splat(root)
  const e = f32x4.splat(epsilon)
  const r = f32x4.splat(rate)
  for (let at: usize = 0; at < all; at += 16) {
    const g = f32x4.mul(v128.load(gradients + at), s)
    const m = f32x4.add(f32x4.mul(v128.load(means + at), b1), f32x4.mul(g, c1))
    const v = f32x4.add(f32x4.mul(v128.load(squares + at), b2), f32x4.mul(f32x4.mul(g, g), c2))
    v128.store(means + at, m)
    v128.store(squares + at, v)
    const step = f32x4.div(f32x4.mul(r, m), f32x4.add(f32x4.mul(f32x4.sqrt(v), by), e))
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), step))
  }
}
