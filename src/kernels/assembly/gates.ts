/** Of tanh: bounds, five of the numerator and five of the denominator; then of ½ tanh(x / 2), and the ½ that makes a sigmoid of it. */
const COEFFICIENTS: usize = memory.data<f32>([
  8.6, -8.6, 1.39123441e-8, 2.09913328e-5, 0.00351803673, 0.133996811, 0.999999939, 7.99863296e-7, 0.000332288175, 0.0259616218,
  0.4673299, 1, 17.2, -17.2, 1.35862735e-11, 8.19973938e-8, 5.49693239e-5, 0.00837480069, 0.24999998475, 3.12446594e-9,
  5.19200273e-6, 0.0016226013625, 0.116832475, 1, 0.5,
])
/** The same in every lane, in memory: a constant of four lanes would be put together anew by several instructions wherever it is used. */
const TANH: usize = memory.data(25 * 16, 16)
const SIGMOID: usize = TANH + 12 * 16
for (let i: usize = 0; i < 25; i++) v128.store(TANH + (i << 4), v128.load32_splat(COEFFICIENTS + (i << 2)))

/**
 * In place, of `groups` of four vectors, two at `at` and two `apart` from there, groups `step` apart: x P(x²) / Q(x²) of degree 9 over 8, x held between
 * the bounds of `table`. Four side by side, for one alone waits for each of its steps.
 */
function squash(at: usize, apart: usize, step: usize, groups: i32, table: usize, isSigmoid: bool): void {
  for (let group = 0; group < groups; group++) {
    const to = at + apart
    // pmin and pmax are one instruction each; min and max, which care for the sign of zero, are many.
    let k = v128.load(table)
    let x0 = f32x4.pmin(v128.load(at), k)
    let x1 = f32x4.pmin(v128.load(at, 16), k)
    let x2 = f32x4.pmin(v128.load(to), k)
    let x3 = f32x4.pmin(v128.load(to, 16), k)
    k = v128.load(table, 16)
    x0 = f32x4.pmax(x0, k)
    x1 = f32x4.pmax(x1, k)
    x2 = f32x4.pmax(x2, k)
    x3 = f32x4.pmax(x3, k)
    const y0 = f32x4.mul(x0, x0)
    const y1 = f32x4.mul(x1, x1)
    const y2 = f32x4.mul(x2, x2)
    const y3 = f32x4.mul(x3, x3)
    k = v128.load(table, 32)
    let p0 = f32x4.mul(y0, k)
    let p1 = f32x4.mul(y1, k)
    let p2 = f32x4.mul(y2, k)
    let p3 = f32x4.mul(y3, k)
    k = v128.load(table, 48)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 64)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 80)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 96)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    x0 = f32x4.mul(x0, p0)
    x1 = f32x4.mul(x1, p1)
    x2 = f32x4.mul(x2, p2)
    x3 = f32x4.mul(x3, p3)
    k = v128.load(table, 112)
    p0 = f32x4.mul(y0, k)
    p1 = f32x4.mul(y1, k)
    p2 = f32x4.mul(y2, k)
    p3 = f32x4.mul(y3, k)
    k = v128.load(table, 128)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 144)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 160)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    p0 = f32x4.mul(p0, y0)
    p1 = f32x4.mul(p1, y1)
    p2 = f32x4.mul(p2, y2)
    p3 = f32x4.mul(p3, y3)
    k = v128.load(table, 176)
    p0 = f32x4.add(p0, k)
    p1 = f32x4.add(p1, k)
    p2 = f32x4.add(p2, k)
    p3 = f32x4.add(p3, k)
    x0 = f32x4.div(x0, p0)
    x1 = f32x4.div(x1, p1)
    x2 = f32x4.div(x2, p2)
    x3 = f32x4.div(x3, p3)
    if (isSigmoid) {
      k = v128.load(table, 192)
      x0 = f32x4.add(x0, k)
      x1 = f32x4.add(x1, k)
      x2 = f32x4.add(x2, k)
      x3 = f32x4.add(x3, k)
    }
    v128.store(at, x0)
    v128.store(at, x1, 16)
    v128.store(to, x2)
    v128.store(to, x3, 16)
    at += step
  }
}

/** ½ tanh(x / 2) + ½ of vectors as `squash` has them. */
export function sigmoids(at: usize, apart: usize, step: usize, groups: i32): void {
  squash(at, apart, step, groups, SIGMOID, true)
}

/** A least-maximum fit of our own: error 1.2e-8 up to 8.6, where tanh is 1 in single precision; 3.4e-7 with its rounding. */
export function tanhs(at: usize, apart: usize, step: usize, groups: i32): void {
  squash(at, apart, step, groups, TANH, false)
}

/** d · s (1 − s): through a sigmoid whose value was s. */
export function throughSigmoid(d: v128, s: v128): v128 {
  return f32x4.mul(d, f32x4.sub(s, f32x4.mul(s, s)))
}

/** d · (1 − t²): through a tanh whose value was t. */
export function throughTanh(d: v128, t: v128): v128 {
  return f32x4.sub(d, f32x4.mul(d, f32x4.mul(t, t)))
}

export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}
