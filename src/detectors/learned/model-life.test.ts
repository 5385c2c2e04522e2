import { describe, expect, it } from 'vitest'
import { BINS } from './drift.ts'
import { countSince, decilesOf, heldBack, type Life, startLife, takeModels, wantsFit } from './model-life.ts'

const SCHEDULE = { warmUp: 500, refit: 4000 }
const fitted = (rows: number) => ({ rows, deciles: new Float64Array(BINS - 1) })
const life = (given: Partial<Life> = {}): Life => ({ ...startLife(), ...given })
/** All of the last rows in the last tenth. */
const drifted = Float64Array.from({ length: BINS }, (_, i) => (i === BINS - 1 ? 200 : 0))

describe('wantsFit', () => {
  it('wants the first one after the warm-up, and until it was tried', () => {
    expect(wantsFit(life({ fresh: 499 }), { ...SCHEDULE, rows: 499 })).toBeUndefined()
    expect(wantsFit(life({ fresh: 9000 }), { ...SCHEDULE, rows: 9000 })).toBe('first')
    expect(wantsFit(life({ tried: 8, fresh: 1 }), { ...SCHEDULE, rows: 9000 })).toBeUndefined()
  })

  it('wants the next at twice as many rows, and every 4,000 in the end', () => {
    const at = (rows: number, fresh: number) => wantsFit(life({ tried: 1, fresh }), { ...SCHEDULE, rows }, fitted(rows - fresh))
    expect([at(999, 499), at(1000, 500), at(1999, 999), at(2000, 1000)]).toEqual([undefined, 'schedule', undefined, 'schedule'])
    expect([at(49_999, 3999), at(50_000, 4000)]).toEqual([undefined, 'schedule'])
  })

  it('does not let a young stream ask in place of those that taught its model', () => {
    const at = (rows: number) => wantsFit(life({ tried: 1, fresh: rows }), { ...SCHEDULE, rows }, fitted(2000))
    expect([at(500), at(1999), at(2000)]).toEqual([undefined, undefined, 'schedule'])
  })

  it('wants one for drift when enough rows came, and ever later while that does not help', () => {
    const at = (fresh: number, again: number) =>
      wantsFit(life({ tried: 1, fresh, again, recent: drifted }), { ...SCHEDULE, rows: 50_000 }, fitted(40_000))
    expect([at(255, 0), at(256, 0), at(511, 1), at(512, 1), at(4000, 8)]).toEqual([
      undefined,
      'drift',
      undefined,
      'drift',
      'schedule',
    ])
  })
})

describe('takeModels', () => {
  const model = { version: 3, state: { version: 1 } }

  it('says when a model is another one, and when it is gone', () => {
    const kept = life()
    const take = (models: Parameters<typeof takeModels>[1], fits = true) => takeModels(kept, models, fits, () => 7)
    expect(take({ tried: NaN }, false)).toBeUndefined()
    expect(take({ tried: 10, model })).toBe('adopt')
    expect(kept).toMatchObject({ tried: 10, fresh: 7, version: 3 })
    kept.fresh = 50
    expect(take({ tried: 10, model })).toBeUndefined()
    expect(kept.fresh).toBe(50)
    expect(take({ tried: 10, model: { ...model, version: 2 } })).toBe('adopt')
    expect(take({ tried: 10, model }, false)).toBe('drop')
    expect(kept.version).toBeNaN()
  })

  it('counts the fits that drift outlives, and forgets them when it is over', () => {
    const kept = life({ tried: 1, version: 3, recent: drifted.slice() })
    takeModels(kept, { tried: 2, model }, true, () => 0)
    takeModels(kept, { tried: 3, model }, true, () => 0)
    expect(kept.again).toBe(2)
    takeModels(kept, { tried: 4, model: { ...model, version: 4 } }, true, () => 0)
    expect([kept.again, kept.recent.every(rows => rows === 0)]).toEqual([3, true])
    takeModels(kept, { tried: 5, model: { ...model, version: 4 } }, true, () => 0)
    expect(kept.again).toBe(0)
  })
})

describe('heldBack', () => {
  it('holds back a seventh of the rows, and few after a drift', () => {
    expect(heldBack(4000)).toEqual({ held: 600, judged: 600 })
    expect(heldBack(1000, life({ fresh: 1000 }))).toEqual({ held: 150, judged: 250 })
    expect(heldBack(4000, life({ fresh: 300 }))).toEqual({ held: 150, judged: 256 })
    expect(heldBack(4000, life({ fresh: 4000, recent: drifted }))).toEqual({ held: 128, judged: 256 })
  })
})

describe('countSince', () => {
  it('counts the rows of a ring that are not before a time', () => {
    // Rows 3 … 6 of a stream with places for four.
    const times = Float64Array.of(40, 50, 60, 30)
    expect([NaN, 70, 60, 45, 0].map(time => countSince(times, 7, time))).toEqual([7, 0, 1, 2, 4])
    expect(countSince(Float64Array.of(10, 20, NaN, NaN), 2, 20)).toBe(1)
  })
})

it('tells deciles from twenty scores on', () => {
  expect(decilesOf(Array.from({ length: 19 }, (_, i) => i))).toBeUndefined()
  expect([...decilesOf(Array.from({ length: 101 }, (_, i) => i))!]).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90])
})
