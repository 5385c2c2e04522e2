import { describe, expect, it } from 'vitest'
import { concat, slice } from '../frame/frame.ts'
import type { Stream } from './detector.ts'
import { runStream } from './from-stream.ts'

/** Scores its first column, with the row as contributions. */
const echo: Stream = {
  score: (_time, row) => ({
    score: row[0],
    value: row[0],
    expected: NaN,
    lower: NaN,
    upper: NaN,
    contributions: Float64Array.from(row, value => value || 0),
  }),
  learn: () => {},
  snapshot: () => ({ version: 1 }),
}
const ALWAYS = { start: 0, end: 10 }
const frame = (...columns: number[][]) => ({
  labels: {},
  times: Float64Array.from(columns[0], (_, i) => i),
  columns: Object.fromEntries(columns.map((column, c) => [`c${c}`, Float64Array.from(column)])),
})

describe('runStream with contributions', () => {
  it('writes the share of each column, NaN where the score is unknown or nothing was added', () => {
    const { share0, share1, share2, ...rest } = runStream(
      echo,
      frame([1, NaN, 0, 9e99], [3, 1, 0, 9e99], [0, 1, 0, NaN]),
      ALWAYS,
    ).columns
    expect(share0).toEqual(Float64Array.of(0.25, NaN, NaN, 0.5))
    expect(share1).toEqual(Float64Array.of(0.75, NaN, NaN, 0.5))
    expect(share2).toEqual(Float64Array.of(0, NaN, NaN, 0))
    expect(Object.keys(rest)).toEqual(['score', 'value', 'expected', 'lower', 'upper', 'channel'])
  })

  it('points at a column that is beyond measure, without a score', () => {
    const { score, value, expected, channel, share0, share1 } = runStream(
      echo,
      frame([1, 1, 1], [3, Infinity, -1e120]),
      ALWAYS,
    ).columns
    expect(score).toEqual(Float64Array.of(1, NaN, NaN))
    expect(value).toEqual(Float64Array.of(1, Infinity, -1e120))
    expect(expected).toEqual(Float64Array.of(NaN, NaN, NaN))
    expect(channel).toEqual(Float64Array.of(NaN, 1, 1))
    expect([share0, share1]).toEqual([Float64Array.of(0.25, 0, 0), Float64Array.of(0.75, 1, 1)])
  })

  it('has the columns for a range without rows, so that slices join', () => {
    const input = frame([1, 2], [3, 2])
    expect(runStream(echo, input, { start: 5, end: 6 }).columns.share1).toEqual(new Float64Array(0))
    const whole = runStream(echo, input, ALWAYS)
    expect(concat(slice(whole, { start: 0, end: 1 }), slice(whole, { start: 1, end: 2 }))).toEqual(whole)
  })

  it('has none for one column, nor for a stream that says nothing of them', () => {
    expect(runStream(echo, frame([1, 2]), ALWAYS).columns.share0).toBeUndefined()
    const silent: Stream = { ...echo, score: (_, row) => ({ score: row[0], value: 0, expected: 0, lower: 0, upper: 0 }) }
    expect(runStream(silent, frame([1], [2]), ALWAYS).columns.share0).toBeUndefined()
  })
})
