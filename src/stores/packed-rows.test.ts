import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { packedRows, packRows, unpackRows } from './packed-rows.ts'
import { COLUMNS, fromColumns, replaceRows } from './points.ts'

const labels = { job: 'dns' }
const value = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1, 2 ** 53, 1e300, 5e-324, 1e-40),
  fc.integer({ min: -1000, max: 1000 }),
)
/** Times ascend strictly, and -0 and 0 are one time. */
const positiveZero = (time: number) => time + 0
/** Columns of random values, of one value, and of values that repeat. */
const columnOf = (rows: number) =>
  fc.oneof(
    fc.array(value, { minLength: rows, maxLength: rows }),
    value.map(one => Array<number>(rows).fill(one)),
    fc.tuple(value, value).map(([a, b]) => Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? a : b))),
  )
const scores = fc.integer({ min: 1, max: 200 }).chain(rows =>
  fc
    .tuple(
      fc.oneof(
        fc
          .tuple(fc.integer(), fc.integer({ min: 1, max: 1e6 }))
          .map(([first, step]) => Array.from({ length: rows }, (_, i) => first + i * step)),
        fc
          .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }).map(positiveZero), {
            minLength: rows,
            maxLength: rows,
          })
          .map(times => times.toSorted((a, b) => a - b)),
      ),
      fc.array(columnOf(rows), { minLength: 5, maxLength: 5 }),
    )
    .map(([times, columns]): Scores => {
      let at = 0
      return { labels, times: Float64Array.from(times), columns: fromColumns(() => Float64Array.from(columns[at++]!)) }
    }),
)

describe('packed rows', () => {
  it('come back as they were, every bit of them', () => {
    fc.assert(
      fc.property(scores, fc.boolean(), (rows, deflated) => {
        const packed = packRows(rows, 0, rows.times.length, deflated)
        const back = unpackRows(labels, packed)
        expect(packedRows(packed)).toBe(rows.times.length)
        expect(back).toEqual(rows)
      }),
    )
  })

  it('are refused when a byte has changed or is missing', () => {
    fc.assert(
      fc.property(scores, fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 }), (rows, deflated, where, flip) => {
        const packed = packRows(rows, 0, rows.times.length, deflated)
        expect(() => unpackRows(labels, packed.slice(0, -1))).toThrow('points must')
        const broken = packed.slice()
        broken[where % broken.length] ^= flip
        expect(() => unpackRows(labels, broken)).toThrow('points must')
      }),
    )
  })

  it('of noise take a third of what they took, and of a column that stays the same almost nothing', () => {
    const times = Float64Array.from({ length: 128 }, (_, i) => i * 2000)
    const noise = () => times.map((_, i) => 100 + ((Math.imul(i + 1, 0x9e3779b1) >>> 8) % 9973) / 100)
    const rounded = replaceRows(undefined, { labels, times, columns: fromColumns(noise) }, { start: 0, end: Infinity })
    expect(packRows(rounded, 0, 128, true).length).toBeLessThan((128 * 48) / 3)
    const same = { labels, times, columns: fromColumns(() => new Float64Array(128).fill(NaN)) }
    expect(packRows(same, 0, 128, true).length).toBeLessThan(80)
  })
})

describe('stored rows', () => {
  it('keep seven digits of every number, and what is no number', () => {
    fc.assert(
      fc.property(scores, rows => {
        const kept = replaceRows(undefined, rows, { start: -Infinity, end: Infinity })
        for (const name of COLUMNS)
          for (const [i, before] of rows.columns[name].entries()) {
            const after = kept.columns[name][i]
            if (!Number.isFinite(before) || before === 0) expect(after).toBe(before)
            else expect(Math.abs(after / before - 1)).toBeLessThan(1e-7)
          }
      }),
    )
  })
})
