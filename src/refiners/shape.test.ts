import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'
import { merge } from './merge.ts'
import { shape } from './shape.ts'

const STEP = 60_000
const ROWS = 400
const noise = (i: number) => 2 * Math.sin(i * 12.9898) * Math.cos(i * 78.233)

/** Rows whose usual is `expected`; from row 200 to `to` the value is what `strange` says of the row in the stretch and its usual. */
function shapeOf(
  to: number,
  strange: (i: number, usual: number) => number,
  expected: (i: number) => number = () => 100,
  findsMissingData = false,
): Anomaly {
  const times = Float64Array.from({ length: ROWS }, (_, i) => 1_763_700_000_000 + i * STEP)
  const usual = times.map((_, i) => expected(i))
  const value = usual.map((u, i) => (i >= 200 && i < to ? strange(i - 200, u) : u + noise(i)))
  const inside = (i: number) => i >= 200 && i < to
  const score = value.map((v, i) => (Number.isNaN(v) ? 4 : inside(i) ? Math.max(4, Math.abs(v - usual[i])) : 0))
  const columns = { score, value, expected: usual, lower: usual.map(u => u - 8), upper: usual.map(u => u + 8) }
  const scores: Scores = { labels: { __name__: 'm' }, times, columns }
  const strength = score.map(s => s / 4)
  const found = merge
    .create(merge.config.parse({}))
    .refine(findAnomalies(scores, strength, 'any name', STEP), { scores, step: STEP })
  expect(found).toHaveLength(1)
  return shape.create(shape.config.parse({})).refine(found, { scores, step: STEP, findsMissingData })[0]!
}

describe('shape', () => {
  it('sees a spike and a dip', () => {
    expect(shapeOf(202, () => 900)).toMatchObject({ shape: 'spike', numbers: { change: 800, ratio: 9 } })
    expect(shapeOf(203, () => 20)).toMatchObject({ shape: 'dip', numbers: { change: -80, ratio: 0.2 } })
    expect(shapeOf(216, i => 100 + 900 * Math.exp(-i / 3))).toMatchObject({ shape: 'spike' })
  })

  it('sees a level shift, also when the expectation follows', () => {
    const up = shapeOf(260, i => 300 + noise(i))
    expect(up.shape).toBe('level-shift')
    expect(up.numbers!.before).toBe(100)
    expect(up.numbers!.after).toBeCloseTo(300, 0)
    expect(up.numbers!.ratio).toBeCloseTo(3, 1)
    expect(shapeOf(ROWS, i => 30 + noise(i))).toMatchObject({ shape: 'level-shift', direction: 'down', ongoing: true })
    const followed = shapeOf(
      240,
      i => 300 + noise(i),
      i => (i < 200 ? 100 : 280 - 180 * Math.exp(-(i - 200) / 15)),
    )
    expect(followed.shape).toBe('level-shift')
  })

  it('sees a trend', () => {
    const trend = shapeOf(260, i => 110 + 5 * i + noise(i))
    expect(trend.shape).toBe('trend')
    expect(trend.numbers!.perHour).toBeCloseTo(300, -1)
    expect(shapeOf(240, i => 90 - 2 * i).sentence).toMatch(/^m fell from 90 to 12 /)
  })

  it('sees variance', () => {
    const wide = shapeOf(240, i => 100 + (i % 2 === 0 ? 50 : -50))
    expect(wide).toMatchObject({ shape: 'variance', numbers: { low: 50, high: 150, now: 50 } })
    expect(wide.numbers!.ratio).toBeGreaterThan(10)
  })

  it('sees a season that is not followed', () => {
    const season = (i: number) => 100 + 80 * Math.sin(i / 12)
    expect(shapeOf(280, () => 60, season)).toMatchObject({ shape: 'season-broken' })
    expect(shapeOf(280, (_, usual) => 200 - usual, season).numbers!.correlation).toBeCloseTo(-1, 5)
    expect(shapeOf(280, (_, usual) => usual + 150, season).shape).toBe('level-shift')
  })

  it('sees silence: no data, a flat line, down', () => {
    const gone = shapeOf(
      212,
      () => NaN,
      () => 100,
      true,
    )
    expect(gone).toMatchObject({ shape: 'silence', numbers: { missing: 12 * STEP, every: STEP } })
    expect(gone.sentence).toBe('m had no data for 12m, from 07:59 UTC; a sample normally arrives every 1m')
    expect(
      shapeOf(
        210,
        () => 0,
        () => 1,
        true,
      ).sentence,
    ).toBe('m was 0 for 10m, from 07:59 UTC; it was 1 before')
  })

  it('gives only numbers that are known, and a sentence always', () => {
    const odd = shapeOf(
      202,
      () => 5,
      () => 0,
    )
    expect(odd.numbers).toEqual({ change: 5 })
    expect(odd.sentence).toMatch(/^m moved in an unusual way, though within its band, .*: 5 where 0 is usual/)
  })
})
