import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { seededRandom } from '../math/random.ts'
import { isolationForest } from './isolation-forest.ts'

const SIZE = 1500
const times = Float64Array.from({ length: SIZE }, (_, i) => i * MINUTE)

/** Two columns that move together, and one that stands still. */
function frame(change: (row: number[], i: number) => void = () => {}) {
  const random = seededRandom(8)
  const columns = { a: new Float64Array(SIZE), b: new Float64Array(SIZE), c: new Float64Array(SIZE) }
  for (let i = 0; i < SIZE; i++) {
    const load = random.next()
    const row = [load + 0.05 * random.next(), 1000 * (load + 0.05 * random.next()), 4]
    change(row, i)
    Object.values(columns).forEach((column, c) => (column[i] = row[c]))
  }
  return { labels: {}, times, columns }
}
const detect = (input: ReturnType<typeof frame>, options = {}) =>
  isolationForest.create(isolationForest.config.parse(options)).detect(input, { start: 0, end: 1e12 }).columns
const rank = (score: Float64Array, at: number) => score.filter(value => value > score[at]).length

describe('isolation-forest', () => {
  it('is undecided for 128 rows, then names the strangest column', () => {
    const { score, channel, value, expected, lower, upper } = detect(
      frame((row, i) => {
        if (i === 1200) row[1] = 5000
        if (i === 1300) row[2] = 9
      }),
    )
    expect(score.findIndex(Number.isFinite)).toBe(128)
    expect([1200, 1300].map(i => channel![i])).toEqual([1, 2])
    expect([1200, 1300].map(i => rank(score, i))).toEqual([0, 1])
    expect([value[1200], value[1300]]).toEqual([5000, 9])
    expect(expected[1300]).toBe(4)
    expect(expected[1200]).toBeGreaterThan(400)
    expect([lower[1200] < 50, upper[1200] < 1100]).toEqual([true, true])
  })

  it('finds a row whose columns are each usual but not together, among the strangest', () => {
    const { score } = detect(frame((row, i) => i === 1200 && ([row[0], row[1]] = [0.03, 1000])))
    expect(rank(score, 1200)).toBeLessThan(0.05 * SIZE)
  })

  it('gives a row that stands out to the column that sets it apart, and calm rows to none', () => {
    const { score, share0, share1, share2 } = detect(frame((row, i) => i === 1200 && (row[1] = 5000)))
    expect(share1![1200]).toBeGreaterThan(0.7)
    const calm = [...score.keys()].filter(i => score[i] === 0)
    expect(calm.length).toBeGreaterThan(400)
    for (const i of calm) expect([share0![i], share1![i], share2![i]]).toEqual([NaN, NaN, NaN])
  })

  it('scores a row with unknown cells by the others', () => {
    const { score } = detect(frame((row, i) => (i % 3 === 0 && (row[0] = NaN), i === 1200 && (row[1] = 9000))))
    expect(rank(score, 1200)).toBe(0)
    expect(score.slice(128).every(Number.isFinite)).toBe(true)
  })

  it('forgets what left its window', () => {
    const { score } = detect(
      frame((row, i) => i >= 700 && (row[0] += 50)),
      { window: 256, refit: 128 },
    )
    expect(score[700]).toBeGreaterThan(1.3 * Math.max(...score.slice(1200)))
    expect(score[1499]).toBeLessThan(2)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(frame((row, i) => i === 1200 && (row[1] = 5000)))
    expect([127, 128, 300, 600, 1000, 1200, 1499].map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0,
        0.941,
        0,
        0,
        8.176,
        0.306,
      ]
    `)
  })
})
