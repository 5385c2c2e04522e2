import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { meanVariance } from './mean-variance.ts'

const detect = (values: number[], input = {}) =>
  meanVariance.create(meanVariance.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

describe('mean-variance', () => {
  it.each([5, 0, 10])('is the rule of ThirdEye while nothing is clipped, sensitivity %d', sensitivity => {
    const values = Array.from({ length: 200 }, (_, i) => 100 + 10 * Math.sin(i * 1.7) + ((i * 31) % 7))
    const { score, expected, upper } = detect(values, { rows: 20, sensitivity })
    const sigma = Math.min(1.5, 0.5 + 0.1 * (10 - sensitivity))
    for (let t = 30; t < values.length; t++) {
      const steps = Array.from({ length: 20 }, (_, k) => values[t - k - 1] / values[t - k - 2] - 1)
      const mean = steps.reduce((a, b) => a + b, 0) / 20
      const deviation = Math.sqrt(steps.reduce((a, b) => a + (b - mean) ** 2, 0) / 19)
      const prediction = values[t - 1] * (1 + mean)
      const error = values[t - 1] * sigma * deviation
      expect(expected[t]).toBeCloseTo(prediction, 6)
      expect(upper[t]).toBeCloseTo(prediction + error, 6)
      expect(score[t]).toBeCloseTo(Math.abs(values[t] - prediction) / error, 6)
    }
  })

  it('learns little from a spike, and a new level after nine rows', () => {
    const usual = (i: number) => 50 + 2 * Math.sin(i * 2.3)
    const spike = detect(Array.from({ length: 100 }, (_, i) => (i === 80 ? 1000 : usual(i))))
    expect(spike.score[80]).toBeGreaterThan(100)
    expect(spike.score[82]).toBeLessThan(5)
    const shift = detect(Array.from({ length: 120 }, (_, i) => (i >= 80 ? 10 : 1) * usual(i)))
    expect(shift.score[84]).toBeGreaterThan(5)
    expect(shift.score.slice(95).every(score => score < 5)).toBe(true)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect([5, 6, 5, 4, 5, 6, 7, 5, 4, 5, 6, 5, 9, 5, 5, 20, 5])
    expect(Array.from(score.slice(9), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0.772,
        0.936,
        3.533,
        1.731,
        0.141,
        9.345,
        1.506,
      ]
    `)
  })
})
