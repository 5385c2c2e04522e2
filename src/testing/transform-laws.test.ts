import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { fromCells } from '../transforms/from-cells.ts'
import type { Transform, TransformStream } from '../transforms/transform.ts'
import { transformLaws } from './transform-laws.ts'

/** Keeps every law: the sum of a value and the one before it. */
const lawful = fromCells({
  lookback: 30 * MINUTE,
  start: () => ({ last: NaN }),
  apply(cell, _, value) {
    const sum = value + cell.last
    cell.last = value
    return sum
  },
})

const stateless = (apply: TransformStream['apply']): Transform => ({
  lookback: 0,
  delay: () => 0,
  stepAfter: step => step,
  open: () => ({ apply, snapshot: () => ({ version: 1 }) }),
})
const ofValue = (change: (value: number, time: number) => number) =>
  stateless((time, row, emit) =>
    emit(
      time,
      Float64Array.from(row, value => change(value, time)),
    ),
  )
const wrap = (change: Partial<Transform>): Transform => ({ ...lawful, ...change })

let calls = 0
const breakers: Record<string, Transform> = {
  'hands rows on in order, each once, none before its time': stateless((time, row, emit) => {
    emit(time, Float64Array.from(row))
    emit(time, Float64Array.from(row))
  }),
  'is late by no more than it says': {
    ...lawful,
    open() {
      const waiting: [number, number][] = []
      return {
        apply(time, row, emit) {
          waiting.push([time, row[0]])
          if (waiting.length > 3) {
            const [at, value] = waiting.shift()!
            emit(at, Float64Array.of(value))
          }
        },
        snapshot: () => ({ version: 1 }),
      }
    },
  },
  'hands on rows as far apart as it says': wrap({ stepAfter: step => 2 * step }),
  'is deterministic': ofValue(value => value + calls++),
  'does not write into its input': stateless((time, row, emit) => {
    if (row instanceof Float64Array) row[0] = 5
    emit(time, row as Float64Array)
  }),
  'makes nothing infinite': ofValue(value => 1 / value),
  'hands on an infinite value as it is, once, and otherwise takes it as unknown': ofValue(value =>
    Number.isFinite(value) ? value : NaN,
  ),
  'makes nothing of nothing': ofValue(value => (Number.isNaN(value) ? 0 : value)),
  'knows every row after its lookback': fromCells({
    lookback: 0,
    start: () => ({ rows: 0 }),
    apply: (cell, _, value) => (cell.rows++ < 5 ? NaN : value),
  }),
  'recovers after a gap': fromCells({
    lookback: 0,
    start: () => ({ last: 0 }),
    apply(cell, _, value) {
      cell.last += value
      return cell.last
    },
  }),
  'does not look ahead': {
    ...lawful,
    open() {
      // Knows the sum of all rows it will ever be given: of the second half when it says the first.
      const seen: number[] = []
      const times: number[] = []
      return {
        apply(time, row, emit) {
          seen.push(row[0])
          times.push(time)
          if (seen.length === 600) seen.forEach((_, i) => emit(times[i], Float64Array.of(seen[599 - i])))
        },
        snapshot: () => ({ version: 1 }),
      }
    },
  },
  'goes on from its snapshot': wrap({ open: () => lawful.open() }),
  'does not grow without end': fromCells({
    lookback: 0,
    start: () => ({ all: [] as number[] }),
    apply(cell, _, value) {
      cell.all.push(value)
      return value
    },
  }),
  'lets each column go its own way': stateless((time, row, emit) =>
    emit(
      time,
      Float64Array.from(row, value => value + row.length),
    ),
  ),
  'says the same of times shifted by whole weeks': ofValue((value, time) => value + time / 1e12),
}

describe('laws of transforms', () => {
  for (const law of transformLaws) {
    it(`hold for a lawful one: ${law.name}`, () => law.check(lawful))
    it(`catch a breach of: ${law.name}`, () => {
      expect(breakers[law.name], 'a lawbreaker').toBeDefined()
      expect(() => law.check(breakers[law.name]!)).toThrow()
    })
  }
})
