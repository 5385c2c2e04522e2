import fc from 'fast-check'
import { expect, it } from 'vitest'
import { autocorrelation } from './autocorrelation.ts'

const values = fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -99, max: 99 }) }, fc.constant(NaN)), {
  minLength: 20,
  maxLength: 80,
})

function naive(x: readonly number[], lag: number): number {
  const known = x.filter(value => !Number.isNaN(value))
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  const pairs = x.slice(lag).flatMap((b, i) => (Number.isNaN(b) || Number.isNaN(x[i]) ? [] : [[x[i] - mean, b - mean]]))
  if (pairs.length < 8 || pairs.length < (x.length - lag) / 4) return NaN
  const sum = (f: (a: number, b: number) => number) => pairs.reduce((total, [a, b]) => total + f(a, b), 0)
  const scale = Math.sqrt(sum(a => a * a) * sum((_, b) => b * b))
  return scale > 0 ? sum((a, b) => a * b) / scale : NaN
}

it('is what its definition says', () => {
  fc.assert(
    fc.property(values, x => {
      const r = autocorrelation(x, 12)
      for (const [lag, value] of r.entries()) {
        const wanted = naive(x, lag)
        if (Number.isNaN(wanted)) expect(value).toBeNaN()
        else expect(value).toBeCloseTo(wanted, 9)
      }
    }),
  )
})

it('has no more lags than there are pairs', () => {
  expect(autocorrelation([1, 2, 3], 10)).toHaveLength(3)
  expect(autocorrelation([], 10)).toHaveLength(1)
})
