import fc from 'fast-check'
import { expect, it } from 'vitest'
import { movingMean } from './moving-mean.ts'

it('is the weighted mean of its window, which removes a season of its width', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 9 }),
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 30, maxLength: 60 }),
      (width, x) => {
        const half = width >> 1
        const means = movingMean(x, width)
        for (let i = half; i < x.length - half; i++) {
          const window = x.slice(i - half, i + half + 1)
          const weights = window.map((_, k) => (width % 2 === 0 && (k === 0 || k === window.length - 1) ? 0.5 : 1))
          expect(means[i]).toBeCloseTo(window.reduce((sum, v, k) => sum + v * weights[k], 0) / width, 9)
        }
        expect(means[0]).toBe(means[half])
        expect(means.at(-1)).toBe(means[x.length - 1 - half])
        const season = x.map((_, i) => [7, -2, 4, 9, 0, 1, 3, 5, 8][i % width])
        const flat = movingMean(season, width)
        for (const mean of flat) expect(mean).toBeCloseTo(flat[0], 9)
      },
    ),
  )
})

it('goes on over gaps, and is unknown where nearly nothing is', () => {
  const x = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 5 : NaN))
  expect([...movingMean(x, 6)].every(mean => mean === 5)).toBe(true)
  expect(movingMean([1, ...Array.from({ length: 30 }, () => NaN), 1], 8)[16]).toBeNaN()
  expect(movingMean([], 4)).toHaveLength(0)
})
