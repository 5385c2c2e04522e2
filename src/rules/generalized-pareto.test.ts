import { describe, expect, it } from 'vitest'
import { excessAt, fitTail } from './generalized-pareto.ts'

/** Excesses at even quantiles of the tail, so that there is no noise of sampling. */
const quantiles = (gamma: number, sigma: number, n = 2000) =>
  Float64Array.from({ length: n }, (_, i) => excessAt({ gamma, sigma }, 1 - (i + 0.5) / n))

describe('generalized Pareto tail', () => {
  it.each([-0.2, 0, 0.1, 0.3])('finds the shape %f it was drawn from', gamma => {
    const tail = fitTail(quantiles(gamma, 2), 0, 0)
    expect(tail.gamma).toBeCloseTo(gamma, 1)
    expect(tail.sigma).toBeGreaterThan(1.8)
    expect(tail.sigma).toBeLessThan(2.2)
  })

  it('knows the closed forms', () => {
    expect(excessAt({ gamma: 0, sigma: 3 }, Math.exp(-2))).toBeCloseTo(6)
    expect(excessAt({ gamma: 0.5, sigma: 1 }, 0.01)).toBeCloseTo(18)
    expect(excessAt({ gamma: 0.5, sigma: 1 }, 1)).toBe(0)
  })

  it('keeps to the prior when there is little to see, and to its bounds when there is much', () => {
    expect(fitTail([1, 2], 0.15, 1000).gamma).toBeCloseTo(0.15, 1)
    expect(fitTail(quantiles(0.9, 1), 0, 0).gamma).toBe(0.5)
    expect(fitTail(new Float64Array(50).fill(3), 0, 0).gamma).toBe(-0.25)
    expect(fitTail(new Float64Array(8), 0.15, 10)).toEqual({ gamma: 0.15, sigma: 0 })
  })

  it('follows probability-weighted moments, drawn to the prior', () => {
    // mean 2.5, weighted mean (1 · 0.8375 + 2 · 0.5875 + 3 · 0.3375 + 4 · 0.0875) / 4 = 0.84375
    const fitted = 2 - 2.5 / (2.5 - 2 * 0.84375)
    expect(fitted).toBeLessThan(-0.25)
    expect(fitTail([1, 2, 3, 4], 0.2, 4)).toEqual({ gamma: expect.closeTo(-0.025), sigma: expect.closeTo(2.5 * 1.025) })
    // mean 4, weighted mean (1 · 0.7833 + 1 · 0.45 + 10 · 0.1167) / 3 = 0.8
    const heavy = 2 - 4 / (4 - 2 * 0.8)
    expect(fitTail([1, 1, 10], 0.2, 0)).toEqual({ gamma: expect.closeTo(heavy), sigma: expect.closeTo(4 * (1 - heavy)) })
  })
})
