import { expect, it } from 'vitest'
import { gridOf } from './series.ts'

it('a grid has the multiples of the step in the range, and a limit', () => {
  expect(Array.from(gridOf({ start: 5, end: 30 }, 10))).toEqual([10, 20])
  expect(gridOf({ start: 0, end: 10_000_000 }, 1)).toHaveLength(10_000_000)
  expect(() => gridOf({ start: 0, end: 31_536_000_000 }, 1000)).toThrow(
    'step must be so long that the range has at most 10000000 rows, got 31536000 for 1s',
  )
})
