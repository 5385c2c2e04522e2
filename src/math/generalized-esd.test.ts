import { describe, expect, it } from 'vitest'
import { criticalValue, generalizedEsd } from './generalized-esd.ts'
import { mad } from './mad.ts'
import { median } from './median.ts'
import { normalQuantile, studentQuantile } from './student-t.ts'

describe('quantiles', () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959963985],
    [0.999999, 4.753424309],
    [0.001, -3.090232306],
  ])('normal %d', (p, wanted) => expect(normalQuantile(p)).toBeCloseTo(wanted, 7))

  it.each([
    [0.975, 10, 2.228139],
    [0.999, 52, 3.254512],
    [0.99999, 100, 4.478427],
    [0.9999875, 1998, 4.224716],
  ])('t %d with %d degrees', (p, degrees, wanted) => expect(studentQuantile(p, degrees)).toBeCloseTo(wanted, 4))
})

/** By definition. */
function naive(values: readonly number[], most: number, alpha: number) {
  const left = [...values]
  let outliers = 0
  let rest = [...left]
  for (let i = 1; i <= most; i++) {
    const centre = median(left)
    const scale = Math.max(mad(left), 1e-12)
    const at = left.reduce((best, value, j) => (Math.abs(value - centre) > Math.abs(left[best] - centre) ? j : best), 0)
    const exceeds = Math.abs(left[at] - centre) / scale > criticalValue(values.length, i, alpha)
    left.splice(at, 1)
    if (exceeds) {
      outliers = i
      rest = [...left]
    }
  }
  return { outliers, median: median(rest), scale: Math.max(mad(rest), 1e-12) }
}

const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1

describe('generalizedEsd', () => {
  it.each([50, 51, 200, 333])('equals the definition on %i values', length => {
    const values = Array.from({ length }, (_, i) => noise(i) + (i % 19 === 3 ? 7 : 0) - (i === 20 ? 400 : 0))
    const wanted = naive(values, Math.floor(length / 8), 0.05)
    expect(wanted.outliers).toBeGreaterThan(2)
    const found = generalizedEsd(values, Math.floor(length / 8), 0.05)
    expect(found.outliers).toBe(wanted.outliers)
    expect(found.median).toBeCloseTo(wanted.median, 12)
    expect(found.scale).toBeCloseTo(wanted.scale, 12)
  })

  it("has Rosner's critical values", () => {
    // Rosner 1983, as printed in the NIST handbook, section 1.3.5.17.3: n = 54, α = 0.05.
    const printed = [3.158, 3.151, 3.143, 3.136, 3.128, 3.12, 3.111, 3.103, 3.094, 3.085]
    for (const [k, value] of printed.entries()) expect(criticalValue(54, k + 1, 0.05)).toBeCloseTo(value, 2)
  })

  it('finds none in a constant', () => {
    expect(generalizedEsd(new Float64Array(40).fill(3), 5, 0.05)).toMatchObject({ outliers: 0, median: 3, scale: 1e-12 })
  })
})
