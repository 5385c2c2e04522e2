import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { criticalValue } from '../math/generalized-esd.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { seasonalEsd } from './seasonal-esd.ts'

const START = Date.UTC(2024, 10, 4)
const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const tide = (step: number, days: number, height = 30) => {
  const times = Array.from({ length: (days * DAY) / step }, (_, i) => START + i * step)
  return { times, values: times.map((time, i) => 100 + height * Math.sin((2 * Math.PI * time) / DAY) + 2 * noise(i)) }
}
const detect = (times: number[], values: number[], input = {}) =>
  seasonalEsd.create(seasonalEsd.config.parse(input)).detect(fromValues(times, values), { start: 0, end: 1e13 }).columns

describe('seasonal-esd', () => {
  it('is median and MAD of the last window by definition where there is no season', () => {
    const { times, values } = tide(5 * MINUTE, 6, 0)
    const { score, expected, upper } = detect(times, values, { window: 400 })
    // The last test before row 1200 is that after 1152 rows.
    const window = values.slice(752, 1152)
    const [centre, scale] = [median(window), mad(window)]
    expect(expected[1200]).toBeCloseTo(centre, 9)
    expect(score[1200]).toBeCloseTo(Math.abs(values[1200] - centre) / scale, 9)
    expect(upper[1200]).toBeCloseTo(centre + criticalValue(400, 1, 0.05) * scale, 9)
  })

  it('does not let outliers widen its band', () => {
    const { times, values } = tide(5 * MINUTE, 6)
    const hit = values.map((value, i) => (i > 1000 && i % 40 === 0 ? value + 50 : value))
    const calm = detect(times, values)
    const { score, lower, upper } = detect(times, hit)
    expect(upper[1500] - lower[1500]).toBeLessThan(1.2 * (calm.upper[1500] - calm.lower[1500]))
    for (let i = 1440; i < 1700; i++) expect(hit[i] > upper[i], `row ${i}, score ${score[i]}`).toBe(i % 40 === 0)
  })

  it('is undecided until it knows two seasons', () => {
    const { times, values } = tide(HOUR, 8)
    const { score } = detect(times, values)
    expect(score.subarray(0, 100).every(Number.isNaN)).toBe(true)
    expect(score.subarray(121).every(Number.isFinite)).toBe(true)
  })

  it('golden scores: a change here moves alerts', () => {
    const { times, values } = tide(HOUR, 10)
    values[200] += 25
    const { score } = detect(times, values)
    expect(Array.from(score.slice(197, 204), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.922,
        0.311,
        0.212,
        6.28,
        0.925,
        0.955,
        1.216,
      ]
    `)
  })
})
