import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { factorCholesky, solveCholesky, solveLower } from './cholesky.ts'

/** A = M·Mᵀ + I of any square M is positive definite. */
function fromAny(m: readonly number[], n: number): Float64Array {
  const a = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++) a[i * n + j] += m[i * n + k] * m[j * n + k] + (i === j && k === 0 ? 1 : 0)
  return a
}
const multiply = (a: Float64Array, x: ArrayLike<number>, n: number, columns: number) =>
  Float64Array.from({ length: n * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let k = 0; k < n; k++) sum += a[i * n + k] * x[k * columns + j]
    return sum
  })

describe('cholesky', () => {
  it('factors the example of the textbook', () => {
    const lower = factorCholesky(Float64Array.of(4, 12, -16, 12, 37, -43, -16, -43, 98), 3)
    expect([...lower]).toEqual([2, 0, 0, 6, 1, 0, -8, 5, 3])
  })
  it('solves what it factored, for several right sides, in place too', () => {
    const number = fc.double({ min: -3, max: 3, noNaN: true })
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 7 })
          .chain(n => fc.tuple(fc.constant(n), fc.array(number, { minLength: n * n, maxLength: n * n }))),
        fc.array(number, { minLength: 14, maxLength: 14 }),
        ([n, m], right) => {
          const a = fromAny(m, n)
          const b = Float64Array.from(right.slice(0, 2 * n))
          const lower = factorCholesky(a, n)
          const x = solveCholesky(lower, n, b.slice(), 2)
          multiply(a, x, n, 2).forEach((value, i) => expect(value).toBeCloseTo(b[i], 6))
          const inPlace = a.slice()
          factorCholesky(inPlace, n, 0, inPlace)
          expect(solveCholesky(inPlace, n, b.slice(), 2)).toEqual(x)
          const white = solveLower(lower, n, b.slice(0, n))
          const whole = solveCholesky(lower, n, b.slice(0, n))
          const squared = white.reduce((sum, value) => sum + value * value, 0)
          expect(squared).toBeCloseTo(
            whole.reduce((sum, value, i) => sum + value * b[i], 0),
            6,
          )
        },
      ),
    )
  })
  it('adds the ridge to the diagonal', () => {
    const x = solveCholesky(factorCholesky(Float64Array.of(1, 1, 1, 1), 2, 1), 2, Float64Array.of(3, 3))
    expect([...x].map(value => Number(value.toFixed(9)))).toEqual([1, 1])
  })
  it('refuses what is not positive definite or not long enough', () => {
    expect(() => factorCholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow('positive definite, got a pivot of -3 at row 1')
    expect(() => factorCholesky(Float64Array.of(NaN), 1)).toThrow(RangeError)
    expect(() => factorCholesky(new Float64Array(3), 2)).toThrow('must have 4 elements, got 3')
    expect(() => solveCholesky(Float64Array.of(1), 1, new Float64Array(0))).toThrow(RangeError)
  })
})
