import { describe, expect, it } from 'vitest'
import { symmetricEigen } from './symmetric-eigen.ts'

describe('symmetric eigenvalues', () => {
  it('are those of a known matrix', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, 5), 3)
    expect(Array.from(values, value => Number(value.toFixed(12)))).toEqual([5, 3, 1])
    expect(vectors[2]).toBeCloseTo(1, 12)
    expect(vectors[3]).toBeCloseTo(Math.SQRT1_2, 12)
    expect(vectors[4]).toBeCloseTo(Math.SQRT1_2, 12)
  })

  it.each([1, 2, 7, 30])('put the matrix together again, %d by %d', n => {
    const a = new Float64Array(n * n)
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = Math.sin(i * 12.9 + j * 78.2) * (1 + i)
    const { values, vectors } = symmetricEigen(a, n)
    for (let i = 0; i < n; i++) {
      if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1])
      for (let j = 0; j < n; j++) {
        let sum = 0
        let dot = 0
        for (let k = 0; k < n; k++) {
          sum += vectors[k * n + i] * values[k] * vectors[k * n + j]
          dot += vectors[i * n + k] * vectors[j * n + k]
        }
        expect(sum).toBeCloseTo(a[i * n + j], 9)
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 9)
      }
    }
  })

  it('of nothing and of NaN end', () => {
    expect([...symmetricEigen(new Float64Array(4), 2).values]).toEqual([0, 0])
    expect(symmetricEigen(Float64Array.of(NaN, 1, 1, 2), 2).values.some(Number.isNaN)).toBe(true)
  })
})
