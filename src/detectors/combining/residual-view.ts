import { factorCholesky, solveCholesky } from '../../math/cholesky.ts'
import { clamp } from '../../math/clamp.ts'
import { copyState } from '../../state.ts'
import type { View } from './level-view.ts'
import { FARTHEST } from './level-view.ts'

/** Plain data, of one size. */
export interface ResidualState {
  /** Standardised last values, newest first; a value that was far from expected is here as the limit of what is believed. */
  lags: Float64Array
  weights: Float64Array
  /** Lower triangle of the moments of the lags and a one, row after row, and their products with the value. */
  moments: Float64Array
  products: Float64Array
  /** Rows, mean, variance, squared residual, row of the next fit, whether fitted. */
  n: Float64Array
}

const LAGS = 10
const SIZE = LAGS + 1
const [ROWS, MEAN, VARIANCE, RESIDUAL, NEXT_FIT, FITTED] = [0, 1, 2, 3, 4, 5]
/** Rows that are remembered: by mean and variance, by the moments, by the scale of residuals. */
const MEMORY = 20_000
const MOMENTS_MEMORY = 50_000
const RESIDUAL_MEMORY = 5000
const CLIP = 5
const RIDGE = 1e-4
const FIRST_FIT = 200
/** Later fits come when the rows have doubled, then every so many. */
const REFIT = 4000
const FLAT = 1e-4
const FLOOR = 1e-6

/** Residual of a ridge autoregression over ten rows, in its own scale; clipped errors teach, so that a fault is not learned as normal. */
export function openResidualView(snapshot?: ResidualState): View<ResidualState> {
  const m: ResidualState = snapshot
    ? copyState(snapshot)
    : {
        lags: new Float64Array(LAGS),
        weights: new Float64Array(SIZE),
        moments: new Float64Array((SIZE * (SIZE + 1)) / 2),
        products: new Float64Array(SIZE),
        n: Float64Array.of(0, 0, 0, 0, FIRST_FIT, 0),
      }
  const { lags, weights, moments, products, n } = m
  const spread = () => Math.sqrt(n[VARIANCE]) + FLOOR * Math.abs(n[MEAN]) + 1e-30

  function fit(): void {
    const matrix = new Float64Array(SIZE * SIZE)
    let at = 0
    for (let i = 0; i < SIZE; i++) for (let j = 0; j <= i; j++) matrix[i * SIZE + j] = moments[at++]
    const equations = matrix[SIZE * SIZE - 1]
    factorCholesky(matrix, SIZE, RIDGE * equations + 1e-9, matrix)
    weights.set(products)
    solveCholesky(matrix, SIZE, weights)
    if (n[FITTED] === 0) n[RESIDUAL] = 0.01
    n[FITTED] = 1
  }

  function predict(): number {
    let sum = weights[LAGS]
    for (let i = 0; i < LAGS; i++) sum += weights[i] * lags[i]
    return sum
  }

  return {
    look(_time, value) {
      if (n[FITTED] === 0) return 0
      const error = Math.abs((value - n[MEAN]) / spread() - predict())
      return Math.min(FARTHEST, error / (Math.sqrt(n[RESIDUAL]) + FLAT))
    },
    learn(_time, value) {
      const rows = (n[ROWS] = Math.min(n[ROWS] + 1, 1e9))
      if (rows === 1) n[MEAN] = value
      const limit = rows > 50 ? CLIP * spread() + FLOOR * Math.abs(value) : Infinity
      const deviation = clamp(value - n[MEAN], -limit, limit)
      const gain = 1 / Math.min(rows, MEMORY)
      n[MEAN] += gain * deviation
      n[VARIANCE] += gain * (deviation * deviation - n[VARIANCE])
      let taught = clamp((value - n[MEAN]) / spread(), -20, 20)
      if (n[FITTED] === 1) {
        const expected = predict()
        const most = CLIP * (Math.sqrt(n[RESIDUAL]) + FLAT)
        const error = clamp(taught - expected, -most, most)
        n[RESIDUAL] += (error * error - n[RESIDUAL]) / RESIDUAL_MEMORY
        taught = clamp(expected + error, -20, 20)
      }
      if (rows > LAGS) {
        const keep = 1 - 1 / MOMENTS_MEMORY
        let at = 0
        for (let i = 0; i < LAGS; i++) {
          const x = lags[i]
          for (let j = 0; j <= i; j++, at++) moments[at] = moments[at] * keep + x * lags[j]
          products[i] = products[i] * keep + x * taught
        }
        for (let j = 0; j < LAGS; j++, at++) moments[at] = moments[at] * keep + lags[j]
        moments[at] = moments[at] * keep + 1
        products[LAGS] = products[LAGS] * keep + taught
      }
      for (let i = LAGS - 1; i > 0; i--) lags[i] = lags[i - 1]
      lags[0] = taught
      if (rows >= n[NEXT_FIT]) {
        n[NEXT_FIT] = Math.min(2 * rows, rows + REFIT)
        fit()
      }
    },
    snapshot: () => copyState(m),
  }
}
