import { expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { replaceRows } from './points.ts'

const scores = (times: number[], extra = {}): Scores => {
  const column = (shift: number) => Float64Array.from(times, time => time + shift)
  return {
    labels: {},
    times: Float64Array.from(times),
    columns: { score: column(0), value: column(1), expected: column(2), lower: column(3), upper: column(4), ...extra },
  }
}

it('keeps the five columns of scores that have more, between rows that have not', () => {
  const found = scores([2, 3], { alarm: Float64Array.of(9, 9), channel: Float64Array.of(0, 1) })
  const kept = replaceRows(scores([1, 2, 3, 4]), found, { start: 2, end: 4 })
  expect(kept).toEqual(scores([1, 2, 3, 4]))
  expect(replaceRows(undefined, found, { start: 2, end: 4 })).toEqual(scores([2, 3]))
})
