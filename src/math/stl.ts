import { median } from './median.ts'

/** Windows are odd row counts; jumps evaluate the loess at each so many rows and draw lines between. */
export interface StlOptions {
  /** Rows of a season; at least two of them must be there. */
  readonly period: number
  /** Cycles that the season follows; default 7. */
  readonly seasonalWindow?: number
  /** Default: the least odd number from 1.5 · period / (1 − 1.5 / seasonalWindow). */
  readonly trendWindow?: number
  /** Default: the least odd number above the period. */
  readonly lowPassWindow?: number
  /** Default 1, for the trend and the low pass. */
  readonly jump?: number
  readonly seasonalJump?: number
  /** Passes of the inner loop; default 2 with outer passes and 5 without. */
  readonly inner?: number
  /** Passes that give outliers less weight; default 0. */
  readonly outer?: number
}

export interface Decomposition {
  readonly seasonal: Float64Array
  readonly trend: Float64Array
  /** Robustness weights, 1 without outer passes. */
  readonly weights: Float64Array
}

/** Seasonal-trend decomposition by loess (Cleveland, Cleveland, McRae & Terpenning 1990, sections 2 and 3), all loess locally linear. */
export function stl(values: Float64Array, options: StlOptions): Decomposition {
  const { period, seasonalWindow = 7, lowPassWindow = odd(period + 1), jump = 1, seasonalJump = 1, outer = 0 } = options
  const { trendWindow = odd(Math.ceil((1.5 * period) / (1 - 1.5 / seasonalWindow))), inner = outer > 0 ? 2 : 5 } = options
  const n = values.length
  if (!(period >= 2 && n >= 2 * period)) throw new RangeError(`values must hold two periods of ${period}, got ${n}`)
  const seasonal = new Float64Array(n)
  const trend = new Float64Array(n)
  const weights = new Float64Array(n).fill(1)
  const rest = new Float64Array(n)
  const cycles = new Float64Array(n + 2 * period)
  const averaged = new Float64Array(n + 2 * period)
  const low = new Float64Array(n)
  for (let round = 0; ; round++) {
    const given = round > 0 ? weights : undefined
    for (let pass = 0; pass < inner; pass++) {
      for (let i = 0; i < n; i++) rest[i] = values[i] - trend[i]
      smoothCycles(rest, period, seasonalWindow, seasonalJump, given, cycles)
      // Two moving means of a period and one of three leave what is no season.
      averaged.set(cycles)
      let length = movingMean(averaged, n + 2 * period, period)
      length = movingMean(averaged, length, period)
      movingMean(averaged, length, 3)
      loess(averaged, n, lowPassWindow, jump, undefined, low, 0)
      for (let i = 0; i < n; i++) seasonal[i] = cycles[period + i] - low[i]
      for (let i = 0; i < n; i++) rest[i] = values[i] - seasonal[i]
      loess(rest, n, trendWindow, jump, given, trend, 0)
    }
    if (round >= outer) return { seasonal, trend, weights }
    weigh(values, seasonal, trend, weights)
  }
}

function odd(value: number): number {
  return value % 2 === 0 ? value + 1 : value
}

/** Bisquare weights of the remainders over six medians (section 2.5 there). */
function weigh(values: Float64Array, seasonal: Float64Array, trend: Float64Array, weights: Float64Array): void {
  for (let i = 0; i < values.length; i++) weights[i] = Math.abs(values[i] - seasonal[i] - trend[i])
  const limit = 6 * median(weights)
  for (let i = 0; i < weights.length; i++) {
    const r = weights[i]
    weights[i] = r <= 0.001 * limit ? 1 : r <= 0.999 * limit ? (1 - (r / limit) ** 2) ** 2 : 0
  }
}

/** Means of `window` neighbours, in place; returns how many there are. */
function movingMean(values: Float64Array, length: number, window: number): number {
  let sum = 0
  for (let i = 0; i < window; i++) sum += values[i]
  const count = length - window + 1
  for (let i = 0; i < count; i++) {
    const mean = sum / window
    if (i + window < length) sum += values[i + window] - values[i]
    values[i] = mean
  }
  return count
}

/** Smooths the values of each place in the season over the cycles, one cycle further on both sides. */
function smoothCycles(
  values: Float64Array,
  period: number,
  window: number,
  jump: number,
  weights: Float64Array | undefined,
  out: Float64Array,
): void {
  const most = Math.ceil(values.length / period)
  const cycle = new Float64Array(most)
  const cycleWeights = weights ? new Float64Array(most) : undefined
  const smooth = new Float64Array(most + 2)
  for (let j = 0; j < period; j++) {
    const k = Math.floor((values.length - 1 - j) / period) + 1
    for (let i = 0; i < k; i++) cycle[i] = values[i * period + j]
    if (weights && cycleWeights) for (let i = 0; i < k; i++) cycleWeights[i] = weights[i * period + j]
    loess(cycle, k, window, jump, cycleWeights, smooth, 1)
    const before = fitAt(cycle, k, window, -1, 0, Math.min(window, k) - 1, cycleWeights)
    const after = fitAt(cycle, k, window, k, Math.max(0, k - window), k - 1, cycleWeights)
    smooth[0] = Number.isNaN(before) ? smooth[1] : before
    smooth[k + 1] = Number.isNaN(after) ? smooth[k] : after
    for (let i = 0; i < k + 2; i++) out[i * period + j] = smooth[i]
  }
}

/** Locally linear regression at every row, written from `at` on. */
function loess(
  y: Float64Array,
  n: number,
  window: number,
  jump: number,
  weights: Float64Array | undefined,
  out: Float64Array,
  at: number,
): void {
  const step = Math.min(jump, n - 1)
  const half = (window + 1) >> 1
  let left = 0
  let right = Math.min(window, n) - 1
  const put = (i: number) => {
    const fitted = fitAt(y, n, window, i, left, right, weights)
    out[at + i] = Number.isNaN(fitted) ? y[i] : fitted
  }
  for (let i = 0; i < n; i += step) {
    if (window < n) {
      left = Math.max(0, Math.min(i - half + 1, n - window))
      right = left + window - 1
    }
    put(i)
  }
  if (step === 1) return
  const last = Math.floor((n - 1) / step) * step
  for (let i = 0; i < last; i += step) drawLine(out, at + i, at + i + step)
  if (last === n - 1) return
  put(n - 1)
  drawLine(out, at + last, at + n - 1)
}

function drawLine(values: Float64Array, from: number, to: number): void {
  const slope = (values[to] - values[from]) / (to - from)
  for (let i = from + 1; i < to; i++) values[i] = values[from] + slope * (i - from)
}

/** Tricube-weighted line through rows left … right, read at `x`; NaN when no row has weight. */
function fitAt(
  y: Float64Array,
  n: number,
  window: number,
  x: number,
  left: number,
  right: number,
  weights: Float64Array | undefined,
): number {
  const width = Math.max(x - left, right - x) + (window > n ? (window - n) >> 1 : 0)
  // Sums about x: of weights, distances, their squares, and both times the values.
  let sum = 0
  let first = 0
  let second = 0
  let plain = 0
  let sloped = 0
  for (let j = left; j <= right; j++) {
    const d = j - x
    const r = Math.abs(d)
    if (r > 0.999 * width) continue
    let w = 1
    if (r > 0.001 * width) {
      const share = r / width
      const cube = 1 - share * share * share
      w = cube * cube * cube
    }
    if (weights) w *= weights[j]
    sum += w
    first += w * d
    second += w * d * d
    plain += w * y[j]
    sloped += w * d * y[j]
  }
  if (!(sum > 0)) return NaN
  const centre = first / sum
  const spread = second / sum - centre * centre
  const mean = plain / sum
  if (!(width > 0) || !(Math.sqrt(Math.max(0, spread)) > 0.001 * (n - 1))) return mean
  return mean - (centre * (sloped / sum - centre * mean)) / spread
}
