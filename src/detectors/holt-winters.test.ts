import { describe, expect, it } from 'vitest'
import { DAY, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { median } from '../math/median.ts'
import { holtWinters } from './holt-winters.ts'

const START = Date.UTC(2024, 0, 1)

function judge(input: object, days: number, make: (time: number, noise: number) => number) {
  let state = 5
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  const times = Float64Array.from({ length: (days * DAY) / (5 * MINUTE) }, (_, i) => START + i * 5 * MINUTE)
  const values = times.map(time => make(time, (random() + random() + random() + random() - 2) * Math.sqrt(3)))
  const { columns } = holtWinters
    .create(holtWinters.config.parse(input))
    .detect(fromValues(times, values), { start: START, end: START + days * DAY })
  return { values, ...columns }
}
const wave = (time: number) => Math.sin((2 * Math.PI * time) / DAY)

/** The textbook recursion (Hyndman & Athanasopoulos, 8.3, damped additive), with given gains; forecasts of one step. */
function naive(values: Float64Array, m: number, [alpha, beta, gamma, phi]: number[]): number[] {
  const mean = (part: Float64Array) => part.reduce((a, b) => a + b, 0) / part.length
  let level = mean(values.subarray(0, m))
  let trend = 0
  const season = [...values.subarray(0, m)].map(value => value - level)
  return Array.from(values, (value, t) => {
    const s = season[t % m]
    const forecast = level + phi * trend + s
    const before = level
    level = alpha * (value - s) + (1 - alpha) * (before + phi * trend)
    trend = (beta / alpha) * (level - before) + (1 - beta / alpha) * phi * trend
    season[t % m] = gamma * (value - before - phi * trend) + (1 - gamma) * s
    return forecast
  })
}

describe('holt-winters', () => {
  it('is undecided for two seasons, then forecasts at least as well as the textbook recursion with usual gains', () => {
    const { score, expected, values } = judge({}, 10, (time, e) => 100 + 40 * wave(time) + 2 * e)
    expect(score.subarray(0, 2 * 288).every(Number.isNaN)).toBe(true)
    const textbook = naive(values, 288, [0.2, 0.01, 0.1, 0.98])
    const errors = (forecast: ArrayLike<number>) => median(values.map((value, i) => Math.abs(value - forecast[i])).slice(3 * 288))
    expect(errors(expected)).toBeLessThan(errors(textbook))
    expect(errors(expected)).toBeLessThan(2)
  })

  it('multiplicative follows a tide that grows with the level, better than additive', () => {
    const error = (kind: string) => {
      const { expected, values } = judge(
        { kind },
        14,
        (time, e) => (100 + ((time - START) / DAY) * 30) * (1 + 0.5 * wave(time)) + e,
      )
      return median(values.map((value, i) => Math.abs(value - expected[i])).slice(4 * 288))
    }
    expect(error('multiplicative')).toBeLessThan(error('additive'))
  })

  it.each([
    ['15 minutes of a day', 15 * MINUTE, DAY, 96],
    ['an hour of a day', 60 * MINUTE, DAY, 24],
    ['six hours of a week', 360 * MINUTE, 7 * DAY, 28],
    ['four hours of a week', 240 * MINUTE, 7 * DAY, 42],
  ])('speaks after two seasons where rows are %s apart, with a band that fits', (_, step, season, slots) => {
    const rows = 8 * slots
    let state = 5
    const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
    const times = Float64Array.from({ length: rows }, (_, i) => Math.ceil(START / season) * season + i * step)
    const tide = times.map(time => 100 + 40 * Math.sin((2 * Math.PI * time) / season))
    const values = tide.map(value => value + 2 * (random() + random() + random() + random() - 2) * Math.sqrt(3))
    const { columns } = holtWinters
      .create(holtWinters.config.parse({ season: `${season / 60_000}m` }))
      .detect(fromValues(times, values), { start: times[0], end: Infinity })
    const known = columns.score.findIndex(score => !Number.isNaN(score))
    expect(known).toBeGreaterThanOrEqual(2 * slots)
    expect(known).toBeLessThanOrEqual(2 * slots + 2)
    const late = times.map((_, i) => i).filter(i => i >= 4 * slots)
    // Noise of 2 has a band of 4 of its spreads to both sides; the forecast adds some of its own.
    expect(median(late.map(i => columns.upper[i] - columns.lower[i]))).toBeLessThan(2 * 4 * 2 * 2.2)
    expect(median(late.map(i => Math.abs(columns.expected[i] - tide[i])))).toBeLessThan(2)
  })

  it('finds a fault at its first row and is not taught by it', () => {
    const at = 8 * 288 + 100
    const { score } = judge({}, 10, (time, e) =>
      ((time - START) / (5 * MINUTE) - at) >>> 0 < 6 ? 5 : 100 + 40 * wave(time) + 2 * e,
    )
    expect(score[at]).toBeGreaterThan(10)
    expect(score.slice(4 * 288, at).every(value => value < 6)).toBe(true)
    expect(score.slice(at + 7).every(value => value < 6)).toBe(true)
  })

  it('adopts a lasting level', () => {
    const { score } = judge({}, 10, (time, e) => 100 + 40 * wave(time) + 2 * e + (time > START + 6 * DAY ? 300 : 0))
    expect(score[6 * 288 + 3]).toBeGreaterThan(10)
    expect(median(score.subarray(8 * 288))).toBeLessThan(2)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = judge({}, 6, (time, e) => 100 + 40 * wave(time) + 2 * e)
    expect([576, 600, 800, 1000, 1200, 1500, 1700].map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0.283,
        1.613,
        1.607,
        0.432,
        1.523,
        0.704,
      ]
    `)
  })
})
