import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openValueBuckets } from './value-buckets.ts'

const options = { count: 4, lower: 10, upper: 30 }

describe('openValueBuckets', () => {
  it('divides its range evenly, and keeps what is beyond in the outermost buckets', () => {
    const buckets = openValueBuckets(options)
    expect([10, 14.99, 15, 29.9, 30, 1e9, Infinity, -1e9, NaN].map(buckets.bucketOf)).toEqual([0, 0, 1, 3, 3, 3, 3, 0, -1])
  })

  it('expects the mean of what a bucket saw lately', () => {
    const buckets = openValueBuckets(options)
    expect(buckets.expected([0.5, 0, 0, 0.5])).toBe(20)
    for (let i = 0; i < 200; i++) buckets.learn(16)
    expect(buckets.expected([0, 1, 0, 0])).toBeCloseTo(16, 6)
    expect(buckets.expected([0.5, 0.5, 0, 0])).toBeCloseTo((12.5 + 16) / 2, 6)
  })

  it('gives quantiles in the unit of the numbers, out to the largest seen', () => {
    const buckets = openValueBuckets(options)
    const even = [0.25, 0.25, 0.25, 0.25]
    expect([0, 0.125, 0.5, 0.9, 1].map(p => buckets.quantile(even, p))).toEqual([10, 12.5, 20, 28, 30])
    for (const value of [48, NaN, 20]) buckets.learn(value)
    expect(buckets.quantile([0, 0, 0, 1], 0.5)).toBe((25 + 48) / 2)
    expect(buckets.quantile([0, 1, 0, 0], 1)).toBe(20)
    for (const value of [1e308, Infinity, -Infinity]) buckets.learn(value)
    expect(buckets.quantile([0, 0, 0, 1], 1)).toBe(50)
    expect(buckets.quantile([1, 0, 0, 0], 0)).toBe(-10)
    expect(buckets.expected([0, 0, 0, 1])).toBeLessThan(50)
  })

  it('orders quantiles, whatever the distribution', () => {
    const buckets = openValueBuckets({ count: 6, lower: -1, upper: 1 })
    const weights = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    fc.assert(
      fc.property(weights, w => {
        const sum = w.reduce((a, b) => a + b, 1e-9)
        const quantiles = [0.01, 0.25, 0.5, 0.75, 0.99].map(p =>
          buckets.quantile(
            w.map((x, b) => (x + (b === 0 ? 1e-9 : 0)) / sum),
            p,
          ),
        )
        expect(quantiles.toSorted((a, b) => a - b)).toEqual(quantiles)
        for (const quantile of quantiles) expect(Math.abs(quantile)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('goes on from a state', () => {
    const whole = openValueBuckets(options)
    for (const value of [3, 12, 55]) whole.learn(value)
    const resumed = openValueBuckets(options, structuredClone(whole.state()))
    for (const buckets of [whole, resumed]) buckets.learn(13)
    expect(resumed.state()).toEqual(whole.state())
  })

  it('refuses a range that is none', () => {
    expect(() => openValueBuckets({ ...options, upper: 10 })).toThrow('upper must be a finite number above lower (10), got 10')
  })
})
