import { describe, expect, it } from 'vitest'
import { seededRandom } from '../math/random.ts'
import { buildHalfSpaceTrees } from './half-space-trees.ts'

const ranges = { low: Float64Array.of(0, -10), high: Float64Array.of(1, 10) }
const DEPTH = 6

interface Node {
  rows: number[][]
  column: number
  middle: number
  halves: Node[]
}

/** One tree by algorithm 1, with lists of rows in place of masses; draws its random numbers in the same order. */
function grow(rows: number[][], low: number[], high: number[], level: number, random: () => number): Node {
  if (level === DEPTH) return { rows, column: -1, middle: NaN, halves: [] }
  const column = Math.floor(random() * low.length)
  const middle = (low[column] + high[column]) / 2
  const left = rows.filter(row => row[column] < middle)
  const right = rows.filter(row => !(row[column] < middle))
  const halves = [
    grow(left, low, high.with(column, middle), level + 1, random),
    grow(right, low.with(column, middle), high, level + 1, random),
  ]
  return { rows, column, middle, halves }
}

function massOf(node: Node, row: number[], limit: number, level = 0): number {
  if (node.rows.length <= limit || node.halves.length === 0) return Math.log2(1 + node.rows.length * 2 ** level)
  return massOf(node.halves[row[node.column] < node.middle ? 0 : 1], row, limit, level + 1)
}

describe('buildHalfSpaceTrees', () => {
  const random = seededRandom(3)
  const rows = Array.from({ length: 200 }, () => [0.4 + 0.2 * random.next(), 4 * (random.next() + random.next() - 1)])
  const flat = Float64Array.from(rows.flat())
  const build = (trees: number) => buildHalfSpaceTrees(flat, rows.length, ranges, { trees, depth: DEPTH }, seededRandom(1))

  it('agrees with a naive twin', () => {
    const draw = seededRandom(1)
    const twins = Array.from({ length: 20 }, () => {
      const work = [0, 1].map(c => {
        const span = ranges.high[c] - ranges.low[c]
        const at = draw.next()
        const reach = 2 * Math.max(at, 1 - at)
        return [ranges.low[c] + span * (at - reach), ranges.low[c] + span * (at + reach)]
      })
      return grow(
        rows,
        work.map(([low]) => low),
        work.map(([, high]) => high),
        0,
        draw.next,
      )
    })
    const space = build(20)
    for (const row of [...rows.slice(0, 50), [0, 0], [1, 10], [-5, 900]])
      expect(space.mass(row)).toBeCloseTo(twins.reduce((sum, twin) => sum + massOf(twin, row, 20), 0) / 20, 9)
  })

  it('explains a row by what the halvings of each column take from its mass', () => {
    const space = build(50)
    const credits = Float64Array.of(9, 9)
    for (const row of [rows[0], [0, 0], [1, 10], [-5, 900]]) {
      space.explain(row, credits)
      expect(credits[0] + credits[1]).toBeCloseTo(Math.log2(201) - space.mass(row), 9)
    }
    space.explain([0.5, 9], credits)
    expect(credits[1]).toBeGreaterThan(4 * Math.max(0, credits[0]))
    space.explain([0.05, 0], credits)
    expect(credits[0]).toBeGreaterThan(4 * Math.max(0, credits[1]))
  })

  it('gives rows among many a high mass, and rows in empty space little', () => {
    const space = build(50)
    expect(space.mass([0.5, 0])).toBeGreaterThan(space.mass([0.5, 3.9]) + 1)
    expect(space.mass([0.5, 3.9])).toBeGreaterThan(space.mass([0.95, 9]) + 1)
  })
})
