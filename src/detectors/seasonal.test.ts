import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, WEEK } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { median } from '../math/median.ts'
import { seasonal } from './seasonal.ts'

const START = Date.UTC(2024, 0, 1)

function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function noise(random: () => number): number {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3)
}

/** Values of `make` every `step`, and what the detector says of them. */
function judge(input: object, weeks: number, step: number, make: (time: number, noise: number) => number, start = START) {
  const random = mulberry(3)
  const times = Float64Array.from({ length: (weeks * WEEK) / step }, (_, i) => start + i * step)
  const values = times.map(time => make(time, noise(random)))
  const { columns } = seasonal
    .create(seasonal.config.parse(input))
    .detect(fromValues(times, values), { start, end: start + weeks * WEEK })
  return { times, values, ...columns, at: (time: number) => Math.round((time - start) / step) }
}

const tide = (time: number) => 100 + 60 * Math.sin((2 * Math.PI * time) / DAY)
const isWeekend = (time: number) => [0, 6].includes(new Date(time).getUTCDay())

describe('seasonal', () => {
  it('expects what the naive twin expects: the median of the same minutes on earlier days', () => {
    const { values, expected, at } = judge({ season: ['1d'] }, 2, 5 * MINUTE, (time, e) => tide(time) + 3 * e)
    for (let time = START + 10 * DAY; time < START + 13 * DAY; time += 3 * HOUR) {
      const same: number[] = []
      for (let day = time - DAY; day >= START + DAY; day -= DAY) for (let k = -2; k <= 2; k++) same.push(values[at(day) + k])
      expect(Math.abs(expected[at(time)] - median(same))).toBeLessThan(4)
    }
  })

  it('lets the week count once it has been seen to add something', () => {
    const { expected, at } = judge({}, 4, 10 * MINUTE, (time, e) => tide(time) * (isWeekend(time) ? 0.5 : 1) + 2 * e)
    const saturdayNoon = START + 3 * WEEK + 5 * DAY + 30 * MINUTE
    expect(Math.abs(expected[at(saturdayNoon)] - tide(saturdayNoon) / 2)).toBeLessThan(8)
    const mondayEarly = START + 3 * WEEK + 40 * MINUTE
    expect(Math.abs(expected[at(mondayEarly)] - tide(mondayEarly))).toBeLessThan(15)
  })

  it('finds a fault at its first row, and is quiet before and after', () => {
    const fault = START + 2 * WEEK + 3 * DAY + 7 * HOUR
    const { score, at } = judge({}, 3, MINUTE, (time, e) =>
      time >= fault && time < fault + 20 * MINUTE ? 20 : tide(time) + 3 * e,
    )
    expect(score[at(fault)]).toBeGreaterThan(10)
    expect(score[at(fault) + 19]).toBeGreaterThan(10)
    for (let i = at(START + 2 * WEEK); i < score.length; i++)
      if (i < at(fault) || i >= at(fault) + 20) expect(score[i]).toBeLessThan(6)
  })

  it('is useful after minutes', () => {
    const { score, at } = judge({}, 1, MINUTE, (time, e) => (time === START + 30 * MINUTE ? 200 : 100 + 2 * e))
    expect(score.subarray(0, 12).every(Number.isNaN)).toBe(true)
    expect(score.subarray(12, 30).every(value => value < 4)).toBe(true)
    expect(score[at(START + 30 * MINUTE)]).toBeGreaterThan(10)
  })

  it('does not adopt an hour, adopts a level that stays for half a day', () => {
    const shift = START + WEEK
    const { score, at } = judge({}, 2, MINUTE, (time, e) => tide(time) + 3 * e + (time >= shift ? 150 : 0))
    expect(score[at(shift)]).toBeGreaterThan(10)
    expect(score[at(shift + HOUR)]).toBeGreaterThan(10)
    expect(median(score.subarray(at(shift + DAY), at(shift + 2 * DAY)))).toBeLessThan(2)
  })

  it('follows the clock of its zone over daylight saving', () => {
    // Work begins at 8 in Berlin, before and after 31 March 2024.
    const start = Date.UTC(2024, 2, 18)
    const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' })
    const make = (time: number, e: number) => (Number(hour.format(time)) >= 8 ? 100 : 20) + e
    const monday = Date.UTC(2024, 3, 1)
    const worst = (timezone: string) => {
      const { score, at } = judge({ timezone, season: ['1d'] }, 3, 10 * MINUTE, make, start)
      return median(score.slice(at(monday + 6 * HOUR + 20 * MINUTE), at(monday + 7 * HOUR - 10 * MINUTE)))
    }
    expect(worst('Europe/Berlin')).toBeLessThan(4)
    expect(worst('UTC')).toBeGreaterThan(8)
  })

  it('handles compressed labs: a day of six minutes', () => {
    const { expected, values } = judge(
      { season: ['6m', '42m'] },
      1 / 168,
      1000,
      (time, e) => 100 + 50 * Math.sin((2 * Math.PI * time) / 360_000) + e,
    )
    const errors = expected.map((value, i) => Math.abs(value - values[i])).slice(1500)
    expect(median(errors)).toBeLessThan(3)
  })

  it('golden scores: a change here moves alerts', () => {
    const fault = START + 2 * WEEK + 9 * HOUR
    const { score, at } = judge({}, 3, 10 * MINUTE, (time, e) =>
      time === fault ? 90 : tide(time) * (isWeekend(time) ? 0.6 : 1) + 3 * e,
    )
    const picked = [12, 100, 300, 1000, 1500, 2016, at(fault) - 1, at(fault), at(fault) + 1, 2500, 3000]
    expect(picked.map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        1.322,
        1.567,
        0.548,
        0.271,
        0.892,
        3.913,
        0.362,
        12.368,
        0.505,
        0.793,
        0.625,
      ]
    `)
  })

  it('rejects seasons out of order and unknown zones', () => {
    expect(seasonal.config.safeParse({ season: ['1w', '1d'] }).error?.message).toContain('ascending')
    expect(seasonal.config.safeParse({ timezone: 'Mars/Olympus' }).error?.message).toContain('IANA')
  })
})
