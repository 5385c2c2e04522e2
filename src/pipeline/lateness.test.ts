import { describe, expect, it } from 'vitest'
import { MINUTE, SECOND } from '../duration.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { openLateness } from './lateness.ts'

const START = Date.UTC(2026, 0, 5)
const at = (row: number) => START + row * MINUTE
const settings = { delay: 30 * SECOND, every: 2 * MINUTE, query: { source: 's', expr: 'x', step: MINUTE } }

/** Rows 0 to 99 of a series that has values up to and with a row, except where `has` says no. */
const upTo = (last: number, has = (_row: number) => true): Frame<'value'> =>
  fromValues(
    Float64Array.from({ length: 100 }, (_, row) => at(row)),
    Float64Array.from({ length: 100 }, (_, row) => (row <= last && has(row) ? row : NaN)),
    {},
  )

function scripted() {
  const lateness = openLateness(settings)
  return {
    /** A run whose newest row would be `row`; gives the last row that is judged, and the warning. */
    run(row: number, frames: readonly Frame<'value'>[], now = at(row)) {
      const { end, warning } = lateness.judgeUntil(frames, at(row + 1), now)
      return { judged: (end - START) / MINUTE - 1, warning }
    },
  }
}

describe('how late samples are', () => {
  it('is not known to the first run, which leaves its empty rows to the second', () => {
    expect(scripted().run(20, [upTo(17)])).toEqual({ judged: 17, warning: undefined })
    expect(scripted().run(20, [upTo(20)]).judged).toBe(20)
    expect(scripted().run(20, [upTo(15), upTo(18), upTo(12)]).judged).toBe(18)
  })

  it('is nothing when there is no sample at all, or one from the future', () => {
    expect(scripted().run(20, []).judged).toBe(20)
    expect(scripted().run(20, [upTo(-1)]).judged).toBe(20)
    expect(scripted().run(20, [upTo(25)]).judged).toBe(20)
  })

  it('is the median of the last five runs: rows of that lateness are left to the next run', () => {
    const { run } = scripted()
    for (const [row, late] of [
      [20, 0],
      [21, 3],
      [22, 3],
    ] as const)
      run(row, [upTo(row - late)])
    expect(run(30, [upTo(27)]).judged).toBe(27)
    // More is an outage, less is judged at once.
    expect(run(31, [upTo(27)]).judged).toBe(28)
    expect(run(32, [upTo(31)]).judged).toBe(31)
    for (const row of [33, 34, 35, 36, 37]) run(row, [upTo(row)])
    expect(run(38, [upTo(35)]).judged).toBe(38)
  })

  it('is the median whichever order it came in, and of no more than five runs', () => {
    const unsorted = scripted()
    for (const [row, late] of [
      [20, 0],
      [30, 0],
      [45, 5],
      [46, 0],
    ] as const)
      unsorted.run(row, [upTo(row - late)])
    expect(unsorted.run(56, [upTo(46)]).judged).toBe(56)
    const { run } = scripted()
    for (let row = 20; row < 30; row++) run(row, [upTo(row - 3)])
    for (const row of [30, 31, 32]) run(row, [upTo(row)])
    expect(run(42, [upTo(32)]).judged).toBe(42)
  })

  it('is learned from the rows since the newest one of the run before, the newest included', () => {
    const { run } = scripted()
    run(20, [upTo(20)])
    run(26, [upTo(23, row => row <= 20 || row === 23)])
    expect(run(27, [upTo(23)]).judged).toBe(27)
    const dense = scripted()
    dense.run(20, [upTo(20)])
    expect(dense.run(27, [upTo(24, row => row <= 20 || row >= 23)]).judged).toBe(24)
  })

  it('is learned from the rows that a run without any data has missed', () => {
    const { run } = scripted()
    run(20, [upTo(20)])
    run(21, [])
    expect(run(24, [upTo(22)]).judged).toBe(22)
  })

  it('is as for a first run when the newest row is from before the clock was set back', () => {
    const after = (row: number) => {
      const { run } = scripted()
      run(row, [upTo(row)])
      return run(20, [upTo(17)]).judged
    }
    expect([21, 22, 40].map(after)).toEqual([20, 17, 17])
  })

  it('is warned of after five runs, with the delay that would do', () => {
    const { run } = scripted()
    const warnings = [20, 21, 22, 23, 24, 25].map(row => run(row, [upTo(row - 2)]).warning)
    expect(warnings.slice(0, 5)).toEqual(Array(5).fill(undefined))
    expect(warnings[5]).toMatch(/samples are 2m later than expected; delay must be at least 2m30s, got 30s$/)
  })

  it('is no warning when samples are on time', () => {
    const { run } = scripted()
    for (let row = 20; row < 40; row++) expect(run(row, [upTo(row)]).warning).toBeUndefined()
  })

  it('is not learned from an outage, nor from rows that stay empty', () => {
    const { run } = scripted()
    for (const row of [20, 21, 22]) run(row, [upTo(row)])
    // Nothing new comes for a while; then one row in three has a value.
    for (let row = 23; row < 33; row++) expect(run(row, [upTo(22)])).toEqual({ judged: row, warning: undefined })
    const sparse = (last: number) => upTo(last, row => row <= 22 || row % 3 === 0)
    for (let row = 35; row < 80; row += 5) expect(run(row, [sparse(row - 1)])).toEqual({ judged: row, warning: undefined })
  })

  it('is learned from rows of which half are filled, by one series or by several together', () => {
    const half = (rest: number) => (row: number) => row % 4 === rest
    const { run } = scripted()
    run(19, [upTo(18)])
    for (let row = 23; row <= 43; row += 4) run(row, [upTo(row - 1, half(0)), upTo(row - 1, half(2))])
    expect(run(50, [upTo(48)]).judged).toBe(49)
  })

  it('is neither learned nor applied when an older range is looked at', () => {
    const { run } = scripted()
    const age = settings.delay + settings.every
    expect(run(20, [upTo(17)], at(21) + age + 1).judged).toBe(20)
    expect(run(20, [upTo(17)], at(21) + age).judged).toBe(17)
  })
})
