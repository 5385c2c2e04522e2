import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { mad } from '../math/mad.ts'
import { stl as decompose } from '../math/stl.ts'
import { stl } from './stl.ts'

const START = Date.UTC(2024, 10, 4)
const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const tide = (step: number, days: number) => {
  const times = Array.from({ length: (days * DAY) / step }, (_, i) => START + i * step)
  return { times, values: times.map((time, i) => 100 + 30 * Math.sin((2 * Math.PI * time) / DAY) + 2 * noise(i)) }
}
const detect = (times: number[], values: number[], input = {}) =>
  stl.create(stl.config.parse(input)).detect(fromValues(times, values), { start: 0, end: 1e13 }).columns

describe('stl', () => {
  it('expects what decomposition of the last whole seasons, by definition, continues', () => {
    const step = 5 * MINUTE
    const { times, values } = tide(step, 5)
    values[700] = 900
    const { expected, score } = detect(times, values)
    const perDay = DAY / step
    const last = Float64Array.from(values.slice(0, 4 * perDay))
    const { seasonal } = decompose(last, { period: perDay, outer: 5, jump: 29 })
    const mean = Array.from({ length: perDay }, (_, i) =>
      [0, 1, 2, 3].reduce((sum, day) => sum + seasonal[day * perDay + i] / 4, 0),
    )
    const cycle = mean.map((value, i) => (mean.at(i - 1)! + 2 * value + mean[(i + 1) % perDay]) / 4)
    const middles = (i: number) => (cycle[(i + perDay - 1) % perDay] + cycle[i]) / 2
    // The level is a matter of the stream: what is compared is the way from row to row.
    for (let i = 4 * perDay + 2; i < 5 * perDay; i++) {
      const wanted = middles(i % perDay) - middles((i - 1) % perDay)
      expect(Math.abs(expected[i] - expected[i - 1] - wanted)).toBeLessThan(0.2)
    }
    const errors = values.map((value, i) => value - expected[i]).slice(4 * perDay)
    expect(score.at(-1)).toBeCloseTo(Math.abs(errors.at(-1)!) / mad(errors), 0)
  })

  it('knows a season of rows coarser than slots, with holes', () => {
    const { times, values } = tide(HOUR, 20)
    const holes = values.map((value, i) => (i % 17 === 3 ? NaN : value))
    const { expected, score } = detect(times, holes)
    expect(score.subarray(0, 48).every(Number.isNaN)).toBe(true)
    for (let i = 240; i < 480; i++) expect(Math.abs(expected[i] - values[i])).toBeLessThan(9)
  })

  it('leaves out a season that is none', () => {
    const times = Array.from({ length: 3000 }, (_, i) => START + i * 5 * MINUTE)
    const values = times.map((_, i) => 50 + 5 * noise(i))
    const { expected } = detect(times, values)
    const way = expected.subarray(1000).map((value, i, all) => (i > 0 ? Math.abs(value - all[i - 1]) : 0))
    expect(Math.max(...way)).toBeLessThan(0.3)
  })

  it('adopts a new level after half a season, and a spike moves nothing', () => {
    const { times, values } = tide(5 * MINUTE, 10)
    const shifted = values.map((value, i) => value + (i > 2000 ? 400 : 0) + (i === 1800 ? 1e6 : 0))
    const { score } = detect(times, shifted)
    expect(score[1800]).toBeGreaterThan(150)
    expect(score[1801]).toBeLessThan(5)
    expect(score[2001]).toBeGreaterThan(20)
    expect(Math.max(...score.subarray(2400))).toBeLessThan(6)
  })

  it('golden scores: a change here moves alerts', () => {
    const { times, values } = tide(HOUR, 8)
    values[150] += 25
    const { score } = detect(times, values)
    expect(Array.from(score.slice(146, 154), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        1.096,
        0.999,
        0.568,
        0.8,
        8.438,
        0.207,
        0.429,
        0.306,
      ]
    `)
  })
})
