import { describe, expect, it } from 'vitest'
import { align, checkFrame, concat, fromValues, rowAt, slice } from './frame.ts'

const frame = fromValues([10, 20, 30, 40], [1, 2, NaN, 4], { n: 'a' })
const rows = (of: { times: Float64Array; columns: { value: Float64Array } }) =>
  [...of.times].map((time, i) => [time, of.columns.value[i]])

describe('a frame', () => {
  it('refuses times that do not ascend, are not finite, or columns of another length', () => {
    expect(() => fromValues([1, 1], [1, 2])).toThrow('times must ascend strictly, got 1 after 1 at row 1')
    expect(() => fromValues([1, NaN], [1, 2])).toThrow('times must be finite')
    expect(() => checkFrame({ labels: {}, times: Float64Array.of(1), columns: { value: new Float64Array(2) } })).toThrow(
      'must have 1 values',
    )
  })

  it('finds the first row at or after a time', () => {
    expect([5, 10, 11, 40, 41].map(time => rowAt(frame.times, time))).toEqual([0, 0, 1, 3, 4])
  })

  it('slices half open', () => {
    expect(rows(slice(frame, { start: 20, end: 40 }))).toEqual([
      [20, 2],
      [30, NaN],
    ])
    expect(slice(frame, { start: 50, end: 60 }).times).toHaveLength(0)
  })

  it('joins, later data wins', () => {
    expect(rows(concat(frame, fromValues([30, 50], [3, 5])))).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
      [50, 5],
    ])
    expect(concat(frame, fromValues([], []))).toBe(frame)
  })

  it('aligns to the grid; a grid point without a row is NaN, a row off the grid is left out', () => {
    expect(rows(align(fromValues([10, 21, 30], [1, 2, 3]), { start: 5, end: 41 }, 10))).toEqual([
      [10, 1],
      [20, NaN],
      [30, 3],
      [40, NaN],
    ])
    expect(align(frame, { start: 11, end: 12 }, 10).times).toHaveLength(0)
  })

  it('keeps the marks of NaN that was sent beside its rows', () => {
    const sent = checkFrame({ ...frame, notANumber: Uint8Array.of(0, 0, 1, 0) })
    const marks = (of: { notANumber?: Uint8Array }) => of.notANumber && [...of.notANumber]
    expect(marks(slice(sent, { start: 20, end: 40 }))).toEqual([0, 1])
    expect(marks(concat(sent, fromValues([40, 50], [3, 5])))).toEqual([0, 0, 1, 0, 0])
    expect(marks(concat(fromValues([10, 20], [1, 2]), slice(sent, { start: 20, end: 60 })))).toEqual([0, 0, 1, 0])
    expect(marks(concat(frame, fromValues([50], [5])))).toBeUndefined()
    expect(marks(align(sent, { start: 5, end: 61 }, 30))).toEqual([1, 0])
    expect(() => checkFrame({ ...frame, notANumber: new Uint8Array(3) })).toThrow('notANumber must have 4 marks')
  })
})
