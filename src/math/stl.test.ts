import { describe, expect, it } from 'vitest'
import { mstl } from './mstl.ts'
import { stl } from './stl.ts'

const noise = (i: number) => (((Math.sin(i * 12.9898) * 43758.5453) % 1) + 1) % 1
const series = Float64Array.from(
  { length: 60 },
  (_, i) => 10 + 0.1 * i + 3 * Math.sin((2 * Math.PI * i) / 12) + noise(i) + (i === 30 ? 20 : 0),
)
const each = (values: Float64Array, step: number) => values.filter((_, i) => i % step === 0)

function expectNear(actual: Float64Array, wanted: readonly number[], digits: number): void {
  expect(actual).toHaveLength(wanted.length)
  wanted.forEach((value, i) => expect(actual[i], `value ${i}`).toBeCloseTo(value, digits))
}

/** Golden values: statsmodels 0.15.0 (`STL`, `MSTL`), which wraps the authors' program. */
describe('stl', () => {
  it('equals the reference', () => {
    const { seasonal, trend } = stl(series, { period: 12 })
    expectNear(
      each(seasonal, 7),
      [-0.37526784, -1.94853579, 2.24145586, -3.36466201, 2.16011462, -1.9725995, 3.9202283, 1.0081961, -2.55370628],
      7,
    )
    expectNear(
      each(trend, 7),
      [10.27726533, 11.20794082, 11.98342816, 12.77843344, 14.78245506, 15.22004685, 14.78240022, 15.31026885, 15.92846119],
      7,
    )
  })

  it('equals the reference when robust', () => {
    const { seasonal, trend, weights } = stl(series, { period: 12, outer: 15 })
    expectNear(
      each(seasonal, 7),
      [-0.44623952, -1.83186674, 2.31198143, -2.95369638, 2.70332207, -1.36368884, 0.06050804, 1.20654065, -2.5174678],
      7,
    )
    expectNear(
      each(trend, 7),
      [10.48304794, 11.19276177, 11.88467181, 12.53365282, 13.20916797, 13.9226141, 14.60586987, 15.28452603, 15.9817398],
      7,
    )
    expectNear(weights.slice(28, 33), [0, 0.989073, 0, 0.192389, 0.938986], 5)
  })

  it('equals the reference with jumps', () => {
    const options = { seasonalWindow: 11, trendWindow: 25, lowPassWindow: 13, seasonalJump: 2, jump: 3 }
    const { seasonal, trend } = stl(series, { period: 12, ...options, outer: 15 })
    expectNear(
      each(seasonal, 7),
      [-0.42144865, -1.81790702, 2.31144283, -2.96054375, 2.71169606, -1.40328079, 0.05096181, 1.18086234, -2.48997801],
      7,
    )
    expectNear(
      each(trend, 7),
      [10.46859193, 11.19226508, 11.89031247, 12.53121, 13.21582675, 13.93567947, 14.62911814, 15.29939101, 15.97038653],
      7,
    )
  })

  it('of a constant is that constant', () => {
    const { seasonal, trend } = stl(new Float64Array(48).fill(5), { period: 12, outer: 3 })
    for (const value of seasonal) expect(value).toBeCloseTo(0, 12)
    for (const value of trend) expect(value).toBeCloseTo(5, 12)
  })

  it('wants two periods', () => expect(() => stl(series, { period: 31 })).toThrow('must hold two periods of 31, got 60'))
})

describe('mstl', () => {
  it('equals the reference', () => {
    const values = Float64Array.from(
      { length: 140 },
      (_, i) => 10 + 0.05 * i + 3 * Math.sin((2 * Math.PI * i) / 6) + 2 * Math.cos((2 * Math.PI * i) / 28),
    )
    const { seasonals, trend } = mstl(values, [6, 28])
    expectNear(
      each(seasonals[0], 17),
      [-0.066835, -2.5991, -2.615387, 0.000645, 2.592361, 2.602549, 0.005047, -2.587602, -2.567737],
      5,
    )
    expectNear(
      each(seasonals[1], 17),
      [2.047091, -1.563338, 0.471802, 0.867131, -1.794721, 1.945519, -1.256688, -0.010468, 1.223973],
      5,
    )
    expectNear(
      each(trend, 17),
      [10.002179, 10.850306, 11.699985, 12.54997, 13.400044, 14.249957, 15.100038, 15.949974, 16.80078],
      5,
    )
  })
})
