import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clamp } from './clamp.ts'
import { isMeasured } from './is-measured.ts'
import { mad } from './mad.ts'
import { median } from './median.ts'
import { quantile } from './quantile.ts'

describe('quantile, median, mad', () => {
  it('interpolates between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect(quantile([1, 2, 3, 4, 5], 0.9)).toBeCloseTo(4.6)
    expect(quantile([1, 2], 0)).toBe(1)
    expect(quantile([1, 2], 1)).toBe(2)
  })
  it('is to the bit what sorting gives, ties and infinities too', () => {
    const cell = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double(), fc.constantFrom(NaN, Infinity, -Infinity))
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 60 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
        const sorted = values.filter(value => !Number.isNaN(value)).toSorted((a, b) => a - b)
        const at = p * (sorted.length - 1)
        const low = Math.floor(at)
        const share = at - low
        const expected = share === 0 ? sorted[low] : sorted[low] * (1 - share) + sorted[low + 1] * share
        expect(quantile(values, p) + 0).toEqual(sorted.length === 0 ? NaN : expected + 0)
      }),
    )
  })
  it('leaves NaN out and is NaN when nothing is known', () => {
    expect(median([NaN, 3, 1, NaN, 2])).toBe(2)
    expect(median([])).toBe(NaN)
    expect(mad([NaN, NaN])).toBe(NaN)
    expect(mad([1, 1, 1, 1, 90, NaN])).toBe(0)
    expect(mad([1, 2, 3, 4, 5])).toBeCloseTo(1.4826)
  })
  it('stays among the values and does not change them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, p) => {
          const copy = [...values]
          const found = quantile(values, p)
          expect(found).toBeGreaterThanOrEqual(Math.min(...values))
          expect(found).toBeLessThanOrEqual(Math.max(...values))
          expect(values).toEqual(copy)
        },
      ),
    )
  })
})

describe('clamp and isMeasured', () => {
  it('keeps to the bounds and keeps NaN', () => {
    expect([clamp(-2, 0, 1), clamp(0.5, 0, 1), clamp(7, 0, 1), clamp(NaN, 0, 1)]).toEqual([0, 0.5, 1, NaN])
  })
  it('rejects what cannot be calculated with', () => {
    expect([0, -5, 1e99].every(isMeasured)).toBe(true)
    expect([NaN, Infinity, -Infinity, 1e300].some(isMeasured)).toBe(false)
  })
})
