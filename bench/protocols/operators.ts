import type { Scores } from '../../src/detectors/detector.ts'
import { HOUR, MINUTE, parseDuration, WEEK } from '../../src/duration.ts'
import { budget } from '../../src/rules/budget.ts'
import { segmentsOf } from '../data/series.ts'
import { harmonicMean } from './order.ts'

/** Calm or undecided rows that part one alert from the next, as the budget counts them. */
export const APART = 15

/** How many false alarms an operator puts up with. */
export interface Tolerance {
  readonly alarms: number
  readonly per: string
}

/** The budget rule's own. */
export const USUAL: Tolerance = { alarms: 1, per: '1w' }

/**
 * Rows at which somebody is told: the first strange row after `APART` others, where the budget rule, which learns its limit from the alarms
 * themselves and sees no label, says what is strange. It begins with the first row; what it says before row `from` is left out.
 */
export function findAlerts(times: Float64Array, alarm: Float64Array, from: number, { alarms, per }: Tolerance = USUAL): number[] {
  const rule = budget.create(budget.config.parse({ alarms, per, minimum: 0 }))
  const unknown = new Float64Array(times.length).fill(NaN)
  const scores: Scores = {
    labels: {},
    times,
    columns: { score: alarm, value: unknown, expected: unknown, lower: unknown, upper: unknown },
  }
  return firstRows(rule.judge(scores).strength, from)
}

/** The same where a fixed limit says what is strange: from there on. */
export function findAlertsFrom(limit: number, alarm: Float64Array, from: number): number[] {
  return firstRows(
    alarm.map(score => (score >= limit ? 1 : 0)),
    from,
  )
}

/** How many false alarms a budget gave, and how many it allows in that time. */
export interface Calibration {
  readonly alarms: number
  readonly allowed: number
}

/**
 * What a budget gives on the stretches without anomalies behind row `from`: labelled rows, and an hour (at least `APART` rows) on both sides of
 * them, are hidden from the rule, so that they neither teach nor count.
 */
export function calibrate(
  times: Float64Array,
  alarm: Float64Array,
  labels: ArrayLike<number>,
  from: number,
  step: number,
  budget: Tolerance,
): Calibration {
  const margin = Math.max(APART, Math.ceil(HOUR / step))
  const calm = alarm.slice()
  for (const [first, last] of segmentsOf(labels)) calm.fill(NaN, Math.max(0, first - margin), last + 1 + margin)
  const rows = calm.subarray(from).reduce((sum, score) => sum + (Number.isNaN(score) ? 0 : 1), 0)
  return {
    alarms: findAlerts(times, calm, from, budget).length,
    allowed: (budget.alarms * rows * step) / parseDuration(budget.per),
  }
}

function firstRows(strength: Float64Array, from: number): number[] {
  const rows: number[] = []
  let last = -Infinity
  for (let i = 0; i < strength.length; i++) {
    if (!(strength[i] >= 1)) continue
    if (i - last > APART && i >= from) rows.push(i)
    last = i
  }
  return rows
}

/** What operators feel of a series: counts, so that those of many series can be added up. */
export interface Felt {
  readonly weeks: number
  readonly alerts: number
  /** Alerts outside every segment. */
  readonly false: number
  readonly segments: number
  /** ms from the start of a segment to the first alert inside it; one for each segment that has one. */
  readonly delays: readonly number[]
}

export function feel(times: Float64Array, labels: ArrayLike<number>, alerts: readonly number[]): Felt {
  const segments = segmentsOf(labels)
  const delays: number[] = []
  for (const [first, last] of segments) {
    const hit = alerts.find(row => row >= first && row <= last)
    if (hit !== undefined) delays.push(times[hit] - times[first])
  }
  return {
    weeks: times.length < 2 ? 0 : (times[times.length - 1] - times[0]) / WEEK,
    alerts: alerts.length,
    false: alerts.filter(row => !labels[row]).length,
    segments: segments.length,
    delays,
  }
}

/** Means over series and weeks, shares of all segments; delays in minutes over the segments that were caught. */
export interface Operators {
  readonly alertsPerWeek: number
  readonly falsePerWeek: number
  readonly caught: number
  readonly within5: number
  readonly within15: number
  readonly medianDelay: number
  readonly precision: number
  readonly f1: number
}

export function summarizeFelt(all: readonly Felt[]): Operators {
  const sum = (of: (felt: Felt) => number) => all.reduce((total, felt) => total + of(felt), 0)
  const weeks = sum(felt => felt.weeks)
  const segments = sum(felt => felt.segments)
  const alerts = sum(felt => felt.alerts)
  const delays = all.flatMap(felt => felt.delays).sort((a, b) => a - b)
  const caught = delays.length / segments
  const precision = (alerts - sum(felt => felt.false)) / alerts
  return {
    alertsPerWeek: alerts / weeks,
    falsePerWeek: sum(felt => felt.false) / weeks,
    caught,
    within5: delays.filter(delay => delay <= 5 * MINUTE).length / segments,
    within15: delays.filter(delay => delay <= 15 * MINUTE).length / segments,
    medianDelay: (delays[delays.length >> 1] ?? NaN) / MINUTE,
    precision,
    f1: alerts === 0 ? 0 : harmonicMean(precision, caught),
  }
}
