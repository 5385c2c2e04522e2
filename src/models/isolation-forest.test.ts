import { describe, expect, it } from 'vitest'
import { seededRandom } from '../math/random.ts'
import { growIsolationForest, usualPathLength } from './isolation-forest.ts'

/** Path length of a point in one random tree (algorithms 2 and 3), grown on lists only as far as the point needs. */
function isolate(rows: number[][], point: number[], level: number, depth: number, random: () => number): number {
  const columns = point.map((_, c) => c).filter(c => rows.some(row => row[c] !== rows[0]?.[c]))
  if (level >= depth || rows.length <= 1 || columns.length === 0) return level + usualPathLength(rows.length)
  const c = columns[Math.floor(random() * columns.length)]
  const cells = rows.map(row => row[c])
  const value = Math.min(...cells) + random() * (Math.max(...cells) - Math.min(...cells))
  const same = rows.filter(row => row[c] <= value === point[c] <= value)
  return isolate(same, point, level + 1, depth, random)
}

describe('growIsolationForest', () => {
  const random = seededRandom(6)
  const rows = Array.from({ length: 300 }, () => [random.next() + random.next() + random.next(), 7, 100 * random.next()])
  const flat = Float64Array.from(rows.flat())

  it('agrees with trees grown by the definition', () => {
    const forest = growIsolationForest(flat, 300, 3, { trees: 1000, sample: 64 }, seededRandom(1))
    const draw = seededRandom(2)
    for (const point of [[1.5, 7, 50], [0, 7, 99], [3, 7, 200], rows[0]]) {
      let sum = 0
      for (let t = 0; t < 1000; t++) {
        const sample = rows.map(row => ({ row, key: draw.next() })).sort((a, b) => a.key - b.key)
        sum += isolate(
          sample.slice(0, 64).map(({ row }) => row),
          point,
          0,
          6,
          draw.next,
        )
      }
      expect(forest.score(point)).toBeCloseTo(2 ** (-sum / 1000 / usualPathLength(64)), 1.5)
    }
  })

  it('scores far rows above usual ones, whatever lies in constant columns', () => {
    const forest = growIsolationForest(flat, 300, 3, { trees: 100, sample: 256 }, seededRandom(1))
    expect(forest.score([1.5, 7, 50])).toBeLessThan(0.5)
    expect(forest.score([3.2, 7, 130])).toBeGreaterThan(0.65)
    expect(forest.score([1.5, 9, 50])).toBe(forest.score([1.5, 7, 50]))
  })

  it('explains a row by what the cuts in each column shorten its path', () => {
    const forest = growIsolationForest(flat, 300, 3, { trees: 200, sample: 64 }, seededRandom(1))
    const credits = Float64Array.of(9, 9, 9)
    for (const point of [[1.5, 7, 50], [3.2, 7, 130], rows[0]]) {
      forest.explain(point, credits)
      const path = -Math.log2(forest.score(point)) * usualPathLength(64)
      expect(credits.reduce((a, b) => a + b)).toBeCloseTo(usualPathLength(64) - path, 9)
    }
    forest.explain([1.5, 7, 200], credits)
    expect(credits[2]).toBeGreaterThan(1)
    expect(credits[0]).toBeLessThan(0.25)
    expect(credits[1]).toBe(0)
  })

  it('explains as its naive twin, a tree grown by hand', () => {
    // Of the rows 0, 0, 0 and 1, the only cut that there can be sets the last one apart.
    const forest = growIsolationForest(Float64Array.of(0, 0, 0, 1), 4, 1, { trees: 3, sample: 4 }, seededRandom(1))
    const credits = new Float64Array(1)
    forest.explain([1], credits)
    expect(credits[0]).toBeCloseTo(usualPathLength(4) - 1 - usualPathLength(1), 12)
    forest.explain([0], credits)
    expect(credits[0]).toBeCloseTo(usualPathLength(4) - 1 - usualPathLength(3), 12)
  })

  it('grows on equal rows and on one row', () => {
    const same = growIsolationForest(new Float64Array(40).fill(3), 20, 2, { trees: 5, sample: 16 }, seededRandom(1))
    expect(same.score([3, 3])).toBe(0.5)
    expect(growIsolationForest(Float64Array.of(1), 1, 1, { trees: 5, sample: 16 }, seededRandom(1)).score([1])).toBe(1)
  })
})

it('usualPathLength is equation 1', () => {
  expect([0, 1, 2].map(usualPathLength)).toEqual([0, 0, 1])
  expect(usualPathLength(256)).toBeCloseTo(10.2448, 4)
})
