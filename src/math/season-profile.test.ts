import { describe, expect, it } from 'vitest'
import { correlationLimit } from './correlation-limit.ts'
import { effectiveRows } from './effective-rows.ts'
import { seededRandom } from './random.ts'
import { seasonProfile } from './season-profile.ts'

describe('seasonProfile', () => {
  it('is the season itself where there is nothing else', () => {
    const values = Float64Array.from({ length: 240 }, (_, i) => [5, 1, 9, 2][i % 4])
    expect(seasonProfile(values, 4)).toEqual(values)
  })
  it('looks over gaps and noise', () => {
    const random = seededRandom(3)
    const tide = (i: number) => 10 * Math.sin((2 * Math.PI * i) / 60)
    const values = Float64Array.from({ length: 1200 }, (_, i) => (random.next() < 0.2 ? NaN : tide(i) + random.next() - 0.5))
    for (const [i, level] of seasonProfile(values, 60).entries()) expect(Math.abs(level - tide(i))).toBeLessThan(0.5)
  })
  it('smooths over phases when there are few seasons, and follows a period that is no whole number of rows', () => {
    const tide = (i: number) => 10 * Math.sin((2 * Math.PI * i) / 100.5)
    const profile = seasonProfile(
      Float64Array.from({ length: 220 }, (_, i) => tide(i)),
      100.5,
    )
    for (const [i, level] of profile.entries()) expect(Math.abs(level - tide(i))).toBeLessThan(0.8)
  })
  it('knows nothing of phases that were never seen', () =>
    expect(Array.from(seasonProfile([1, NaN, 1, NaN, 1, NaN, 1, NaN, 1, NaN, 1, NaN], 2).slice(0, 2))).toEqual([1, NaN]))
})

describe('chance', () => {
  it('leaves white noise all of its rows and takes them from slow series', () => {
    expect(effectiveRows(1000, [1, 0, 0], [1, 0, 0])).toBe(1000)
    const slow = Array.from({ length: 200 }, (_, k) => 0.95 ** k)
    expect(effectiveRows(1000, slow, slow)).toBeCloseTo((1000 * (1 - 0.95 ** 2)) / (1 + 0.95 ** 2), -1)
  })
  it('lets the strongest of many unrelated pairs pass once in a hundred, at most', () => {
    const random = seededRandom(11)
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
    let passed = 0
    for (let round = 0; round < 300; round++) {
      let strongest = 0
      for (let trial = 0; trial < 20; trial++) strongest = Math.max(strongest, Math.abs(Math.tanh(normal() / Math.sqrt(50 - 3))))
      if (strongest > correlationLimit(50, 20)) passed++
    }
    expect(passed).toBeLessThanOrEqual(3)
    expect(correlationLimit(50, 20)).toBeLessThan(0.6)
    expect(correlationLimit(4, 1)).toBe(1)
  })
})
