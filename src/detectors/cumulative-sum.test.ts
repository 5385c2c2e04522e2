import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { cumulativeSum } from './cumulative-sum.ts'

const detect = (values: number[], input = {}) =>
  cumulativeSum.create(cumulativeSum.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

function noise(seed = 3) {
  let state = seed
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  return () => (random() + random() + random() + random() - 2) * Math.sqrt(3)
}
const series = (rows: number, make: (i: number, noise: number) => number) => {
  const next = noise()
  return Array.from({ length: rows }, (_, i) => make(i, next()))
}

describe('cumulative-sum', () => {
  it('is the two sums of the textbook around a level that stands still', () => {
    const values = series(300, (_, x) => 20 + x)
    const { score } = detect(values, { forget: 1e-12, clip: 1e6, limit: 1e9 })
    const level = median(values.slice(0, 50))
    const deviation = mad(values.slice(0, 50))
    let above = 0
    let below = 0
    for (let i = 50; i < 300; i++) {
      const z = (values[i] - level) / deviation
      above = Math.max(0, above + z - 0.5)
      below = Math.max(0, below - z - 0.5)
      expect(score[i]).toBeCloseTo(Math.max(above, below), 6)
    }
  })

  it.each([1, -1])('finds a shift by one deviation that no single row shows, side %d', side => {
    const values = series(1500, (i, x) => 20 + x + (i >= 1000 ? side : 0))
    const { score } = detect(values)
    const calm = Math.max(...score.subarray(100, 1000))
    expect(score.subarray(1000, 1030).some(value => value > calm)).toBe(true)
  })

  it('takes a shift that lasts for the new level', () => {
    const { score, expected } = detect(series(1500, (i, x) => 20 + x + (i >= 1000 ? 6 : 0)))
    expect(Math.abs(expected[1100] - 26)).toBeLessThan(1)
    expect(Math.max(...score.subarray(1100))).toBeLessThan(15)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(series(120, (i, x) => 20 + x + (i >= 110 ? 2 : 0)))
    expect(Array.from(score.slice(107, 116), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.458,
        0,
        0,
        2.615,
        2.945,
        2.572,
        5.494,
        7.125,
        8.481,
      ]
    `)
  })
})
