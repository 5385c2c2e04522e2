import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { seededRandom } from '../math/random.ts'
import { contextTree } from './context-tree.ts'

const SIZE = 1200
function detect(change: (x: number, i: number) => number, options = {}) {
  const random = seededRandom(2)
  const times = Float64Array.from({ length: SIZE }, (_, i) => i * MINUTE)
  const values = times.map((_, i) => change(50 + 30 * Math.sin(i / 8) + random.next(), i))
  return contextTree
    .create(contextTree.config.parse({ margin: 0.1, ...options }))
    .detect(fromValues(times, values), { start: 0, end: 1e12 }).columns
}

describe('context-tree', () => {
  it('finds a wave that stands still for a while at usual values, and rests afterwards', () => {
    const { score } = detect((x, i) => (i >= 1000 && i < 1030 ? 78 : x))
    const first = score.findIndex((value, i) => i >= 900 && value > 4)
    expect(first).toBeGreaterThanOrEqual(1000)
    expect(first).toBeLessThan(1030)
  })

  it('scores values outside the range while it rests', () => {
    const { score, lower, upper } = detect((x, i) => (i >= 1000 && i < 1004 ? 500 : x))
    for (let i = 1000; i < 1004; i++) expect(score[i]).toBeGreaterThan(2)
    expect([lower[999] < 20, upper[999] > 81, upper[999] < 100]).toEqual([true, true, true])
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect((x, i) => (i >= 1000 && i < 1030 ? 78 : x))
    expect([255, 256, 400, 700, 999, 1002, 1010, 1100].map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0,
        2.918,
        2.615,
        2.23,
        0,
        0,
        0,
      ]
    `)
  })
})
