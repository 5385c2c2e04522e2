import { describe, expect, it } from 'vitest'
import type { Stream } from '../detector.ts'
import { endWithCause } from './end-with-cause.ts'

/** Says the second number of a row as its alarm; the band is 0 … 1. */
const open = (): Stream => ({
  score: (_, row) => ({ score: 1, alarm: row[1], value: row[0], expected: 0.5, lower: 0, upper: 1 }),
  learn() {},
  snapshot: () => ({ version: 1 }),
})

function alarms(rows: readonly (readonly [number, number])[], stream = endWithCause(open)): number[] {
  return rows.map((row, i) => {
    const { alarm } = stream.score(i, row)
    stream.learn(i, row)
    return alarm!
  })
}

describe('endWithCause', () => {
  const [inside, outside] = [0.5, 3]
  it('lets the first rows of an alarm speak, inside the band or not', () => {
    expect(alarms([[inside, 100]])[0]).toBeGreaterThan(6)
    expect(alarms([[outside, 100]])[0]).toBeGreaterThan(6)
  })
  it('goes on with rows outside the band and ends with those inside', () => {
    const said = alarms([
      [outside, 100],
      [outside, 100],
      [inside, 100],
      [outside, 100],
      [inside, 100],
    ])
    expect(said.map(alarm => alarm > 6)).toEqual([true, true, false, true, false])
  })
  it('speaks again of rows inside the band when the alarm has been low for 30 rows', () => {
    const low = Array.from({ length: 29 }, () => [inside, 0] as const)
    expect(alarms([[inside, 100], ...low, [inside, 100]]).at(-1)).toBe(1)
    expect(alarms([[inside, 100], ...low, [inside, 0], [inside, 100]]).at(-1)).toBeGreaterThan(6)
  })
  it('keeps the order of alarms, and what is not known', () => {
    const said = [0.1, 1, 5, 6].map(alarm => alarms([[outside, alarm]])[0])
    expect(said).toEqual(said.toSorted((a, b) => a! - b!))
    expect(alarms([[outside, NaN]])).toEqual([NaN])
  })
  it('goes on from a snapshot', () => {
    const stream = endWithCause(open)
    alarms([[outside, 100]], stream)
    expect(alarms([[inside, 100]], endWithCause(open, stream.snapshot()))).toEqual([1])
  })
})
