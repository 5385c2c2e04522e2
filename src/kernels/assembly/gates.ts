/** Coefficients, read from memory: a constant of four lanes would be put together anew by several instructions wherever it is used. */
const TANH: usize = memory.data<f32>([
  8.6, -8.6, 1.39123441e-8, 2.09913328e-5, 0.00351803673, 0.133996811, 0.999999939, 7.99863296e-7, 0.000332288175, 0.0259616218,
  0.4673299, 1,
])
/** Of ½ tanh(x / 2) + ½. */
const SIGMOID: usize = memory.data<f32>([
  17.2, -17.2, 1.35862735e-11, 8.19973938e-8, 5.49693239e-5, 0.00837480069, 0.24999998475, 3.12446594e-9, 5.19200273e-6,
  0.0016226013625, 0.116832475, 1, 0.5,
])

/** x P(x²) / Q(x²) of degree 9 over 8, x held between the first two numbers of `table`. */
function rational(x: v128, table: usize): v128 {
  // pmin and pmax are one instruction each; min and max, which care for the sign of zero, are many.
  const c = f32x4.pmax(f32x4.pmin(x, v128.load32_splat(table)), v128.load32_splat(table, 4))
  const y = f32x4.mul(c, c)
  let p = f32x4.add(f32x4.mul(y, v128.load32_splat(table, 8)), v128.load32_splat(table, 12))
  p = f32x4.add(f32x4.mul(p, y), v128.load32_splat(table, 16))
  p = f32x4.add(f32x4.mul(p, y), v128.load32_splat(table, 20))
  p = f32x4.add(f32x4.mul(p, y), v128.load32_splat(table, 24))
  let q = f32x4.add(f32x4.mul(y, v128.load32_splat(table, 28)), v128.load32_splat(table, 32))
  q = f32x4.add(f32x4.mul(q, y), v128.load32_splat(table, 36))
  q = f32x4.add(f32x4.mul(q, y), v128.load32_splat(table, 40))
  q = f32x4.add(f32x4.mul(q, y), v128.load32_splat(table, 44))
  return f32x4.div(f32x4.mul(c, p), q)
}

/** A least-maximum fit of our own: error 1.2e-8 up to 8.6, where tanh is 1 in single precision; 3.4e-7 with its rounding. */
export function tanh(x: v128): v128 {
  return rational(x, TANH)
}

export function sigmoid(x: v128): v128 {
  return f32x4.add(rational(x, SIGMOID), v128.load32_splat(SIGMOID, 48))
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
