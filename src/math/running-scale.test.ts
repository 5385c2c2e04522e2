import { describe, expect, it } from 'vitest'
import { emptyScale, learnScale, scaleOf } from './running-scale.ts'

const noise = (i: number) => ((Math.sin(i * 12.9898) * 43758.5453) % 1) * 2

describe('running scale', () => {
  it('comes near mean and deviation of noise', () => {
    const scale = emptyScale()
    for (let i = 0; i < 5000; i++) learnScale(scale, 50 + noise(i), 1000, 0)
    expect(scale.level).toBeCloseTo(50, 0)
    expect(scaleOf(scale, 0)).toBeGreaterThan(0.9)
    expect(scaleOf(scale, 0)).toBeLessThan(1.4)
  })

  it('hardly learns from a few outliers', () => {
    const scale = emptyScale()
    for (let i = 0; i < 1000; i++) learnScale(scale, i > 500 && i % 50 === 0 ? 1e6 : noise(i), 500, 0)
    expect(Math.abs(scale.level)).toBeLessThan(0.5)
    expect(scaleOf(scale, 0)).toBeLessThan(2)
  })

  it('has a floor, and leaves it when noise begins', () => {
    const scale = emptyScale()
    for (let i = 0; i < 100; i++) learnScale(scale, 7, 100, 0.1)
    expect(scaleOf(scale, 0.1)).toBe(0.1)
    for (let i = 0; i < 3000; i++) learnScale(scale, 7 + 5 * noise(i), 100, 0.1)
    expect(scaleOf(scale, 0.1)).toBeGreaterThan(3)
  })
})
