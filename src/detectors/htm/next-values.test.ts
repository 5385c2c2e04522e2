import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { openNextValues } from './next-values.ts'

const options = {
  ranges: [
    { lower: 0, upper: 10 },
    { lower: -5, upper: 5 },
  ],
  columns: 32,
  cells: 4,
  inputs: 20,
}
const random = seededRandom(3)
/** Six states of a memory in turn, each with cells and input of its own. */
const states = Array.from({ length: 6 }, (_, k) => ({
  cells: Array.from({ length: 5 }, (_, c) => 4 * (5 * k + c) + Math.floor(4 * random.next())),
  input: Uint8Array.from({ length: 20 }, (_, bit) => (Math.floor(bit / 3) === k ? 1 : 0)),
}))
const rowOf = (k: number) => [1 + (k % 6), k % 2 ? 3 : -3]

function teach(rows: number, from?: Parameters<typeof openNextValues>[1]) {
  const next = openNextValues(options, from)
  for (let k = 0; k < rows; k++) next.learn(rowOf(k), states[k % 6].cells, states[k % 6].input)
  return next
}

describe('openNextValues', () => {
  it('expects what followed before, in a band around it', () => {
    const next = teach(600)
    const { channel, value, ...band } = next.judge([9.5, -3])
    expect({ channel, value }).toEqual({ channel: 0, value: 9.5 })
    expect(band.expected).toBeCloseTo(1, 0)
    expect(band.lower).toBeLessThanOrEqual(1)
    expect(band.upper).toBeGreaterThanOrEqual(1)
    expect(band.upper).toBeLessThan(9)
  })

  it('names the column that is least expected, and one that leaves all it knows before others', () => {
    const next = teach(600)
    expect(next.judge([1, 3])).toMatchObject({ channel: 1, value: 3 })
    expect(next.judge([5, -3])).toMatchObject({ channel: 0, value: 5 })
    expect(next.judge([400, 3])).toMatchObject({ channel: 0, value: 400 })
    expect(next.judge([400, 3], 1)).toMatchObject({ channel: 1, value: 3 })
    expect(next.judge([NaN, -3])).toMatchObject({ channel: 1, value: -3 })
  })

  it('says nothing before it has seen enough, nor of a row without values', () => {
    expect(teach(99).judge([1, 2])).toEqual({ channel: 1, value: 2, expected: NaN, lower: NaN, upper: NaN })
    expect(teach(100).judge([1, 2]).expected).not.toBeNaN()
    expect(teach(600).judge([NaN, NaN])).toEqual({ channel: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN })
  })

  it('stays finite, whatever comes', () => {
    const next = openNextValues(options)
    const cruel = [1e308, -1e308, Infinity, -Infinity, NaN, 0]
    for (let k = 0; k < 300; k++) {
      const row = [cruel[k % 6], cruel[(k * 5 + 1) % 6]]
      for (const part of ['expected', 'lower', 'upper'] as const) expect(Math.abs(next.judge(row)[part])).not.toBe(Infinity)
      next.learn(row, states[k % 6].cells, states[k % 6].input)
    }
  })

  it('goes on from a state', () => {
    const whole = teach(150)
    const resumed = teach(50, structuredClone(teach(150).state()))
    for (let k = 0; k < 50; k++) whole.learn(rowOf(k), states[k % 6].cells, states[k % 6].input)
    expect(resumed.state()).toEqual(whole.state())
    expect({ ...resumed.judge([5, 0]) }).toEqual({ ...whole.judge([5, 0]) })
  })
})
