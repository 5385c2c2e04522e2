import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { absence } from './absence.ts'

const score = (values: number[], input = {}) =>
  absence.create(absence.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns.score
const busy = (count: number) => Array.from({ length: count }, (_, i) => 10 + ((i * 7) % 5))
const gone = (count: number) => Array<number>(count).fill(NaN)

describe('absence', () => {
  it('does not fire at one missing scrape, fires at the third', () => {
    expect([...score([...busy(50), NaN, ...busy(2)])].slice(50)).toEqual([expect.closeTo(1 / 3), 0, 0])
    expect([...score([...busy(50), ...gone(4)])].slice(50)).toEqual([1, 2, 3, 4].map(rows => expect.closeTo(rows / 3)))
    expect([...score([...busy(50), ...gone(4)], { patience: '10m' })].slice(50)).toEqual(
      [1, 2, 3, 4].map(rows => expect.closeTo(rows / 10)),
    )
  })

  it('knows nothing of a series that was never there', () => {
    expect(score(gone(20)).every(Number.isNaN)).toBe(true)
  })

  it('gets used to series that come and go', () => {
    const sparse = Array.from({ length: 40 }, () => [...busy(10), ...gone(10)]).flat()
    const scores = score(sparse)
    expect(Math.max(...scores.slice(400))).toBeLessThan(1)
    const last = score([...sparse, ...busy(10), ...gone(60)])
    expect(last.at(-1)).toBeGreaterThan(2)
  })

  it('is not taught by one outage', () => {
    const scores = score([...busy(50), ...gone(500), ...busy(200), ...gone(20)])
    expect(scores.at(-1)).toBeGreaterThan(1)
  })

  it('reports the second outage as soon as the first, and the third', () => {
    const outage = [...busy(200), ...gone(30)]
    const scores = score([...outage, ...outage, ...outage])
    const firstAt = [0, 1, 2].map(n => scores.slice(230 * n + 200, 230 * n + 230).findIndex(value => value >= 1))
    expect(firstAt).toEqual([2, 2, 2])
  })

  it('does not count one missed scrape on a step that is shorter than the scrape interval', () => {
    const second = (values: number[]) =>
      absence.create(absence.config.parse({})).detect(
        fromValues(
          [...values.keys()].map(i => i * 1000),
          values,
        ),
        {
          start: 0,
          end: 1e12,
        },
      ).columns.score
    // A gauge that is scraped every 15 s and read every second; a failed scrape leaves 15 rows without a value.
    const scraped = (scrapes: number, failed: readonly number[]) =>
      Array.from({ length: scrapes * 15 }, (_, i) => {
        const scrape = Math.floor(i / 15)
        return failed.includes(scrape) ? NaN : 10 + ((scrape * 7) % 5)
      })
    expect(Math.max(...second(scraped(100, [60])).slice(100))).toBeLessThan(1)
    expect(Math.max(...second(scraped(100, [60, 61, 62])).slice(100))).toBeGreaterThan(1)
    // What never changes does not say how often it is scraped: it might be every minute.
    expect(
      Math.max(...second([...Array<number>(300).fill(1), ...gone(60), ...Array<number>(60).fill(1)]).slice(10)),
    ).toBeLessThan(1)
    expect(Math.max(...second([...Array<number>(300).fill(1), ...gone(200)]).slice(10))).toBeGreaterThan(1)
  })

  it('is quick where samples come every second', () => {
    const values = [...busy(300), ...gone(5)]
    const scores = absence.create(absence.config.parse({})).detect(
      fromValues(
        [...values.keys()].map(i => i * 1000),
        values,
      ),
      {
        start: 0,
        end: 1e12,
      },
    ).columns.score
    expect(scores.at(-1)).toBeGreaterThanOrEqual(1)
  })

  it('goes on from what an earlier version remembered', () => {
    const { open } = absence.create(absence.config.parse({}))
    const old = {
      rows: 50,
      changes: 50,
      step: 60_000,
      time: 3e6,
      present: 3e6,
      last: 7,
      moved: 3e6,
      usualGap: 600_000,
      usualFlat: 0,
    }
    const stream = open!({ version: 1, ...old })
    expect(stream.score(3e6 + 600_000, [NaN]).score).toBeCloseTo(0.5)
    expect(stream.tolerance!()).toBe(1_200_000)
  })

  it('takes the value of a target that is down as absence, when told', () => {
    const up = [...Array<number>(30).fill(1), 0, 0, 0, 0]
    expect([...score(up, { down: 0 })].slice(29)).toEqual([0, ...[1, 2, 3, 4].map(rows => expect.closeTo(rows / 3))])
    expect(Math.max(...score(up).slice(10))).toBe(0)
  })

  it('notices that a lively series stands still, not that a calm one does', () => {
    const scores = score([...busy(200), ...Array<number>(90).fill(12)])
    expect(scores[220]).toBeLessThan(1)
    expect(scores.at(-1)).toBeGreaterThan(1)
    expect(Math.max(...score(Array<number>(400).fill(3)).slice(10))).toBe(0)
  })
})

describe('what absence learns', () => {
  /** A stream that is given values at steps of a minute; `at` is the time of the next. */
  function openStream(input = {}) {
    const { open } = absence.create(absence.config.parse(input))
    const stream = open!()
    let at = 0
    const learn = (values: readonly number[], step = 60_000) => {
      for (const value of values) {
        stream.learn(at, [value])
        at += step
      }
    }
    return {
      learn,
      tolerance: () => stream.tolerance!(),
      score: (value: number, later = 0) => stream.score(at + later, [value]).score,
    }
  }
  const sparse = Array.from({ length: 40 }, () => [...busy(10), ...gone(10)]).flat()

  it('of gaps is forgotten when none come any more: by half in about seven thousand rows, down to the least patience', () => {
    const { learn, tolerance } = openStream()
    learn(sparse)
    expect(tolerance()).toBeGreaterThan(18 * 60_000)
    expect(tolerance()).toBeLessThan(20 * 60_000)
    const before = tolerance()
    learn(busy(6931))
    expect(tolerance() / before).toBeCloseTo(0.5, 2)
    learn(busy(14_000))
    expect(tolerance()).toBe(3 * 60_000)
  })

  it('of gaps follows shorter ones', () => {
    const { learn, tolerance } = openStream()
    learn(sparse)
    const before = tolerance()
    learn(Array.from({ length: 200 }, () => [...busy(10), ...gone(4)]).flat())
    expect(tolerance()).toBeLessThan(0.6 * before)
    expect(tolerance()).toBeGreaterThan(7.5 * 60_000)
  })

  it('of flat stretches is forgotten when none come any more', () => {
    const { learn, score } = openStream({ flat: '10m' })
    learn(Array.from({ length: 40 }, () => [...busy(40), ...Array<number>(30).fill(20)]).flat())
    learn([...busy(1)])
    const flatFor = (minutes: number) => score(10, minutes * 60_000)
    const before = flatFor(60)
    expect(before).toBeLessThan(1)
    learn([...busy(7000), 10])
    expect(flatFor(60) / before).toBeCloseTo(2, 1)
  })
})
