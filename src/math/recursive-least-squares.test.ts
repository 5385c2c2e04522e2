import { describe, expect, it } from 'vitest'
import { factorCholesky, solveCholesky } from './cholesky.ts'
import { startInverse, updateLeastSquares } from './recursive-least-squares.ts'

describe('recursive least squares', () => {
  it.each([1, 0.98])('is the weighted ridge regression over all rows, forgetting %d', forget => {
    const n = 4
    const weights = new Float64Array(n)
    const inverse = new Float64Array(n * n)
    startInverse(inverse, n)
    const normal = new Float64Array(n * n)
    for (let i = 0; i < n; i++) normal[i * n + i] = 0.01
    const right = new Float64Array(n)
    for (let t = 0; t < 200; t++) {
      const features = Float64Array.of(1, Math.sin(t), Math.cos(1.7 * t), ((t * 31) % 17) / 17)
      const target = 2 + 3 * features[1] - features[2] + 0.5 * features[3] + 0.1 * Math.sin(t * t)
      const error = target - features.reduce((sum, x, i) => sum + x * weights[i], 0)
      updateLeastSquares(weights, inverse, features, error, forget, new Float64Array(n))
      for (let i = 0; i < n; i++) {
        right[i] = forget * right[i] + features[i] * target
        for (let j = 0; j < n; j++) normal[i * n + j] = forget * normal[i * n + j] + features[i] * features[j]
      }
    }
    const wanted = solveCholesky(factorCholesky(normal, n), n, right)
    for (let i = 0; i < n; i++) expect(weights[i]).toBeCloseTo(wanted[i], 8)
  })

  it('neither grows without end on features that say nothing, nor forgets by them', () => {
    const weights = Float64Array.of(5, 7)
    const inverse = new Float64Array(4)
    startInverse(inverse, 2)
    for (let t = 0; t < 100_000; t++) updateLeastSquares(weights, inverse, Float64Array.of(1, 0), 0, 0.99, new Float64Array(2))
    expect([...weights]).toEqual([5, 7])
    expect(inverse[3]).toBeLessThan(1e5)
  })

  it('starts anew when rounding has spoiled the inverse', () => {
    const weights = new Float64Array(2)
    const inverse = Float64Array.of(-1, 0, 0, 1)
    updateLeastSquares(weights, inverse, Float64Array.of(1, 0), 1, 1, new Float64Array(2))
    expect([...inverse]).toEqual([100, 0, 0, 100])
    expect([...weights]).toEqual([0, 0])
  })
})
