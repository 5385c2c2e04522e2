// Layouts and meanings stand in ../histogram.ts, which has the only calls.

const PAIR: usize = 16
const COLUMN: usize = 256 * PAIR
const MISSING: usize = 255

function add(histogram: usize, bin: usize, pair: v128): void {
  const at = histogram + bin * PAIR
  v128.store(at, f64x2.add(v128.load(at), pair))
}

/** Adds the gradients of rows[from … to) to the histograms of the eight columns of a block. */
export function accumulateHistograms(bins: usize, rows: usize, from: u32, to: u32, gradients: usize, histograms: usize): void {
  for (let i = from; i < to; i++) {
    const row = <usize>load<u32>(rows + ((<usize>i) << 2))
    const pair = f64x2.promote_low_f32x4(v128.load64_zero(gradients + (row << 3)))
    const at = bins + (row << 3)
    add(histograms, <usize>load<u8>(at, 0), pair)
    add(histograms + COLUMN, <usize>load<u8>(at, 1), pair)
    add(histograms + 2 * COLUMN, <usize>load<u8>(at, 2), pair)
    add(histograms + 3 * COLUMN, <usize>load<u8>(at, 3), pair)
    add(histograms + 4 * COLUMN, <usize>load<u8>(at, 4), pair)
    add(histograms + 5 * COLUMN, <usize>load<u8>(at, 5), pair)
    add(histograms + 6 * COLUMN, <usize>load<u8>(at, 6), pair)
    add(histograms + 7 * COLUMN, <usize>load<u8>(at, 7), pair)
  }
}

/** whole −= part, both `bytes` long. */
export function subtractHistograms(whole: usize, part: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 2 * PAIR) {
    v128.store(whole + at, f64x2.sub(v128.load(whole + at), v128.load(part + at)))
    v128.store(whole + at + PAIR, f64x2.sub(v128.load(whole + at + PAIR), v128.load(part + at + PAIR)))
  }
}

/** Sum of the gradients of rows[from … to), as a pair at `out`. */
export function sumGradients(rows: usize, from: u32, to: u32, gradients: usize, out: usize): void {
  let sum = f64x2.splat(0)
  for (let i = from; i < to; i++) {
    const row = <usize>load<u32>(rows + ((<usize>i) << 2))
    sum = f64x2.add(sum, f64x2.promote_low_f32x4(v128.load64_zero(gradients + (row << 3))))
  }
  v128.store(out, sum)
}

/** Puts the rows whose bin (of one column of a block) is at most `last` before the others, both in their order; returns how many they are. */
export function divideRows(bins: usize, rows: usize, from: u32, to: u32, last: u32, missingLeft: u32, spare: usize): u32 {
  let left = rows + ((<usize>from) << 2)
  let right = spare
  const start = left
  for (let i = from; i < to; i++) {
    const row = load<u32>(rows + ((<usize>i) << 2))
    const bin = <u32>load<u8>(bins + ((<usize>row) << 3))
    const goesLeft = <usize>select<u32>(missingLeft, <u32>(bin <= last), bin == <u32>MISSING)
    store<u32>(left, row)
    store<u32>(right, row)
    left += goesLeft << 2
    right += (1 - goesLeft) << 2
  }
  memory.copy(left, spare, right - spare)
  return <u32>((left - start) >> 2)
}

function shrink(gradient: f64, alpha: f64): f64 {
  return alpha == 0 ? gradient : copysign(max(abs(gradient) - alpha, 0), gradient)
}

/**
 * Looks for a better cut of one column than the one at `best`: gain (of the children alone), column, last bin of the left side, side of the missing (0 right, 1 left, 2 none were missing),
 * then the left pair; six f64.
 */
export function findCut(
  histogram: usize,
  bins: i32,
  column: i32,
  gradient: f64,
  hessian: f64,
  lambda: f64,
  alpha: f64,
  least: f64,
  best: usize,
): void {
  const missingGradient = load<f64>(histogram + MISSING * PAIR)
  const missingHessian = load<f64>(histogram + MISSING * PAIR, 8)
  const some = missingHessian > 1e-9
  let gain = load<f64>(best)
  for (let side = 0; side <= (some ? 1 : 0); side++) {
    let leftGradient = side == 1 ? missingGradient : 0
    let leftHessian = side == 1 ? missingHessian : 0
    // Behind the last bin stand only the missing.
    const cuts = some && side == 0 ? bins : bins - 1
    for (let bin = 0; bin < cuts; bin++) {
      const at = histogram + <usize>bin * PAIR
      leftGradient += load<f64>(at)
      leftHessian += load<f64>(at, 8)
      const rightHessian = hessian - leftHessian
      if (rightHessian < least) break
      if (leftHessian < least) continue
      const left = shrink(leftGradient, alpha)
      const right = shrink(gradient - leftGradient, alpha)
      const squares = f64x2.replace_lane(f64x2.splat(left * left), 1, right * right)
      const hessians = f64x2.replace_lane(f64x2.splat(leftHessian), 1, rightHessian)
      const quotients = f64x2.div(squares, f64x2.add(hessians, f64x2.splat(lambda)))
      const found = f64x2.extract_lane(quotients, 0) + f64x2.extract_lane(quotients, 1)
      if (found > gain) {
        gain = found
        store<f64>(best, found)
        store<f64>(best, <f64>column, 8)
        store<f64>(best, <f64>bin, 16)
        store<f64>(best, <f64>(some ? side : 2), 24)
        store<f64>(best, leftGradient, 32)
        store<f64>(best, leftHessian, 40)
      }
    }
  }
}
