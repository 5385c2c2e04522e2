import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../duration.ts'
import { seededRandom } from '../math/random.ts'
import { calm, countAlarms, everySo, learn, makeBudget, scoresOf, strengths } from '../testing/toy-scores.ts'
import { findAnomalies } from './find-anomalies.ts'

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
    const random = seededRandom(3).next
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

  it('is about scores at the limit too', () => {
    const { strength, state } = learn(everySo(101, 1, 9, 100), MINUTE, { minimum: 9 })
    expect([strength[100], state.rowDebt, state.alarmDebt]).toEqual([1, 1, 1])
  })

  it('refuses a state of another version', () => {
    expect(() => makeBudget().judge(scoresOf(calm(1), MINUTE), { version: 2 })).toThrow('must have version 1, got 2')
  })
})
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
    expect([19, 20].map(row => learn(everySo(row + 1, 1, Infinity, row), MINUTE).strength[row])).toEqual([NaN, 1e6])
    expect(learn(everySo(100 + 16 * 12, 16, Infinity), MINUTE).state.alarmDebt).toBeGreaterThan(8)
    expect(learn(everySo(100 + 15 * 12, 15, Infinity), MINUTE).state.alarmDebt).toBeLessThan(1)
  })
})
