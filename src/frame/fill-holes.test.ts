import { expect, it } from 'vitest'
import { fillHoles } from './fill-holes.ts'
import { fromValues } from './frame.ts'

it('puts rows without a value into holes, and none at the ends', () => {
  const { times, columns } = fillHoles(fromValues([10, 20, 50, 61], [1, 2, 3, 4], { a: 'b' }), 10)
  expect(Array.from(times)).toEqual([10, 20, 30, 40, 50, 61])
  expect(Array.from(columns.value)).toEqual([1, 2, NaN, NaN, 3, 4])
})

it('gives back what has no holes as it is', () => {
  const frame = fromValues([10, 21, 30], [1, 2, 3])
  expect(fillHoles(frame, 10)).toBe(frame)
  expect(fillHoles(fromValues([], []), 10).times).toHaveLength(0)
})
