import { describe, expect, it } from 'vitest'
import { detect } from './detect.ts'
import { fromStream } from './detectors/from-stream.ts'
import { InputError } from './errors.ts'

/** Two days of a tide at a minute, with a spike at row 2500. */
const values = Array.from(
  { length: 2880 },
  (_, i) => 100 + 40 * Math.sin((2 * Math.PI * i) / 1440) + 3 * Math.sin(i * 12.9898) + (i >= 2500 && i < 2504 ? 300 : 0),
)

describe('detect', () => {
  it('finds the rows of a spike and says it in a sentence', () => {
    const found = detect(values, { labels: { signal: 'Requests' } })
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ from: 2500, direction: 'up', detector: 'default', ongoing: false })
    expect(found[0]!.to).toBeGreaterThanOrEqual(2504)
    expect(found[0]!.at).toBeGreaterThanOrEqual(2500)
    expect(found[0]!.sentence).toMatch(/^Requests was .* at 2500–\d+$/)
  })
  it('says when, given times', () => {
    const start = Date.UTC(2026, 0, 5)
    const times = values.map((_, i) => start + i * 60_000)
    const [anomaly] = detect(values, { times })
    expect(anomaly).toMatchObject({ start: times[2500], from: 2500 })
    expect(anomaly!.sentence).toContain('17:40')
  })
  it('finds nothing in calm, in little and in nothing', () => {
    expect(detect(values.slice(0, 2500))).toEqual([])
    expect(detect([1, 2, 3])).toEqual([])
    expect(detect([])).toEqual([])
    expect(detect(Array(500).fill(7))).toEqual([])
  })
  it('takes null, undefined and NaN for unknown', () => {
    const holes: (number | null | undefined)[] = values.map((value, i) =>
      i % 50 === 0 ? null : i % 50 === 1 ? undefined : i % 50 === 2 ? NaN : value,
    )
    expect(detect(holes).map(({ from }) => from)).toEqual(detect(values).map(({ from }) => from + 3))
  })
  it('does not write into what it is given', () => {
    const given = Float64Array.from(values)
    detect(given)
    expect(Array.from(given)).toEqual(values)
  })
  it('takes parts by type, with options and made', () => {
    const detector = fromStream({
      lookback: 0,
      open: () => ({
        score: (_, row) => ({ score: row[0]!, value: row[0]!, expected: NaN, lower: NaN, upper: NaN }),
        learn() {},
        snapshot: () => ({ version: 1 }),
      }),
    })
    const rule = { type: 'threshold', limit: 300 }
    expect(detect(values, { detector, rule, refine: [] })).toEqual([
      expect.objectContaining({ from: 2500, to: 2504, strength: expect.any(Number) }),
    ])
    expect(detect(values, { detector: 'ewma' }).length).toBeGreaterThan(0)
    expect(detect(values, { detector: { type: 'seasonal', season: ['1d'] } })[0]).toMatchObject({ from: 2500 })
  })
  it('refuses what can never be right', () => {
    expect(() => detect(5 as never)).toThrow(InputError)
    expect(() => detect([1, 2], { times: [2, 1] })).toThrow(/times must ascend strictly/)
    expect(() => detect([1, 2], { times: [1] })).toThrow(InputError)
    expect(() => detect([1, 2], { step: 0 })).toThrow(/step must be a positive number/)
    expect(() => detect([1, 2], { detector: 'seasnal' })).toThrow(/type must be one of/)
  })
})
