import { describe, expect, it } from 'vitest'
import { kMeans, nearestCentre, squaredDistance } from './k-means.ts'
import { seededRandom } from './random.ts'

const random = (seed = 1) => seededRandom(seed).next

describe('kMeans', () => {
  it('finds clouds that stand apart', () => {
    const noise = random(2)
    const clouds = [
      [0, 0],
      [10, 0],
      [0, 10],
    ]
    const points = Float64Array.from(Array.from({ length: 90 }, (_, i) => clouds[i % 3].map(at => at + noise() - 0.5)).flat())
    const { centres, count } = kMeans(points, 2, 3, random())
    expect(count).toBe(3)
    for (const [x, y] of clouds) {
      const distances = [0, 1, 2].map(c => Math.hypot(centres[2 * c] - x, centres[2 * c + 1] - y))
      expect(Math.min(...distances)).toBeLessThan(0.2)
    }
  })

  it('ends where each centre is the mean of the points nearest to it', () => {
    const noise = random(3)
    const points = Float64Array.from({ length: 400 }, () => noise())
    const { centres, count } = kMeans(points, 2, 5, random(), 200)
    for (let c = 0; c < count; c++) {
      const members = [...Array(200).keys()].filter(i => nearestCentre(points, 2 * i, centres, count, 2) === c)
      for (const d of [0, 1]) {
        const mean = members.reduce((sum, i) => sum + points[2 * i + d], 0) / members.length
        expect(centres[2 * c + d]).toBeCloseTo(mean, 9)
      }
    }
  })

  it('makes no more centres than there are different points', () => {
    expect(kMeans(new Float64Array(20).fill(4), 2, 5, random())).toMatchObject({ count: 1, centres: Float64Array.of(4, 4) })
    expect(kMeans(Float64Array.of(1, 2, 3), 1, 5, random()).count).toBe(3)
  })

  it('measures squared distances', () =>
    expect(squaredDistance(Float64Array.of(9, 1, 2), 1, Float64Array.of(4, 6), 0, 2)).toBe(25))

  it('wants points', () => expect(() => kMeans(new Float64Array(0), 2, 3, random())).toThrow('must hold at least one'))
})
