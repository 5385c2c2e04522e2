import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { correlateAt } from './correlate-at.ts'
import { ranks } from './ranks.ts'

const cells = fc.array(
  fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -50, max: 50 }) }, { arbitrary: fc.constant(NaN), weight: 1 }),
  {
    minLength: 3,
    maxLength: 60,
  },
)

/** The textbook, over the shared rows only. */
function naive(x: readonly number[], y: readonly number[], lag: number) {
  const pairs = x.flatMap((value, i) => (Number.isNaN(value + (y[i + lag] ?? NaN)) ? [] : [[value, y[i + lag]]]))
  const mean = (at: number) => pairs.reduce((sum, pair) => sum + pair[at], 0) / pairs.length
  const [mx, my] = [mean(0), mean(1)]
  const sum = (f: (dx: number, dy: number) => number) => pairs.reduce((all, [a, b]) => all + f(a - mx, b - my), 0)
  const scale = Math.sqrt(sum(dx => dx * dx) * sum((_, dy) => dy * dy))
  return { r: pairs.length < 3 || scale === 0 ? NaN : sum((dx, dy) => dx * dy) / scale, rows: pairs.length }
}

const isSame = (a: number, b: number) => Object.is(a, b) || Math.abs(a - b) < 1e-9

describe('correlateAt', () => {
  it('agrees with its naive twin at every lag, gaps and all', () => {
    fc.assert(
      fc.property(cells, cells, fc.integer({ min: -20, max: 20 }), (x, y, lag) => {
        const [fast, slow] = [correlateAt(x, y, lag), naive(x, y, lag)]
        expect(fast.rows).toBe(slow.rows)
        expect(isSame(fast.r, slow.r)).toBe(true)
      }),
    )
  })
  it('is the same seen from the other side', () => {
    fc.assert(
      fc.property(cells, cells, fc.integer({ min: -20, max: 20 }), (x, y, lag) => {
        expect(isSame(correlateAt(x, y, lag).r, correlateAt(y, x, -lag).r)).toBe(true)
      }),
    )
  })
  it('keeps its digits at a great level', () => {
    const x = Array.from({ length: 100 }, (_, i) => 1e9 + Math.sin(i))
    expect(correlateAt(x, x).r).toBeCloseTo(1, 9)
  })
  it('is unknown without variance or shared rows', () => {
    expect(correlateAt([1, 1, 1, 1], [1, 2, 3, 4]).r).toBeNaN()
    expect(correlateAt([1, NaN, 3, NaN], [NaN, 2, NaN, 4])).toEqual({ r: NaN, rows: 0 })
  })
})

describe('ranks', () => {
  it('shares the rank of ties and leaves gaps', () =>
    expect(Array.from(ranks([30, 10, NaN, 10, 20]))).toEqual([4, 1.5, NaN, 1.5, 3]))
  it('makes Spearman of Pearson: any rising function correlates fully', () => {
    const x = Array.from({ length: 40 }, (_, i) => Math.sin(i * 12.9898))
    expect(correlateAt(ranks(x), ranks(x.map(value => Math.exp(5 * value)))).r).toBeCloseTo(1, 12)
  })
})
