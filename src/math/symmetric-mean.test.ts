import { describe, expect, it } from 'vitest'
import { seededRandom } from './random.ts'
import { symmetricMean } from './symmetric-mean.ts'

describe('symmetricMean', () => {
  it('agrees with its naive twin over gaps', () => {
    const random = seededRandom(5)
    const values = Float64Array.from({ length: 80 }, () => (random.next() < 0.3 ? NaN : random.next()))
    const fast = symmetricMean(values, 6)
    for (let i = 0; i < values.length; i++) {
      const near = Math.min(6, i, values.length - 1 - i)
      const known = Array.from(values.slice(i - near, i + near + 1)).filter(value => !Number.isNaN(value))
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length
      if (Number.isNaN(mean)) expect(fast[i]).toBeNaN()
      else expect(fast[i]).toBeCloseTo(mean, 12)
    }
  })
  it('leaves nothing of a straight trend, at the ends neither', () => {
    const values = Float64Array.from({ length: 50 }, (_, i) => 1e6 + 3 * i)
    for (const [i, mean] of symmetricMean(values, 10).entries()) expect(mean).toBeCloseTo(values[i], 6)
  })
})
