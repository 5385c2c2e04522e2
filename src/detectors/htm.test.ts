import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { seededRandom } from '../math/random.ts'
import { htm } from './htm.ts'

const SMALL = { columns: 256, cells: 6, segments: 4000, warmup: 200 }
const make = (options = {}) => htm.create(htm.config.parse({ ...SMALL, ...options }))
const ALWAYS = { start: 0, end: 1e15 }
const START = Date.UTC(2024, 10, 4)

function series(size: number, valueOf: (i: number, noise: number) => number, step = 30 * MINUTE, start = START) {
  const random = seededRandom(3)
  const times = Float64Array.from({ length: size }, (_, i) => start + i * step)
  return fromValues(
    times,
    times.map((_, i) => valueOf(i, random.next() - 0.5)),
  )
}

const most = (scores: Float64Array, from: number, to: number) => Math.max(...scores.subarray(from, to))
const daily = (i: number) => 100 + 20 * Math.sin((2 * Math.PI * i) / 48)

describe('htm', () => {
  it('says golden scores', () => {
    const input = series(700, (i, noise) => daily(i) + noise + (i === 650 ? 50 : 0))
    const { score, alarm } = make().detect(input, ALWAYS).columns
    const golden = [
      [200, 0.5549062722788984, 0.5549062722788984],
      [399, 0.88088846379498, 0.88088846379498],
      [400, 0.792799617415482, 0.4150657834771587],
      [600, 0.8096407928027849, 0.8096407928027849],
      [650, 15.498548031012763, 15.498548031012763],
      [651, 13.948693227911487, 0.3479222003814461],
      [690, 0.6560316929547032, 0.6560316929547032],
    ]
    expect(score[199]).toBeNaN()
    for (const [at, wanted, moment] of golden) {
      expect(score[at]).toBeCloseTo(wanted, 10)
      expect(alarm![at]).toBeCloseTo(moment, 10)
    }
  })

  it('learns two levels that take turns, and is surprised by one in between', () => {
    const broken = 48 * 30
    const input = series(broken + 24, (i, noise) => (i >= broken ? 50 : i % 12 < 6 ? 10 : 90) + noise)
    const { score, alarm } = make().detect(input, ALWAYS).columns
    expect(most(alarm!, broken - 300, broken)).toBeLessThan(4)
    expect(most(score, broken, broken + 12)).toBeGreaterThan(5)
  })

  it('holds an alarm for a row, lets the score fade, and stays yellow while calm', () => {
    const at = 900
    const input = series(1000, (i, noise) => daily(i) + noise + (i === at ? 80 : i === at + 10 ? 200 : 0))
    const { score, alarm } = make({ calm: 20 }).detect(input, ALWAYS).columns
    expect(alarm![at]).toBeGreaterThan(10)
    expect(score[at]).toBe(alarm![at])
    expect(score[at + 1]).toBeGreaterThanOrEqual(0.9 * score[at])
    expect(most(alarm!, at + 1, at + 21)).toBeLessThanOrEqual(3)
    expect(score[at + 10]).toBeGreaterThan(10)
    expect(make({ calm: 0 }).detect(input, ALWAYS).columns.alarm![at + 10]).toBeGreaterThan(10)
  })

  it('says nothing of a flat series, and something when it moves', () => {
    const { alarm } = make().detect(
      series(800, i => (i < 700 ? 3 : 3.5)),
      ALWAYS,
    ).columns
    expect(most(alarm!, 200, 700)).toBeLessThan(1)
    expect(alarm![700]).toBe(20)
  })

  it('passes over missing rows, and is not surprised by what follows a gap', () => {
    const input = series(1000, (i, noise) => (i >= 700 && i < 760 ? NaN : daily(i) + noise))
    const { score, alarm } = make().detect(input, ALWAYS).columns
    expect(score.slice(700, 760).every(Number.isNaN)).toBe(true)
    expect(alarm![760]).toBe(0)
    expect(score.slice(760).every(Number.isFinite)).toBe(true)
  })

  it('knows the time of day by the clock of its zone, over a change of the clock', () => {
    const value = (i: number, noise: number) => (i % 48 < 16 ? 100 : 20) + noise
    const here = series(900, value)
    const there = { ...here, times: here.times.map(time => time - HOUR) }
    expect(make({ timezone: 'Europe/Berlin' }).detect(there, ALWAYS).columns).toEqual(make().detect(here, ALWAYS).columns)
    expect(make({ timezone: 'Europe/Berlin' }).detect(here, ALWAYS).columns.score).not.toEqual(
      make().detect(here, ALWAYS).columns.score,
    )
    const change = series(900, value, 30 * MINUTE, Date.UTC(2024, 9, 14))
    const { score } = make({ timezone: 'Europe/Berlin' }).detect(change, ALWAYS).columns
    expect(score.slice(200).every(Number.isFinite)).toBe(true)
  })

  it('starts anew when the range has widened', () => {
    const input = series(2600, (i, noise) => (i < 1000 ? 1 : 1000) * (daily(i) + noise))
    const detector = make()
    const { alarm } = detector.detect(input, ALWAYS).columns
    expect(alarm![1000]).toBe(20)
    expect(alarm!.slice(1600).filter(x => x >= 5).length).toBeLessThan(3)
    const stream = detector.open!()
    input.times.forEach((time, i) => stream.learn(time, [input.columns.value[i]]))
    const [{ lower, upper }] = (stream.snapshot().brain as { ranges: { lower: number; upper: number }[] }).ranges
    expect(lower).toBeLessThan(85)
    expect(upper).toBeGreaterThan(115_000)
  })

  it('rejects unknown zones', () => {
    expect(htm.config.safeParse({ timezone: 'Mars/Olympus' }).error?.message).toContain('IANA')
  })
})
