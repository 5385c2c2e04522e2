import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { BINS, countDrift, driftOf } from './drift.ts'

const DECILES = Array.from({ length: BINS - 1 }, (_, i) => (i + 1) / BINS)

/** Drift after so many rows of scores. */
function after(rows: number, score: () => number): number {
  const recent = new Float64Array(BINS)
  for (let i = 0; i < rows; i++) countDrift(recent, score(), DECILES)
  return driftOf(recent)
}

describe('driftOf', () => {
  it('is about nothing while scores are distributed as those of the validation', () => {
    const random = seededRandom(1)
    expect(after(2000, random.next)).toBeLessThan(0.3)
    expect(after(100, random.next)).toBeNaN()
    expect(after(2000, () => NaN)).toBeNaN()
  })

  it('is the population stability index in bars of 0.25', () => {
    // Of 10 tenths only the last is met: (1 − 0.1) ln 10 + 9 (0 − 0.1) ln 0, the empty ones being half a row of 256 and 5.
    const [full, empty] = [(256 + 0.5) / 261, 0.5 / 261]
    const index = (full - 0.1) * Math.log(full * 10) + 9 * (empty - 0.1) * Math.log(empty * 10)
    expect(after(10_000, () => 2)).toBeCloseTo(index / 0.25, 6)
  })

  it('rises above one when errors grow by half, and stays at nought when they shrink', () => {
    const random = seededRandom(2)
    expect(after(600, () => 1.5 * random.next())).toBeGreaterThan(1)
    expect(after(600, () => 0.3 * random.next())).toBe(0)
  })
})
