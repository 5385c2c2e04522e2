import { expect, it } from 'vitest'
import { copyState } from './state.ts'

const example = () => ({
  version: 1,
  absent: undefined,
  nothing: null,
  name: 'a',
  numbers: [1, NaN, -0, [2]],
  bytes: Uint8Array.of(1, 2, 3).subarray(1),
  deep: { rows: [{ values: Float64Array.of(1, NaN) }], matrix: [Float32Array.of(0.5)] },
})

it('a copy of a state is equal and shares no memory with it', () => {
  const state = example()
  const copy = copyState(state)
  expect(copy).toStrictEqual(example())
  copy.deep.rows[0]!.values[0] = 9
  copy.deep.matrix[0]![0] = 9
  copy.bytes[0] = 9
  copy.numbers.push(9)
  copy.deep.rows.push({ values: new Float64Array(1) })
  expect(state).toStrictEqual(example())
})
