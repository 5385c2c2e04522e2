import { expect, it } from 'vitest'
import { powerAt } from './power-at.ts'

it('is a quarter of the squared amplitude of a wave, and nearly nothing beside it', () => {
  const x = Float64Array.from({ length: 3000 }, (_, i) => 4 * Math.cos((2 * Math.PI * i) / 30 + 1))
  expect(powerAt(x, 1 / 30)).toBeCloseTo(4, 9)
  expect(powerAt(x, 1 / 29)).toBeLessThan(0.05)
})

it('is what the sum says, over the known places', () => {
  const x = Array.from({ length: 1200 }, (_, i) => (i % 7 === 3 ? NaN : Math.sin(i * i)))
  const known = x.flatMap((value, i) => (Number.isNaN(value) ? [] : [[value, i]]))
  const part = (f: (angle: number) => number) =>
    known.reduce((sum, [value, i]) => sum + value * f(2 * Math.PI * 0.037 * i), 0) / known.length
  expect(powerAt(x, 0.037)).toBeCloseTo(part(Math.cos) ** 2 + part(Math.sin) ** 2, 12)
  expect(powerAt([NaN], 0.1)).toBeNaN()
})
