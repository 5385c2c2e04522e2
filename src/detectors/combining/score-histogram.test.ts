import { describe, expect, it } from 'vitest'
import { openScoreHistogram } from './score-histogram.ts'

const scores = Array.from({ length: 2000 }, (_, i) => (((i * 7919) % 1009) + 1) / 50)

describe('score histogram', () => {
  it('ranks and finds quantiles as sorting does, to the width of a bin', () => {
    const histogram = openScoreHistogram(1e9, 10)
    for (const score of scores) histogram.add(score)
    const sorted = scores.toSorted((a, b) => a - b)
    for (const p of [0.1, 0.5, 0.9, 0.99])
      expect(Math.log2(histogram.quantile(p) / sorted[Math.floor(p * 2000)])).toBeCloseTo(0, 0)
    for (const score of [0.5, 3, 10, 19]) {
      const part = scores.filter(other => other >= score).length / 2000
      expect(histogram.tail(score)).toBeCloseTo(-Math.log10(part), 1)
    }
    expect(histogram.tail(1000)).toBeCloseTo(-Math.log10(0.3 / 2001), 3)
  })

  it('forgets by half', () => {
    const histogram = openScoreHistogram(100, 10)
    for (let i = 0; i < 1000; i++) histogram.add(8)
    for (let i = 0; i < 100; i++) histogram.add(1)
    expect(histogram.tail(4)).toBeCloseTo(-Math.log10(0.5), 1)
    for (let i = 0; i < 20_000; i++) histogram.add(1)
    expect(histogram.tail(4)).toBeGreaterThan(2)
  })

  it('says nothing while there are few, nor of NaN and zero', () => {
    const histogram = openScoreHistogram(1e9, 2.5)
    expect(histogram.quantile(0.5)).toBeNaN()
    histogram.add(NaN)
    histogram.add(1)
    histogram.add(1)
    expect(histogram.tail(5)).toBe(0)
    histogram.add(0)
    expect(histogram.tail(5)).toBeGreaterThan(0)
    expect(histogram.tail(0)).toBe(0)
  })

  it('goes on from what it remembers, which is as long as what it holds', () => {
    const spreads = [[], [0], [1, 2], Array.from({ length: 40 }, (_, i) => 2 ** (i - 20) * 1.01), [1e-9, 1e9]]
    for (const before of spreads) {
      const histogram = openScoreHistogram(50, 1)
      for (const score of before) histogram.add(score)
      const stored = histogram.snapshot()
      const again = openScoreHistogram(50, 1, stored)
      for (const one of [histogram, again]) for (const score of [0.1, 3, 700]) one.add(score)
      expect(again.snapshot()).toEqual(histogram.snapshot())
      expect(again.tail(2)).toBe(histogram.tail(2))
    }
    const few = openScoreHistogram(50, 1)
    few.add(1)
    few.add(2)
    expect(few.snapshot().length).toBe(3 + 9)
  })

  it('reads what earlier versions wrote: all bins, total and weight', () => {
    const written = new Float64Array(322)
    // One score of 4, one that is 0; the next one weighs 2.
    written.set([1], (2 + 20) * 8)
    written.set([2, 2], 320)
    const histogram = openScoreHistogram(1, 0, written)
    expect(histogram.quantile(0.9)).toBe(4)
    expect(histogram.snapshot()).toEqual(Float64Array.of(176, 2, 2, 1))
  })
})
