import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { nameColumns } from './name-columns.ts'

const times = Float64Array.of(0, 10, 20, 30)
const frame = {
  labels: {},
  times,
  columns: { qps: Float64Array.of(1, 2, 3, 4), errors: Float64Array.of(5, 6, 7, 8), size: Float64Array.of(9, 9, NaN, 9) },
}
const anomaly = { start: 10, end: 30, peak: 20, expected: 2.5 } as Anomaly
const scores = (columns: Record<string, number[]>): Scores => ({
  labels: {},
  times,
  columns: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)])) as never,
})

describe('the columns of an anomaly', () => {
  it('have the mean share of its rows, the largest first, with the value at the peak', () => {
    const shares = { channel: [NaN, 1, 0, 0], share0: [1, 0.25, 0.25, 0], share1: [0, 0.75, 0.75, 1], share2: [0, 0, 0, 0] }
    expect(nameColumns(anomaly, scores(shares), frame).columns).toEqual([
      { name: 'errors', share: 0.75, value: 7 },
      { name: 'qps', share: 0.25, value: 3, expected: 2.5 },
    ])
  })

  it('have the mean share also where rows differ, where one is unknown, and where it ends in its first row', () => {
    const two = { ...frame, columns: { qps: frame.columns.qps, errors: frame.columns.errors } }
    const shares = (share0: number[], share1: number[], changes: Partial<Anomaly> = {}) =>
      nameColumns({ ...anomaly, ...changes }, scores({ share0, share1 }), two).columns?.map(({ name, share }) => [name, share])
    expect(shares([0, 0, 0.5, 0], [0, 1, 0.5, 0])).toEqual([
      ['errors', 0.75],
      ['qps', 0.25],
    ])
    expect(shares([0, NaN, 1, 0], [0, NaN, 0, 0])).toEqual([['qps', 1]])
    expect(shares([0, 1, 0, 0], [0, 0, 1, 0], { end: 10 })).toEqual([['qps', 1]])
    expect(shares([0, 0.01, 0, 0], [0, 0.99, 0, 0])).toEqual([
      ['errors', 0.99],
      ['qps', 0.01],
    ])
  })

  it('are those that were the strangest where there are no shares', () => {
    expect(nameColumns(anomaly, scores({ channel: [0, 2, 2, 1] }), frame).columns).toEqual([
      { name: 'size', share: 1, value: NaN, expected: 2.5 },
    ])
  })

  it('are at most 16, and none with less than a hundredth', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, c) => [`c${c}`, Float64Array.of(1, 1, 1, 1)]))
    const even = Object.fromEntries(Array.from({ length: 40 }, (_, c) => [`share${c}`, [0, c < 30 ? 1 / 30 : 1e-6, 0, 0]]))
    const { columns } = nameColumns(anomaly, scores(even), { ...frame, columns: many })
    expect(columns).toHaveLength(16)
    const few = Object.fromEntries(Array.from({ length: 40 }, (_, c) => [`share${c}`, [0, c === 3 ? 0.995 : 1e-4, 0, 0]]))
    expect(nameColumns(anomaly, scores(few), { ...frame, columns: many }).columns!.map(({ name }) => name)).toEqual(['c3'])
  })

  it('are not named where there is one, or where nothing is known of them', () => {
    expect(nameColumns(anomaly, scores({ channel: [0, 0, 0, 0] }), { ...frame, columns: { value: times } })).toBe(anomaly)
    expect(nameColumns(anomaly, scores({}), frame)).toBe(anomaly)
    expect(nameColumns(anomaly, scores({ channel: [NaN, NaN, NaN, NaN] }), frame)).toBe(anomaly)
  })
})
