import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { laggedProducts } from './lagged-products.ts'
import { seededRandom } from './random.ts'

function naive(x: Float64Array, y: Float64Array, lag: number): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) if (i + lag >= 0 && i + lag < y.length) sum += x[i] * y[i + lag]
  return sum
}

describe('laggedProducts', () => {
  it('gives the sums of its naive twin, whatever the length and the reach', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 0, max: 90 }), fc.nat(), (rows, reach, seed) => {
        const random = seededRandom(seed)
        const series = Array.from({ length: 4 }, () => Float64Array.from({ length: rows }, () => random.next() * 2 - 1))
        const seen: number[] = []
        laggedProducts(series, reach).between(0, [2, 1, 3], (y, sums) => {
          seen.push(y)
          expect(sums).toHaveLength(2 * reach + 1)
          for (let lag = -reach; lag <= reach; lag++)
            expect(Math.abs(sums[lag + reach] - naive(series[0], series[y], lag))).toBeLessThan(1e-4)
        })
        expect(seen).toEqual([2, 1, 3])
      }),
      { numRuns: 60 },
    )
  })
  it('finds a shifted copy at its lag', () => {
    const random = seededRandom(7)
    const x = Float64Array.from({ length: 500 }, () => random.next() - 0.5)
    const y = Float64Array.from(x, (_, i) => x[i - 9] ?? 0)
    laggedProducts([x, y], 20).between(0, [1], (_, sums) => expect(sums.indexOf(Math.max(...sums)) - 20).toBe(9))
  })
})
