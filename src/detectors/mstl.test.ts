import { describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { mstl } from './mstl.ts'

const START = Date.UTC(2024, 10, 4)
const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const weekend = (time: number) => [0, 6].includes(new Date(time).getUTCDay())
const times = Array.from({ length: 45 * 24 }, (_, i) => START + i * HOUR)
const values = times.map((time, i) => 200 + 40 * Math.sin((2 * Math.PI * time) / DAY) - (weekend(time) ? 100 : 0) + 3 * noise(i))
const detect = (input: readonly number[], config = {}) =>
  mstl.create(mstl.config.parse(config)).detect(fromValues(times, input), { start: 0, end: 1e13 }).columns

describe('mstl', () => {
  it('knows the weekend after three weeks, and days alone do not', () => {
    const { score } = detect(values)
    const days = detect(values, { season: ['1d'] }).score
    const later = (scores: Float64Array) => scores.filter((_, i) => i >= 36 * 24 && weekend(times[i])).reduce((a, b) => a + b)
    expect(later(score)).toBeLessThan(0.5 * later(days))
  })

  it('finds a weekday that is missing', () => {
    const holiday = values.map((value, i) => (i >= 43 * 24 && i < 44 * 24 ? value - 100 : value))
    const { score } = detect(holiday)
    expect(Math.min(...score.subarray(43 * 24, 43 * 24 + 4))).toBeGreaterThan(Math.max(...score.subarray(40 * 24, 43 * 24)))
  })

  it.each([
    [{ season: ['1d', '30h'] }, 'must be multiples of the first period'],
    [{ season: ['1d', '1w'], keep: 14 }, 'must hold the longest period three times'],
  ])('refuses %j', (config, message) => expect(() => mstl.config.parse(config)).toThrow(message))

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(values.map((value, i) => (i === 1000 ? value + 60 : value)))
    expect(Array.from(score.slice(997, 1004), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.208,
        0.2,
        0.294,
        4.33,
        0.231,
        0.342,
        0.072,
      ]
    `)
  })
})
