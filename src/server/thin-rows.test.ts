import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { thinRows } from './thin-rows.ts'

function scoresOf(value: number[], score: number[] = value.map(() => 0)): Scores {
  const nothing = new Float64Array(value.length).fill(NaN)
  return {
    labels: {},
    times: Float64Array.from(value, (_, i) => i),
    columns: {
      value: Float64Array.from(value),
      score: Float64Array.from(score),
      expected: nothing,
      lower: nothing,
      upper: nothing,
    },
  }
}

describe('thinRows', () => {
  it('keeps all when there are few', () => expect(thinRows(scoresOf([1, 2, 3]), 3)).toEqual([0, 1, 2]))

  it('keeps order, size and extremes', () => {
    const values = fc.array(fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(NaN)), { maxLength: 300 })
    fc.assert(
      fc.property(values, fc.integer({ min: 3, max: 60 }), (value, most) => {
        const rows = thinRows(scoresOf(value), most)
        expect(rows.length).toBeLessThanOrEqual(Math.max(1, most))
        expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b))
        const known = value.filter(x => !Number.isNaN(x))
        if (known.length === 0) return
        const kept = rows.map(row => value[row]!)
        expect(kept).toContain(Math.max(...known))
        expect(kept).toContain(Math.min(...known))
      }),
    )
  })

  it('keeps a gap', () => {
    const value = Array.from({ length: 90 }, (_, i) => (i >= 30 && i < 60 ? NaN : i))
    expect(thinRows(scoresOf(value), 30).some(row => Number.isNaN(value[row]!))).toBe(true)
  })
})
