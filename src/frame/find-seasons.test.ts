import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND, WEEK } from '../duration.ts'
import { seededRandom } from '../math/random.ts'
import { findSeasons } from './find-seasons.ts'
import { fromValues } from './frame.ts'

const START = Date.UTC(2026, 0, 5)

/** Normal enough: the sum of twelve uniform numbers. */
function noise(seed: number): () => number {
  const { next } = seededRandom(seed)
  return () => Array.from({ length: 12 }, next).reduce((sum, u) => sum + u, -6)
}

function series(span: number, step: number, valueAt: (time: number, row: number) => number) {
  const times = Float64Array.from({ length: Math.floor(span / step) }, (_, i) => START + i * step)
  return fromValues(
    times,
    times.map((time, i) => valueAt(time, i)),
  )
}
const wave = (time: number, period: number) => Math.sin((2 * Math.PI * time) / period)
const weekend = (time: number) => Math.floor((time - START) / DAY) % 7 > 4
const periods = (frame: Parameters<typeof findSeasons>[0]) => findSeasons(frame).map(({ period }) => period)

describe('seasons', () => {
  it.each([
    [2.1 * DAY, 5 * MINUTE],
    [3 * DAY, MINUTE],
    [2 * WEEK, 5 * MINUTE],
    [4 * WEEK, HOUR],
  ])('of a day are found in %d ms of rows %d ms apart', (span, step) => {
    const g = noise(1)
    const [first, ...others] = findSeasons(series(span, step, time => 10 * wave(time, DAY) + 3 * g()))
    expect(first.period).toBe(DAY)
    expect(first.strength).toBeGreaterThan(0.8)
    expect(others).toEqual([])
  })

  it('of a day and of a week are told apart', () => {
    const g = noise(2)
    const found = periods(
      series(4 * WEEK, 10 * MINUTE, time => 10 * wave(time, DAY) * (weekend(time) ? 0.4 : 1) - (weekend(time) ? 8 : 0) + 2 * g()),
    )
    expect(found.toSorted((a, b) => a - b)).toEqual([DAY, WEEK])
  })

  it.each([
    ['a job each hour', HOUR, 2 * DAY, MINUTE, (time: number) => (time % HOUR < 3 * MINUTE ? 20 : 0)],
    ['a sawtooth of 15 minutes', 15 * MINUTE, DAY, MINUTE, (time: number) => (time % (15 * MINUTE)) / MINUTE],
    ['a minute in samples of five seconds', MINUTE, HOUR, 5 * SECOND, (time: number) => 4 * wave(time, MINUTE)],
  ])('of %s are found', (_, period, span, step, valueAt) => {
    const g = noise(3)
    expect(periods(series(span, step, time => valueAt(time) + g()))).toEqual([period])
  })

  it('that are no human period are measured to a hundredth of a row', () => {
    const g = noise(4)
    const [{ period }] = findSeasons(series(2 * DAY, MINUTE, time => 5 * wave(time, 37.3 * MINUTE) + 2 * g()))
    expect(Math.abs(period / MINUTE - 37.3)).toBeLessThan(0.05)
  })

  it('survive a trend, a shift of level, outliers and gaps', () => {
    const g = noise(5)
    const day = (time: number) => 6 * wave(time, DAY) + 2 * g()
    const step = 5 * MINUTE
    expect(periods(series(2 * WEEK, step, (time, i) => day(time) + 0.05 * i))).toEqual([DAY])
    expect(periods(series(2 * WEEK, step, (time, i) => day(time) + (i > 2000 ? 40 : 0)))).toContain(DAY)
    expect(periods(series(2 * WEEK, step, (time, i) => (i % 301 === 0 ? 1e6 : day(time))))).toEqual([DAY])
    expect(periods(series(2 * WEEK, step, (time, i) => ((i > 1500 && i < 2200) || i % 5 === 0 ? NaN : day(time))))).toEqual([DAY])
    const whole = series(2 * WEEK, step, day)
    const some = whole.times.map((_, i) => i).filter(i => i % 11 !== 0)
    const absent = fromValues(
      some.map(i => whole.times[i]),
      some.map(i => whole.columns.value[i]),
    )
    expect(periods(absent)).toEqual([DAY])
  })

  it('have the strength that their share of what moves says', () => {
    const g = noise(6)
    // Hourly rows are 24 in a day: nothing is averaged. A wave of amplitude a has the variance a²/2.
    const [{ strength }] = findSeasons(series(8 * WEEK, HOUR, time => 2 * wave(time, DAY) + Math.SQRT2 * g()))
    expect(Math.abs(strength - 0.5)).toBeLessThan(0.06)
  })

  it.each([
    ['a constant', () => 5],
    ['nothing known', () => NaN],
    ['a line', (_: number, i: number) => 3 * i],
    ['Infinity', () => Infinity],
  ])('are none in %s', (_, valueAt) => expect(findSeasons(series(3 * DAY, 5 * MINUTE, valueAt))).toEqual([]))

  it('are none where three events happen to be equally far from each other', () => {
    const found = Array.from({ length: 20 }, (_, seed) => {
      const next = remember(0.95, noise(seed + 1))
      const isEvent = (i: number) => [1500, 1640, 1780].some(at => i >= at && i < at + 70)
      return findSeasons(series(36 * MINUTE, SECOND, (_time, i) => 10 + next() + (isEvent(i) ? 20 : 0))).length
    })
    expect(found).toEqual(Array.from({ length: 20 }, () => 0))
  })

  it('are seen though a few cycles are much louder than the others, or there are none at first', () => {
    const g = noise(5)
    const louder = series(
      2 * WEEK,
      5 * MINUTE,
      time => 3 * wave(time, DAY) * (Math.floor((time - START) / DAY) % 5 === 4 ? 3 : 1) + g(),
    )
    expect(periods(louder)).toContain(DAY)
    const late = series(2 * WEEK, 5 * MINUTE, time => (time < START + WEEK ? 0 : 10 * wave(time, DAY)) + g())
    expect(periods(late)).toContain(DAY)
    const hourly = series(3 * DAY, MINUTE, time => (time < START + DAY ? 0 : 10 * wave(time, HOUR)) + g())
    expect(periods(hourly)).toContain(HOUR)
  })

  it('are none in little data', () => {
    expect(findSeasons(series(10 * MINUTE, MINUTE, time => wave(time, 4 * MINUTE)))).toEqual([])
    expect(periods(series(1.9 * DAY, 5 * MINUTE, time => wave(time, DAY)))).not.toContain(DAY)
    expect(findSeasons({ labels: {}, times: new Float64Array(0), columns: {} })).toEqual([])
  })

  it('are seen in one of fifty noises at most, white, red or walking', () => {
    const kinds: Record<string, (g: () => number) => () => number> = {
      white: g => g,
      red: g => remember(0.95, g),
      walking: g => remember(1, g),
    }
    let found = 0
    for (const make of Object.values(kinds))
      for (let seed = 1; seed <= 30; seed++) {
        const next = make(noise(seed))
        found += findSeasons(series(6 * DAY, 10 * MINUTE, next)).length
      }
    expect(found).toBeLessThanOrEqual(2)
  })
})

function remember(share: number, g: () => number): () => number {
  let level = 0
  return () => {
    level = share * level + g()
    return level
  }
}
