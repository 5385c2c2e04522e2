import { InputError } from '../../errors.ts'

/** One step back. A week is seven days, a year twelve months. Days and months are of the calendar, hours are elapsed time. */
export interface Lag {
  readonly unit: 'hour' | 'day' | 'month'
  readonly count: number
}

/** Where a baseline is taken from: the lags, and how their values become one. Without lags there is no baseline. */
export interface Offset {
  readonly lags: readonly Lag[]
  readonly aggregate: 'mean' | 'median' | 'min' | 'max'
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const UNITS = { h: ['hour', 1], d: ['day', 1], w: ['day', 7], m: ['month', 1], y: ['month', 12] } as const
const LAG = /^(ho(?=\d+h$)|do(?=\d+d$)|wo(?=\d+w$)|mo(?=\d+m$)|yo(?=\d+y$))([1-9]\d*)([hdwmy])$/
const AGGREGATE = /^(mean|median|min|max)([1-9]\d*)([hdwm])$/

/**
 * Reads the offset grammar of ThirdEye: `wo1w` is one week earlier, `median4w` the median of one to four weeks earlier; units are h, d, w, m
 * (months) and, for single lags, y. `current` is no lag at all, `none` has no baseline. Throws `InputError`.
 */
export function parseOffset(text: string): Offset {
  if (text === 'none') return { lags: [], aggregate: 'mean' }
  if (text === 'current') return { lags: [{ unit: 'hour', count: 0 }], aggregate: 'mean' }
  const single = LAG.exec(text)
  if (single) return { lags: [lag(single[3]!, Number(single[2]))], aggregate: 'mean' }
  const many = AGGREGATE.exec(text)
  if (!many)
    throw new InputError(`must be an offset like wo1w, do1d, median4w or mean7d, got ${JSON.stringify(text) ?? 'nothing'}`)
  const lags = Array.from({ length: Math.min(Number(many[2]), 1000) }, (_, i) => lag(many[3]!, i + 1))
  return { lags, aggregate: many[1] as Offset['aggregate'] }
}

function lag(letter: string, count: number): Lag {
  const [unit, times] = UNITS[letter as keyof typeof UNITS]
  return { unit, count: times * count }
}

/** Longest distance of the offset in ms, a change of the clock included. */
export function reachOf({ lags }: Offset): number {
  const length = { hour: HOUR, day: DAY, month: 31 * DAY }
  return Math.max(0, ...lags.map(({ unit, count }) => count * length[unit] + (unit === 'hour' ? 0 : HOUR)))
}

/**
 * A local time (ms, local clock read as if it were UTC) stepped back. By months, the last day of a month goes with the last day of the other,
 * and a day that only one of the two has goes with none: NaN.
 */
export function stepBack(local: number, { unit, count }: Lag): number {
  if (unit === 'hour') return local - count * HOUR
  if (unit === 'day') return local - count * DAY
  const date = new Date(local)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth()
  const day = date.getUTCDate()
  const last = lastDay(year, month - count)
  const other = day === lastDay(year, month) ? last : day < last ? day : NaN
  return Date.UTC(year, month - count, other) + (local - Date.UTC(year, month, day))
}

function lastDay(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
}
