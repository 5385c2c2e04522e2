import { describe, expect, it } from 'vitest'
import { minimise } from './nelder-mead.ts'

describe('minimise', () => {
  it('finds the bottom of a bowl', () => {
    const [x, y] = minimise(([x, y]) => (x - 3) ** 2 + 2 * (y + 1) ** 2, [0, 0], 0.5, 100)
    expect(x).toBeCloseTo(3, 3)
    expect(y).toBeCloseTo(-1, 3)
  })
  it('finds the end of a curved valley (Rosenbrock)', () => {
    const [x, y] = minimise(([x, y]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2, [-1.2, 1], 0.5, 300)
    expect(x).toBeCloseTo(1, 3)
    expect(y).toBeCloseTo(1, 3)
  })
  it('never returns a worse point than the start, also where the cost is NaN', () => {
    expect(minimise(([x]) => (x > 0 ? NaN : x * x), [-0.1], 0.5, 30)[0]).toBeCloseTo(0, 2)
  })
})
