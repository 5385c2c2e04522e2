import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../../duration.ts'
import { fromValues } from '../../frame/frame.ts'
import { median } from '../../math/median.ts'
import { absoluteChange } from '../absolute-change.ts'
import { percentageChange } from '../percentage-change.ts'

const START = Date.UTC(2024, 0, 1)

function judge(part: typeof percentageChange | typeof absoluteChange, input: object, times: Float64Array, values: Float64Array) {
  const detector = part.create(part.config.parse(input) as never)
  return detector.detect(fromValues(times, values), { start: times[0], end: times.at(-1)! + 1 }).columns
}
const grid = (days: number, step: number, start = START) =>
  Float64Array.from({ length: (days * DAY) / step }, (_, i) => start + i * step)
const wave = (time: number, i: number) => 100 + 30 * Math.sin((2 * Math.PI * time) / DAY) + ((i * 7919) % 13) / 2

describe('comparing with a baseline', () => {
  it('is the obvious way: the median of the bucket means at the lags', () => {
    const times = grid(20, MINUTE)
    const values = times.map(wave)
    const { score, expected, lower, upper } = judge(percentageChange, { offset: 'median2w', change: 0.2 }, times, values)
    for (let i = 0; i < times.length; i += 97) {
      const means: number[] = []
      for (const days of [7, 14]) {
        const from = Math.floor((times[i] - days * DAY) / (5 * MINUTE)) * 5
        const first = from - START / MINUTE
        if (first >= 0) means.push(values.subarray(first, first + 5).reduce((a, b) => a + b, 0) / 5)
      }
      const base = median(means)
      if (means.length === 0) {
        expect(expected[i]).toBeNaN()
        continue
      }
      expect(expected[i]).toBeCloseTo(base, 9)
      expect(score[i]).toBeCloseTo(Math.abs(values[i] - base) / base / 0.2, 9)
      expect([lower[i], upper[i]]).toEqual([expect.closeTo(0.8 * base, 9), expect.closeTo(1.2 * base, 9)])
    }
  })

  it.each([
    ['mean3d', 20],
    ['median3d', 10],
    ['min3d', 10],
    ['max3d', 40],
    ['do3d', 40],
  ])('%s over known values only', (offset, wanted) => {
    const times = grid(4, HOUR)
    const levels = [40, 10, 10, 99]
    const values = times.map(time => levels[Math.floor((time - START) / DAY)])
    const { expected } = judge(absoluteChange, { offset, change: 100 }, times, values)
    expect(expected.at(-1)).toBe(wanted)
    const holes = values.map((value, i) => (i < 24 ? NaN : value))
    expect(judge(absoluteChange, { offset, change: 100 }, times, holes).expected.at(-1)).toBe(offset === 'do3d' ? NaN : 10)
  })

  it('compares local noon with local noon when clocks change', () => {
    // Berlin: UTC+2 from 31 March 2024 01:00 UTC, UTC+1 again from 27 October 01:00 UTC.
    for (const change of [Date.UTC(2024, 2, 31), Date.UTC(2024, 9, 27)]) {
      const times = grid(16, 30 * MINUTE, change - 8 * DAY)
      const sign = change < Date.UTC(2024, 6, 1) ? 1 : -1
      const hours = times.map(time => ((time + (time >= change + HOUR ? sign * HOUR : 0)) / HOUR) % 24)
      const values = hours.map(hour => 100 + hour)
      const local = judge(absoluteChange, { change: 1, timezone: 'Europe/Berlin', bucket: '30m' }, times, values)
      const universal = judge(absoluteChange, { change: 1, bucket: '30m' }, times, values)
      const from = times.findIndex(time => time >= change + 4 * HOUR)
      const to = times.findIndex(time => time >= change + 20 * HOUR)
      expect(local.score.slice(from, to).every(score => score < 1e-9)).toBe(true)
      expect(universal.score.slice(from, to).every(score => score > 0.9)).toBe(true)
    }
  })

  it('averages the hour that comes twice and has no baseline for the one that never came', () => {
    const back = Date.UTC(2024, 9, 27)
    const times = grid(9, 30 * MINUTE, back - DAY)
    const values = times.map(time =>
      time >= back && time < back + HOUR ? 10 : time >= back + HOUR && time < back + 2 * HOUR ? 30 : 5,
    )
    const { expected } = judge(absoluteChange, { change: 1, timezone: 'Europe/Berlin', bucket: '30m' }, times, values)
    // Local 02:00 … 03:00 came twice, at 00:00 and at 01:00 UTC; a week later it is at 01:00 UTC.
    expect(expected[times.indexOf(back + 7 * DAY + HOUR)]).toBe(5 + 5 + 10)
    const forth = Date.UTC(2024, 2, 31)
    const spring = grid(9, 30 * MINUTE, forth - DAY)
    const { expected: none } = judge(
      absoluteChange,
      { change: 1, timezone: 'Europe/Berlin', bucket: '30m' },
      spring,
      spring.map(() => 5),
    )
    expect(none[spring.indexOf(forth + 7 * DAY)]).toBeNaN()
    expect(none[spring.indexOf(forth + 7 * DAY + 2 * HOUR)]).toBe(5)
  })

  it('says large, not infinite, where the earlier value is zero, and nothing where both are', () => {
    const times = grid(9, HOUR)
    const values = times.map((_, i) => (i === 200 ? 3 : 0))
    const { score } = judge(percentageChange, { change: 0.5 }, times, values)
    expect(score[200]).toBeCloseTo(2000, 6)
    expect(score[201]).toBe(0)
  })

  it('learns four limits of an incident, and all of a level that lasts a day', () => {
    const times = grid(18, HOUR)
    const values = times.map((_, i) => (i === 200 ? 5000 : 100))
    const { expected } = judge(percentageChange, { change: 0.1 }, times, values)
    expect(expected[200 + 168]).toBeLessThanOrEqual(120 + 20)
    const shift = judge(
      absoluteChange,
      { change: 1 },
      times,
      times.map((_, i) => (i < 200 ? 100 : 1000)),
    )
    expect(shift.expected[200 + 168]).toBe(104)
    expect(shift.expected[200 + 168 + 30]).toBe(1000)
  })

  it('refuses offsets that do not look back, and buckets that need too much memory', () => {
    for (const offset of ['current', 'none', 'weekly'])
      expect(() => percentageChange.config.parse({ offset })).toThrow('must be an offset')
    expect(() => percentageChange.config.parse({ timezone: 'Mars/Base' })).toThrow('must be an IANA time zone')
    expect(() => percentageChange.config.parse({ offset: 'yo5y', bucket: '1m' })).toThrow('must be long enough')
    expect(percentageChange.config.parse({ offset: 'yo5y' }).offset).toBe('yo5y')
  })

  it('golden scores: a change here moves alerts', () => {
    const times = grid(3, 6 * HOUR)
    const { score } = judge(
      percentageChange,
      { offset: 'do1d' },
      times,
      Float64Array.of(10, 20, 30, 20, 11, 20, 15, 40, 10, 21, 30, 20),
    )
    expect(Array.from(score, value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        NaN,
        NaN,
        NaN,
        1,
        0,
        5,
        10,
        0.909,
        0.5,
        6.667,
        2.857,
      ]
    `)
  })
})
