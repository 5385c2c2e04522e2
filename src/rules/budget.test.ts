import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { MINUTE, SECOND, WEEK } from '../duration.ts'
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
