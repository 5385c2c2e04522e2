import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { HOUR, MINUTE, SECOND, WEEK } from '../duration.ts'
import { budget } from './budget.ts'
import { findAnomalies } from './find-anomalies.ts'

function randomFrom(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
type Random = () => number
const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const exponential = (random: Random) => -Math.log(1 - random())

/** Makers of score by score, none of which holds an anomaly. */
const noises: Record<string, (random: Random) => () => number> = {
  normal: random => () => Math.abs(normal(random)),
  Laplace: random => () => exponential(random),
  't with 3 degrees': random => () =>
    Math.abs(normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3)),
  'autoregressive 0.9': random => {
    let x = 0
    return () => Math.abs((x = 0.9 * x + Math.sqrt(1 - 0.81) * normal(random)))
  },
}

function scoresOf(score: Float64Array, step: number): Scores {
  const none = new Float64Array(score.length).fill(NaN)
  const columns = { score, value: none, expected: none, lower: none, upper: none }
  return { labels: {}, times: score.map((_, i) => i * step), columns }
}
const make = (options: object = {}) => budget.create(budget.config.parse(options))
const strengths = (score: Float64Array, step: number, options: object = {}) => make(options).judge(scoresOf(score, step)).strength
const calm = (rows: number, seed = 1) => {
  const random = randomFrom(seed)
  return Float64Array.from({ length: rows }, () => Math.abs(normal(random)))
}

function countAlarms(score: Float64Array, step: number, options: object = {}): number {
  return findAnomalies(scoresOf(score, step), strengths(score, step, options), 'x', step).length
}

describe('budget', () => {
  it.each([SECOND, MINUTE, 5 * MINUTE])('sees a lone huge spike at its first row after hours of calm, at rows of %d ms', step => {
    const rows = (6 * 60 * MINUTE) / step
    const score = calm(rows)
    score[rows - 2] = 40
    const strength = strengths(score, step)
    expect(strength[rows - 2]).toBeGreaterThan(2)
    expect(strength[rows - 1]).toBeLessThan(1)
    expect(strength.slice(20, rows - 2).every(s => s < 1)).toBe(true)
  })

  it('says nothing of 20 rows, and is careful after them', () => {
    const score = calm(60)
    score[40] = 60
    const strength = strengths(score, MINUTE)
    expect(strength.slice(0, 20).every(Number.isNaN)).toBe(true)
    expect(strength.slice(20, 40).every(s => s < 1)).toBe(true)
    expect(strength[40]).toBeGreaterThan(1)
  })

  it('is not taught by the foot of a steep rise', () => {
    const rise = [55, 91, 124, 140, 135, 130, 126, 121, 114]
    for (const row of [30, 60, 88, 120])
      for (const part of [0.55, 0.8, 0.99]) {
        const score = calm(200)
        const limit = score[row] / strengths(score, SECOND)[row]
        score.set([part * limit, ...rise], row)
        const strength = strengths(score, SECOND)
        expect(strength[row]).toBeLessThan(1)
        for (let i = 1; i <= rise.length; i++) expect(strength[row + i], `row ${i} after ${part} of the limit`).toBeGreaterThan(1)
      }
  })

  it('learns a new highest score that nothing came of', () => {
    const score = calm(400)
    for (const at of [100, 200, 300]) score[at] = 5
    const strength = strengths(score, SECOND)
    expect(strength[100]).toBeGreaterThan(0.5)
    expect(strength[100]).toBeLessThan(1)
    expect(strength[200]).toBeLessThan(0.8 * strength[100])
  })

  it('is not taught by a fault: the next one is as strange', () => {
    const score = calm(4000)
    for (const start of [2000, 2500, 3000, 3500]) score.fill(25, start, start + 60)
    const strength = strengths(score, SECOND)
    for (const start of [2000, 2500, 3000, 3500]) for (let i = start; i < start + 60; i++) expect(strength[i]).toBeGreaterThan(1)
    expect(findAnomalies(scoresOf(score, SECOND), strength, 'x', SECOND)).toHaveLength(4)
  })

  it('gets used to strangeness that does not end', () => {
    const score = calm(6000)
    for (let i = 2000; i < 6000; i++) score[i] = score[i] * 8 + 10
    const strength = strengths(score, MINUTE)
    expect(strength[2000]).toBeGreaterThan(1)
    expect(strength.slice(4000).every(s => s < 1)).toBe(true)
  })

  it('gets used to bursts that come far more often than the budget', () => {
    const random = randomFrom(3)
    const score = Float64Array.from({ length: 20_000 }, () => (random() < 0.01 ? 50 : 0))
    expect(countAlarms(score, MINUTE)).toBeLessThan(20)
    expect(
      strengths(score, MINUTE)
        .slice(5000)
        .every(s => s < 1),
    ).toBe(true)
  })

  it.each([0, 4])('is calm on scores that are always 0, and awake, with a minimum of %d', minimum => {
    const score = new Float64Array(1000)
    score[900] = 30
    const strength = strengths(score, MINUTE, { minimum })
    expect(strength[899]).toBe(0)
    expect(strength[900]).toBeGreaterThan(1)
  })

  it('is calm on scores that are always the same', () => {
    expect(countAlarms(new Float64Array(3000).fill(9), MINUTE)).toBe(0)
  })

  it('never calls a score below the minimum strange', () => {
    const score = calm(5000).map(s => s / 10)
    for (let i = 100; i < 5000; i += 450) score[i] = 5.9
    expect(
      strengths(score, MINUTE, { minimum: 6 })
        .slice(20)
        .every(s => s < 1),
    ).toBe(true)
  })

  it('refuses a state of another version', () => {
    expect(() => make().judge(scoresOf(calm(1), MINUTE), { version: 2 })).toThrow('must have version 1, got 2')
  })
})

/** What a budget has learned from scores at times; `infinite` rows have an infinite value and no score. */
function learn(score: ArrayLike<number>, step: number, options: object = {}, times?: readonly number[]) {
  const scores = scoresOf(Float64Array.from(score), step)
  const value = Float64Array.from(score, s => (s === Infinity ? Infinity : 1))
  const column = scores.columns.score.map(s => (s === Infinity ? NaN : s))
  const { strength, state } = make(options).judge({
    ...scores,
    times: times ? Float64Array.from(times) : scores.times,
    columns: { ...scores.columns, score: column, value },
  })
  return { strength, state: state as unknown as Readonly<Record<string, number>> & { readonly maxima: Float64Array } }
}
/** Scores that are 0 or 1 and never strange, with `at` at every so many rows. */
const everySo = (rows: number, every: number, at: number, from = 100) =>
  Float64Array.from({ length: rows }, (_, i) => (i >= from && (i - from) % every === 0 ? at : i % 2))

describe('the debt of a budget', () => {
  const lengthOf = (strength: Float64Array, from: number) => strength.subarray(from).findIndex(s => !(s >= 1))

  it.each([
    ['two hours', SECOND, 7200],
    ['300 rows', MINUTE, 300],
    ['300 rows', 10 * MINUTE, 300],
  ])('lets strange rows go on for %s at rows of %d ms before they are learned', (_, step, tolerated) => {
    const score = everySo(tolerated + 2500, 1, 25, 1000)
    const length = lengthOf(strengths(score, step), 1000)
    expect(length).toBeGreaterThan(tolerated)
    expect(length).toBeLessThan(tolerated + 600)
  })

  it('in rows is paid back by calm ones, a tenth by each', () => {
    const thrice = (calmRows: number) =>
      Float64Array.from({ length: 1000 + 3 * (200 + calmRows) }, (_, i) =>
        i >= 1000 && (i - 1000) % (200 + calmRows) < 200 ? 25 : i % 2,
      )
    const strangeRows = (score: Float64Array) => strengths(score, MINUTE).filter(s => s >= 1).length
    expect(strangeRows(thrice(2000))).toBe(600)
    const early = strangeRows(thrice(200))
    expect(early).toBeGreaterThanOrEqual(300)
    expect(early).toBeLessThan(600)
    expect(learn(everySo(1000 + 200, 1, 25, 1000), MINUTE).state.rowDebt).toBe(200)
    const calmAfter = Float64Array.from({ length: 1300 }, (_, i) => (i >= 1000 && i < 1200 ? 25 : i % 2))
    expect(learn(calmAfter, MINUTE).state.rowDebt).toBeCloseTo(190)
    expect(learn(everySo(5000, 1, 0), MINUTE).state.rowDebt).toBe(0)
  })

  it('in rows is never more than is tolerated, so that it is paid back in a known time', () => {
    const score = Float64Array.from({ length: 6000 }, (_, i) => (i < 1000 ? i % 2 : 25 * 1.01 ** (i - 1000)))
    const { strength, state } = learn(score, MINUTE)
    expect(strength.at(-1)).toBeGreaterThan(1)
    expect(state.rowDebt).toBe(301)
  })

  it('tolerates eight alarms beyond the budget, and then learns them', () => {
    const strength = strengths(everySo(3000, 100, 50), MINUTE)
    const alarms = Array.from({ length: 29 }, (_, n) => strength[100 + 100 * n] >= 1)
    expect(alarms.slice(0, 9)).toEqual(Array(9).fill(true))
    expect(alarms.slice(14)).toEqual(Array(15).fill(false))
  })

  it('in alarms is paid back as time passes', () => {
    const score = everySo(30 * 7 * 24, 8 * 24, 50)
    const alarms = (options: object) => strengths(score, HOUR, options).filter(s => s >= 1).length
    expect(alarms({})).toBe(26)
    expect(alarms({ per: '4w' })).toBeLessThan(20)
    const { state } = learn(everySo(100 + 84, 1000, 50), HOUR)
    expect(state.alarmDebt).toBeCloseTo(1 - 83 / 168)
    expect(learn(everySo(100 + 84, 1000, 50), HOUR, { alarms: 1.5 }).state.alarmDebt).toBeCloseTo(1 - (1.5 * 83) / 168)
  })

  it('counts what comes again within fifteen calm rows as the same alarm', () => {
    expect(learn(everySo(100 + 16 * 12, 16, 50), MINUTE).state.alarmDebt).toBeGreaterThan(8)
    const { strength, state } = learn(everySo(100 + 15 * 40, 15, 50), MINUTE)
    expect(state.alarmDebt).toBeLessThan(1)
    expect(strength.filter(s => s >= 1)).toHaveLength(40)
  })

  it('is the same for values that are infinite: beyond every limit, until they are usual', () => {
    const { strength, state } = learn(everySo(100 + 20 * 15, 20, Infinity), MINUTE)
    const alarms = Array.from({ length: 15 }, (_, n) => strength[100 + 20 * n])
    expect(alarms).toEqual([...Array<number>(8).fill(1e6), ...Array<number>(7).fill(NaN)])
    expect(state.alarmDebt).toBeLessThanOrEqual(9)
    expect(learn(everySo(100 + 10 * 40, 10, Infinity), MINUTE).strength.filter(s => s === 1e6)).toHaveLength(40)
    expect(learn(everySo(19, 1, Infinity, 0), MINUTE).strength.every(Number.isNaN)).toBe(true)
  })
})

describe('what a budget remembers', () => {
  // Far below the minimum: nothing is strange and nothing is held back.
  const far = { minimum: 1000 }
  const blocksOf = (score: ArrayLike<number>, size: number) =>
    Array.from({ length: Math.floor(score.length / size) }, (_, i) =>
      Math.max(...Array.from(score).slice(i * size, (i + 1) * size)),
    )

  it('are the highest scores of blocks of rows; when there are too many blocks, pairs become one', () => {
    for (const [rows, size] of [
      [256, 1],
      [258, 2],
      [512, 2],
      [514, 4],
      [1022, 4],
    ] as const) {
      const score = calm(rows)
      const { state } = learn(score, MINUTE, far)
      expect(state.size).toBe(size)
      expect([...state.maxima]).toEqual(blocksOf(score, size))
      expect(state.openRows).toBe(rows % size)
    }
  })

  it('are the newest blocks, once they span eight periods', () => {
    const score = calm(1000)
    const { state } = learn(score, HOUR, { ...far, per: '1d' })
    expect([...state.maxima]).toEqual(Array.from(score.slice(-256)))
    expect(learn(score, HOUR, { ...far, per: '63h' }).state.size).toBe(1)
    expect(learn(score, HOUR, { ...far, per: '64h' }).state.size).toBe(2)
  })

  it('is a step that holes and jumps back do not change', () => {
    const times = calm(40).map((_, i) => i * MINUTE + (i > 3 ? HOUR : 0) - (i > 5 ? 2 * MINUTE : 0))
    const { state } = learn(calm(40), MINUTE, far, [...times])
    expect([state.step, state.last]).toEqual([MINUTE, times[39]])
  })

  it('is a new highest score only when it was below the limit for five rows', () => {
    const score = everySo(120, 1000, 5)
    const highest = (rows: number) => Math.max(...learn(score.slice(0, rows), SECOND, { minimum: 9 }).state.maxima)
    expect([101, 105, 106].map(highest)).toEqual([1, 1, 5])
    const risen = Float64Array.from(score)
    risen.set([5, 5.5, 4.9], 100)
    expect(Math.max(...learn(risen.slice(0, 106), SECOND, { minimum: 9 }).state.maxima)).toBe(5.5)
    const strange = Float64Array.from(score)
    strange[103] = 60
    expect(Math.max(...learn(strange, SECOND, { minimum: 9 }).state.maxima)).toBe(1)
  })
})

describe('the limit of a budget', () => {
  const limitOf = (score: ArrayLike<number>, options: object = { minimum: 0 }, step = MINUTE) =>
    learn(score, step, options).state.limit
  /** 0 to 99 in a fixed disorder. */
  const mixed = (rows: number) => Array.from({ length: rows }, (_, i) => (i * 37) % 100)

  it('is twelve times the upper quartile above the median while there is little to see', () => {
    const spread = Array.from({ length: 40 }, (_, i) => (i * 7) % 40)
    expect(limitOf(spread)).toBe(20 + 12 * 10)
    expect(limitOf(Array.from({ length: 64 }, (_, i) => (i * 7) % 64))).toBeLessThan(32 + 12 * 16)
  })

  it('is the same as ever on a fixed series', () => {
    expect(limitOf(mixed(100))).toBeCloseTo(174.890363, 4)
    expect(limitOf(mixed(300))).toBeCloseTo(129.06676, 4)
    expect(limitOf(mixed(300), { minimum: 0, alarms: 5, per: '1d' })).toBeCloseTo(111.926178, 4)
    expect(limitOf(Float64Array.from(calm(2000)))).toBeCloseTo(4.570823, 4)
    expect(limitOf(Float64Array.from(calm(2000)), { minimum: 0 }, SECOND)).toBeCloseTo(5.366032, 4)
  })

  it('is above what is seen more often than the budget allows, and not below the minimum', () => {
    expect(limitOf(new Float64Array(200).fill(9), { minimum: 0 })).toBeCloseTo(1.05 * 9)
    expect(limitOf(new Float64Array(200).fill(9), { minimum: 30 })).toBe(30)
    expect(limitOf(new Float64Array(200), { minimum: 0 })).toBe(Number.EPSILON)
    // Of 200 rows five may be false alarms, so that the sixth highest must be below the limit.
    const sixHigh = Float64Array.from({ length: 200 }, (_, i) => (i < 6 ? 1000 : i % 2))
    expect(limitOf(sixHigh, { minimum: 0, alarms: 36, per: '1d' })).toBeCloseTo(1001)
    expect(limitOf(sixHigh.with(5, 0), { minimum: 0, alarms: 36, per: '1d' })).toBeLessThan(1000)
  })
})

// Last, because these take the longest.
describe('the budget', () => {
  describe.each(Object.entries(noises))('on %s scores', (_, noise) => {
    it.each([
      ['5 minutes', 5 * MINUTE, 1, 26, 6],
      ['1 minute', MINUTE, 2, 8, 4],
    ])('keeps to its budget at rows of %s, from the cold start on', (_, step, alarms, weeks, series) => {
      let found = 0
      for (let seed = 1; seed <= series; seed++) {
        const next = noise(randomFrom(seed * 7919))
        const score = Float64Array.from({ length: (weeks * WEEK) / step }, next)
        found += countAlarms(score, step, { minimum: 0, alarms })
      }
      const share = found / (alarms * weeks * series)
      expect(share).toBeGreaterThanOrEqual(0.3)
      expect(share).toBeLessThanOrEqual(1.5)
    })
  })

  it('keeps to a budget of a day at rows of a second', () => {
    const score = calm((WEEK * 0.5) / SECOND, 5)
    const found = countAlarms(score, SECOND, { minimum: 0, alarms: 4, per: '1d' })
    expect(found).toBeGreaterThanOrEqual(4)
    expect(found).toBeLessThanOrEqual(21)
  })
})
