import type { Anomaly, Shape } from '../anomaly.ts'
import { HOUR } from '../duration.ts'
import { rowAt } from '../frame/frame.ts'
import { isBeyondMeasure } from '../math/is-measured.ts'
import type { RefinerContext } from './refiner.ts'

export interface Classified {
  readonly shape: Shape
  readonly numbers: Readonly<Record<string, number>>
}

/** Rows that a course needs before it is more than a spike. */
const LASTING = 8
const COURSE = 12

/**
 * What a stretch looks like, from its values against what was expected at each row. Simple, ordered questions rather than a model, because a
 * person has to be able to see why: silent? short? on both sides? against the season? growing? staying?
 */
export function classify(anomaly: Anomaly, { scores, step, findsMissingData = false }: RefinerContext): Classified {
  const { times, columns } = scores
  const from = rowAt(times, anomaly.start)
  const to = rowAt(times, anomaly.end)
  if (findsMissingData || Number.isNaN(anomaly.current)) return describeSilence(anomaly, from, to, { scores, step })
  // Its finite rows may have a course, but what matters is that it has no bound.
  if (isBeyondMeasure(anomaly.current)) return describeSpike(anomaly)

  const rows: Row[] = []
  for (let i = from; i < to; i++)
    if (Number.isFinite(columns.value[i]) && Number.isFinite(columns.expected[i]))
      rows.push({
        time: times[i],
        value: columns.value[i],
        expected: columns.expected[i],
        off: columns.value[i] - columns.expected[i],
      })
  if (rows.length < LASTING) return describeSpike(anomaly)
  return (
    findVariance(rows, from, scores) ??
    findAdoptedShift(rows) ??
    findBrokenSeason(rows) ??
    findTrend(rows) ??
    findLevelShift(rows) ??
    describeSpike(anomaly)
  )
}

interface Row {
  readonly time: number
  readonly value: number
  readonly expected: number
  /** value − expected. */
  readonly off: number
}

function describeSpike({ direction, current, expected }: Anomaly): Classified {
  return {
    shape: direction === 'down' ? 'dip' : 'spike',
    numbers: known({ change: current - expected, ratio: ratioOf(current, expected) }),
  }
}

function describeSilence(anomaly: Anomaly, from: number, to: number, { scores, step }: RefinerContext): Classified {
  const { times, columns } = scores
  const { current } = anomaly
  // The last row that was neither missing nor at the value it stands still at.
  let last = from - 1
  while (last >= 0 && (Number.isNaN(current) ? Number.isNaN(columns.value[last]) : columns.value[last] === current)) last--
  const newest = times[to - 1] ?? anomaly.end - step
  const missing = last >= 0 ? newest - times[last] : anomaly.end - anomaly.start
  return { shape: 'silence', numbers: known({ missing, every: step, since: last >= 0 ? times[last] : NaN }) }
}

/** On both sides of what is expected, neither side ruling, and the season still there. */
function findVariance(rows: readonly Row[], from: number, { columns }: RefinerContext['scores']): Classified | undefined {
  const above = rows.filter(row => row.off > 0).length / rows.length
  if (above < 0.25 || above > 0.75) return undefined
  const now = mean(rows.map(row => Math.abs(row.off)))
  if (Math.abs(mean(rows.map(row => row.off))) > 0.5 * now) return undefined
  if (findBrokenSeason(rows)) return undefined
  const earlier: number[] = []
  for (let i = from - 1; i >= 0 && earlier.length < 5 * rows.length; i--) {
    const off = Math.abs(columns.value[i] - columns.expected[i])
    if (Number.isFinite(off)) earlier.push(off)
  }
  const usual = earlier.length >= 5 ? mean(earlier) : NaN
  const values = rows.map(row => row.value)
  const numbers = { low: lowest(values), high: highest(values), usual, now, ratio: ratioOf(now, usual) }
  return { shape: 'variance', numbers: known(numbers) }
}

/** What was expected moved much, compared with how far the values are from it, and the values did not go along. */
function findBrokenSeason(rows: readonly Row[]): Classified | undefined {
  if (rows.length < COURSE) return undefined
  const values = rows.map(row => row.value)
  const expected = rows.map(row => row.expected)
  const usualSwing = highest(expected) - lowest(expected)
  const furthest = highest(rows.map(row => Math.abs(row.off)))
  if (usualSwing < 0.75 * furthest) return undefined
  const swing = highest(values) - lowest(values)
  const along = correlate(values, expected)
  if (along > 0.3 && swing > 0.3 * usualSwing) return undefined
  return { shape: 'season-broken', numbers: known({ swing, usualSwing, correlation: along }) }
}

/** Ever further away from what is expected, along a line. */
function findTrend(rows: readonly Row[]): Classified | undefined {
  const offs = rows.map(row => row.off)
  const times = rows.map(row => row.time)
  const [early, late] = outerThirds(offs)
  const straight = correlate(offs, times)
  if (straight ** 2 < 0.7 || early * late < 0 || Math.abs(late) < 1.7 * Math.abs(early)) return undefined
  const slope = slopeOf(
    times,
    rows.map(row => row.value),
  )
  const first = rows[0]!
  const last = rows.at(-1)!
  return { shape: 'trend', numbers: known({ from: first.value, to: last.value, perHour: slope * HOUR }) }
}

/** On one side and staying: as far away at the end as at the beginning. */
function findLevelShift(rows: readonly Row[]): Classified | undefined {
  const [early, late] = outerThirds(rows.map(row => row.off))
  const ratio = late / early
  return ratio > 0.5 && ratio < 2 ? describeLevelShift(rows) : undefined
}

/** On one side and staying at its level, while the expectation comes after it: the detector is adopting the new level. */
function findAdoptedShift(rows: readonly Row[]): Classified | undefined {
  const [early, late] = outerThirds(rows.map(row => row.off))
  const [first, last] = outerThirds(rows.map(row => row.value))
  const [before, after] = outerThirds(rows.map(row => row.expected))
  const stays = Math.abs(last - first) < 0.25 * Math.abs(early)
  const comesAfter = (after - before) * early > 0 && early * late >= 0 && Math.abs(late) < 0.5 * Math.abs(early)
  return stays && comesAfter ? describeLevelShift(rows) : undefined
}

function describeLevelShift(rows: readonly Row[]): Classified {
  const before = rows[0]!.expected
  const after = median(rows.map(row => row.value))
  return { shape: 'level-shift', numbers: known({ before, after, change: after - before, ratio: ratioOf(after, before) }) }
}

function outerThirds(values: readonly number[]): readonly [number, number] {
  const third = Math.max(1, Math.floor(values.length / 3))
  return [median(values.slice(0, third)), median(values.slice(-third))]
}

function ratioOf(a: number, b: number): number {
  return b === 0 ? NaN : a / b
}

function known(numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(numbers).filter(([, number]) => Number.isFinite(number)))
}

/** By a loop: an anomaly may have more rows than a call may have arguments. */
function highest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b))
}

function lowest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Pearson; 0 when one of them does not move. */
function correlate(a: readonly number[], b: readonly number[]): number {
  const meanA = mean(a)
  const meanB = mean(b)
  let ab = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - meanA) * (b[i]! - meanB)
    aa += (a[i]! - meanA) ** 2
    bb += (b[i]! - meanB) ** 2
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0
}

function slopeOf(times: readonly number[], values: readonly number[]): number {
  const meanTime = mean(times)
  const meanValue = mean(values)
  let up = 0
  let down = 0
  for (let i = 0; i < times.length; i++) {
    up += (times[i]! - meanTime) * (values[i]! - meanValue)
    down += (times[i]! - meanTime) ** 2
  }
  return down > 0 ? up / down : 0
}
