import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { absence } from './absence.ts'
import type { State } from './detector.ts'

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
    const missing = (value: number, input: object) => absence.create(absence.config.parse(input)).missingData!.isMissing(value)
    expect([NaN, 0, 1].map(value => missing(value, { down: 0 }))).toEqual([true, true, false])
    expect([NaN, 0, 1].map(value => missing(value, {}))).toEqual([true, false, false])
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

describe('what absence remembers', () => {
  const MINUTE = 60_000
  interface Remembered {
    readonly [name: string]: number
  }
  const openStream = (snapshot?: object, input = {}) =>
    absence.create(absence.config.parse(input)).open!(snapshot as State | undefined)
  const read = (stream: ReturnType<typeof openStream>) => {
    const { gaps, flats, ...rest } = stream.snapshot() as unknown as Remembered & Record<'gaps' | 'flats', { usual: number }>
    return { ...rest, usualGap: gaps.usual, usualFlat: flats.usual } as Remembered
  }
  /** After values at times in minutes. */
  function after(values: readonly number[], times: readonly number[] = [...values.keys()]) {
    const stream = openStream()
    for (const [i, value] of values.entries()) stream.learn(times[i] * MINUTE, [value])
    return read(stream)
  }
  /** A series that changed with each of `changes` of its `rows`, last to 7 at ten o'clock. */
  const lively = { version: 2, rows: 60, changes: 30, step: MINUTE, time: 0, present: 0, moved: 0, last: 7, scrape: MINUTE }
  const interruptions = { usual: 0, streak: 0, ended: NaN }
  const whole = { ...lively, gaps: interruptions, flats: interruptions }

  it('is the step between neighbouring rows: a shorter one at once, a longer one slowly, a hole never', () => {
    const stepOf = (...times: number[]) => after(busy(times.length), times).step / MINUTE
    expect(stepOf(0)).toBeNaN()
    expect(stepOf(0, 2)).toBe(2)
    expect(stepOf(0, 2, 3)).toBe(1)
    expect(stepOf(0, 2, 4.5)).toBe(2 + 0.05 * 0.5)
    expect([stepOf(0, 2, 5), stepOf(0, 2, 9), stepOf(0, 2, 2), stepOf(0, 2, 1)]).toEqual([2, 2, 2, 2])
    expect(after(busy(3), [0, 2, 1]).time).toBe(MINUTE)
  })

  it('is how often the series changes, at most a minute, and nothing of changes after missing rows', () => {
    const seconds = (...times: number[]) =>
      after(
        busy(times.length),
        times.map(time => time / 60),
      ).scrape / 1000
    expect(seconds(0)).toBe(60)
    expect(seconds(0, 1)).toBeCloseTo(60 / 1.1)
    expect(seconds(0, 1, 2)).toBeCloseTo(60 / 1.1 ** 2)
    expect([seconds(0, 1, 1), seconds(0, 1, 0)]).toEqual([seconds(0, 1), seconds(0, 1)])
    expect(seconds(...Array(60).keys())).toBeCloseTo(1)
    const scrape = (...values: number[]) =>
      after(
        [...busy(60), ...values],
        [...Array(60 + values.length).keys()].map(i => i / 60),
      ).scrape / 1000
    expect(scrape(99, 99, 98)).toBeCloseTo(1.1)
    expect(scrape(NaN, 99)).toBeCloseTo(1)
    expect(after(busy(3), [0, 2, 4]).scrape).toBe(MINUTE)
  })

  it('is how many rows there were and how many changed, of the last few thousand', () => {
    const { rows, changes, last } = after([1, 1, 2, NaN, 2, 3])
    expect([rows, changes, last]).toEqual([5, 3, 3])
    expect(after(busy(4000))).toMatchObject({ rows: 4000, changes: 4000 })
    expect(after(busy(4001))).toMatchObject({ rows: 2000.5, changes: 2000.5 })
  })

  it('is half of a gap and half of a flat stretch that are not too long', () => {
    expect(after(busy(3), [0, 1, 2.5]).usualGap).toBe(0)
    expect(after(busy(3), [0, 1, 2.6]).usualGap).toBeCloseTo(0.3 * MINUTE)
    expect(after([...busy(6), 20, 20, 20, 21]).usualFlat).toBeCloseTo(MINUTE)
    expect(after([20, 20, 20, 20, 20, 21]).usualFlat).toBeCloseTo(2 * MINUTE)
    expect(after([20, 20, 20, 20, 21]).usualFlat).toBe(0)
    expect(after([1, 2, 3], [0, 1, 2]).usualGap).toBe(0)
  })

  it('is its own: neither learning more nor another stream changes a snapshot', () => {
    const stream = openStream()
    for (let i = 0; i < 10; i++) stream.learn(i * MINUTE, [i])
    const snapshot = stream.snapshot!()
    const copy = structuredClone(snapshot)
    const other = openStream(snapshot)
    for (const one of [stream, other]) for (let i = 0; i < 10; i++) one.learn((20 + 2 * i) * MINUTE, [20 + Math.floor(i / 3)])
    expect(snapshot).toEqual(copy)
    expect(read(stream)).toEqual(read(other))
    expect(read(stream).usualGap).toBeGreaterThan(0)
  })

  it('of version 1 is taken over, of any other not', () => {
    const { gaps: _, flats: __, ...rest } = whole
    const first = openStream({ ...rest, version: 1, usualGap: 5 * MINUTE, usualFlat: 30 * MINUTE })
    expect(read(first)).toEqual({ ...rest, version: 2, usualGap: 5 * MINUTE, usualFlat: 30 * MINUTE })
    expect(read(openStream({ ...whole, version: 3 }))).toEqual(read(openStream()))
  })

  describe('decides', () => {
    const scoreOf = (more: object, minutes: number, value: number, input = {}) =>
      openStream({ ...whole, ...more }, input).score(minutes * MINUTE, [value])

    it('after five rows', () => {
      expect(scoreOf({ rows: 4 }, 6, NaN).score).toBeNaN()
      expect(scoreOf({ rows: 5 }, 6, NaN).score).toBe(2)
    })

    it('that a line is flat when thirty rows and half of them changed', () => {
      const flat = (more: object) => scoreOf(more, 120, 7).score
      expect(flat({})).toBe(2)
      expect([flat({ changes: 29, rows: 50 }), flat({ rows: 61 }), scoreOf({}, 120, 8).score]).toEqual([0, 0, 0])
      expect(scoreOf({}, 120, 7, { flat: '30m' }).score).toBe(4)
      expect(flat({ flats: { ...interruptions, usual: 40 * MINUTE } })).toBe(1)
    })

    it('that a value which is infinite is there, and no flat line', () => {
      expect(after([1, Infinity, Infinity])).toMatchObject({ rows: 3, changes: 3, last: NaN })
      expect(scoreOf({ last: NaN }, 120, Infinity).score).toBe(0)
    })

    it('with the value and the last one that was there', () => {
      expect(scoreOf({}, 1, 9)).toMatchObject({ value: 9, expected: 7, lower: NaN, upper: NaN })
      expect(scoreOf({}, 1, NaN)).toMatchObject({ value: NaN, expected: 7 })
    })

    it('by the longest of three steps, of scrapes and of usual gaps, or by the patience in place of the first two', () => {
      const tolerance = (more: object, input = {}) => openStream({ ...whole, ...more }, input).tolerance!() / MINUTE
      expect([tolerance({}), tolerance({ step: 100, scrape: 30_000 }), tolerance({ scrape: 2 * MINUTE })]).toEqual([3, 1.25, 5])
      const usual = { gaps: { ...interruptions, usual: 4 * MINUTE } }
      expect([tolerance(usual), tolerance(usual, { patience: '2m' }), tolerance({}, { patience: '2m' })]).toEqual([8, 8, 2])
    })
  })
})
