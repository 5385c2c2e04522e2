import { describe, expect, it } from 'vitest'
import { segmentsOf } from './series.ts'
import { KINDS, listSynthetic, makeSynthetic, NOISES, STRENGTHS, synthesisOf } from './synthetic.ts'

describe('synthetic series', () => {
  it('are the same each time, and differ from seed to seed', () => {
    const a = makeSynthetic('spike', 'weak', 'loud', 1)
    expect(makeSynthetic('spike', 'weak', 'loud', 1)).toEqual(a)
    expect(makeSynthetic('spike', 'weak', 'loud', 2).columns.value).not.toEqual(a.columns.value)
  })

  it('have one anomaly each, in the test part, except for calm ones', async () => {
    const entries = listSynthetic()
    expect(entries).toHaveLength(((KINDS.length - 1) * STRENGTHS.length + 1) * NOISES.length * 2)
    for (const { name, load } of entries) {
      const { labels, trainRows, columns } = await load()
      const segments = segmentsOf(labels)
      const { kind } = synthesisOf(name)
      expect(segments, name).toHaveLength(kind === 'calm' ? 0 : 1)
      for (const [first, last] of segments) {
        expect(first).toBeGreaterThan(trainRows)
        expect(columns.value!.subarray(first, last + 1).some(Number.isNaN)).toBe(kind === 'missing')
      }
    }
  })

  it.each(['quiet', 'loud', 'heavy'] as const)('move as far as their strength says, %s', noise => {
    const strange = makeSynthetic('level shift', 'strong', noise, 1)
    const [[first, last]] = segmentsOf(strange.labels) as [[number, number]]
    const mean = (from: number, to: number) => strange.columns.value!.subarray(from, to).reduce((a, b) => a + b, 0) / (to - from)
    const day = 288
    const spread = { quiet: 1, loud: 6, heavy: 2 }[noise]
    const rise = mean(first, last + 1) - mean(first - 7 * day, last + 1 - 7 * day)
    expect(rise / spread).toBeGreaterThan(14)
    expect(rise / spread).toBeLessThan(18)
  })
})
