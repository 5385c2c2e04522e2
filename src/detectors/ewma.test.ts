import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { ewma } from './ewma.ts'

const detect = (values: number[], input = {}) =>
  ewma.create(ewma.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

describe('ewma', () => {
  it('matches the textbook recursion while nothing is clipped', () => {
    const values = Array.from({ length: 60 }, (_, i) => 50 + 5 * Math.sin(i * 1.7))
    const { score, expected } = detect(values, { alpha: 0.1, clip: 100 })
    let mean = 0
    let variance = 0
    values.forEach((x, i) => {
      if (i >= 10) {
        expect(expected[i]).toBeCloseTo(mean, 9)
        expect(score[i]).toBeCloseTo(Math.abs(x - mean) / Math.sqrt(variance), 9)
      }
      const gain = Math.max(0.1, 1 / (i + 1))
      variance = i === 0 ? 0 : (1 - gain) * (variance + gain * (x - mean) ** 2)
      mean = (1 - gain) * mean + gain * x
    })
  })

  it('learns little from a spike', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i === 80 ? 1000 : 50 + 2 * Math.sin(i * 2.3)))
    const { score, expected } = detect(values)
    expect(score[80]).toBeGreaterThan(100)
    expect(Math.abs(expected[81] - expected[80])).toBeLessThan(1)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect([5, 6, 5, 4, 5, 6, 7, 5, 4, 5, 6, 5, 9, 5, 5, 20, 5])
    expect(Array.from(score.slice(10), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.918,
        0.316,
        4.523,
        0.426,
        0.408,
        14.971,
        0.479,
      ]
    `)
  })
})
