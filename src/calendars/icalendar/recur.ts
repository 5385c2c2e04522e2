import { DAY, WEEK } from '../../duration.ts'
import { dayOf, type WallTime, weekdayOf } from '../wall-time.ts'

/** A recurrence rule of RFC 5545, section 3.3.10, down to days. Weekdays begin with Monday, 0. */
export interface RecurrenceRule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY'
  readonly interval: number
  readonly count?: number
  /** The last start that may be, in wall time. */
  readonly until?: WallTime
  /** `nth` counts from the start (1) or the end (−1) of the month or year; 0 is each. */
  readonly byDay?: readonly { readonly weekday: number; readonly nth: number }[]
  readonly byMonthDay?: readonly number[]
  /** 1 … 12. */
  readonly byMonth?: readonly number[]
  readonly bySetPosition?: readonly number[]
  readonly weekStart: number
}

/** Reads the value of an RRULE; the message of the `RangeError` says what is wrong. `UNTIL` is turned into wall time by `readUntil`. */
export function parseRule(text: string, readUntil: (text: string) => WallTime): RecurrenceRule {
  const parts = new Map<string, string>()
  for (const part of text.split(';')) {
    const [, name, value] = /^([A-Z-]+)=(.+)$/.exec(part.toUpperCase()) ?? []
    if (name === undefined) throw new RangeError(`must have parts like FREQ=DAILY, got ${JSON.stringify(part)}`)
    if (parts.has(name)) throw new RangeError(`must have ${name} once, got it again`)
    parts.set(name, value)
  }
  for (const name of parts.keys())
    if (!KNOWN.includes(name)) throw new RangeError(`must have no other parts than ${KNOWN.join(', ')}; got ${name}`)
  const frequency = parts.get('FREQ')
  if (!FREQUENCIES.includes(frequency as never))
    throw new RangeError(`must have a FREQ of ${FREQUENCIES.join(', ')}; got ${frequency ?? 'none'}`)
  const numbers = (name: string, low: number, high: number, negative: boolean) => {
    const written = parts.get(name)
    if (written === undefined) return undefined
    const given = written.split(',').map(item => {
      const number = Number(item)
      const size = negative ? Math.abs(number) : number
      if (!/^[+-]?\d+$/.test(item) || size < low || size > high)
        throw new RangeError(`must have numbers of ${low} to ${high}${negative ? ' or below zero' : ''} in ${name}, got ${item}`)
      return number
    })
    // What is said again changes nothing, and would be compared with each day.
    return [...new Set(given)]
  }
  const [interval = 1] = numbers('INTERVAL', 1, 10_000, false) ?? []
  const count = numbers('COUNT', 1, 1_000_000, false)?.[0]
  if (count !== undefined && parts.has('UNTIL')) throw new RangeError('must have COUNT or UNTIL, got both')
  const weekStart = WEEKDAYS.indexOf(parts.get('WKST') ?? 'MO')
  if (weekStart < 0) throw new RangeError(`must have a WKST of ${WEEKDAYS.join(', ')}; got ${parts.get('WKST')}`)
  const days = parts.get('BYDAY')?.split(',')
  const byDay =
    days &&
    [...new Set(days)].map(item => {
      const [, nth = '0', day] = /^([+-]?[1-9]\d?)?([A-Z]{2})$/.exec(item) ?? []
      const weekday = WEEKDAYS.indexOf(day ?? '')
      if (weekday < 0) throw new RangeError(`must have days like MO or -1FR in BYDAY, got ${item}`)
      if (nth !== '0' && frequency !== 'MONTHLY' && frequency !== 'YEARLY')
        throw new RangeError(`must have plain days in BYDAY of ${frequency}, got ${item}`)
      return { weekday, nth: Number(nth) }
    })
  const byMonthDay = numbers('BYMONTHDAY', 1, 31, true)
  if (byMonthDay && frequency === 'WEEKLY') throw new RangeError('must have no BYMONTHDAY in WEEKLY, got one')
  const byMonth = numbers('BYMONTH', 1, 12, false)
  const bySetPosition = numbers('BYSETPOS', 1, 366, true)
  const until = parts.get('UNTIL')
  return {
    frequency: frequency as RecurrenceRule['frequency'],
    interval,
    weekStart,
    ...(count === undefined ? {} : { count }),
    ...(until === undefined ? {} : { until: readUntil(until) }),
    ...(byDay ? { byDay } : {}),
    ...(byMonthDay ? { byMonthDay } : {}),
    ...(byMonth ? { byMonth } : {}),
    ...(bySetPosition ? { bySetPosition } : {}),
  }
}

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const FREQUENCIES = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const
/** Of a period; so many are safely before. */
const LONGEST = { DAILY: DAY, WEEKLY: WEEK, MONTHLY: 31 * DAY, YEARLY: 366 * DAY } as const
const KNOWN = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'BYMONTHDAY', 'BYMONTH', 'BYSETPOS', 'WKST']

/**
 * The starts of a rule in order, in wall time, from about `from` (maybe some before it) up to and with `last`: the time of day is that of
 * `first`, before which none comes. `spend` is called with the days that are looked at next, and may throw.
 */
export function* recur(
  rule: RecurrenceRule,
  first: WallTime,
  from: WallTime,
  last: WallTime,
  spend: (days: number) => void = () => {},
): Generator<WallTime> {
  const clock = first - dayOf(first)
  const end = Math.min(last, rule.until ?? Infinity)
  let left = rule.count ?? Infinity
  // What is counted must be counted from the first on.
  const skipped = rule.count === undefined ? Math.floor((from - first) / (LONGEST[rule.frequency] * rule.interval)) - 1 : 0
  for (let k = Math.max(0, skipped); left > 0; k++) {
    const days = periodOf(rule, first, k)
    // Also where there are no dates any more.
    if (!(days.from <= end)) return
    spend((days.to - days.from) / DAY)
    const matching = daysIn(days, first, rule)
    const chosen = rule.bySetPosition
      ? matching.filter((_, i) => rule.bySetPosition!.some(at => at === i + 1 || at === i - matching.length))
      : matching
    for (const day of chosen) {
      const start = day + clock
      if (start < first) continue
      if (start > end || left-- === 0) return
      yield start
    }
  }
}

/** Days from … to of the k-th day, week, month or year that counts. */
function periodOf({ frequency, interval, weekStart }: RecurrenceRule, first: WallTime, k: number) {
  const day = dayOf(first)
  const date = new Date(day)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  switch (frequency) {
    case 'DAILY':
      return { from: day + k * interval * DAY, to: day + k * interval * DAY + DAY }
    case 'WEEKLY': {
      const from = day - ((weekdayOf(day) - weekStart + 7) % 7) * DAY + k * interval * WEEK
      return { from, to: from + WEEK }
    }
    case 'MONTHLY':
      return { from: Date.UTC(year, month + k * interval, 1), to: Date.UTC(year, month + k * interval + 1, 1) }
    case 'YEARLY':
      return { from: Date.UTC(year + k * interval, 0, 1), to: Date.UTC(year + k * interval + 1, 0, 1) }
  }
}

function daysIn({ from, to }: { from: WallTime; to: WallTime }, first: WallTime, rule: RecurrenceRule): WallTime[] {
  const days: WallTime[] = []
  for (let day = from; day < to; day += DAY) if (isDayOf(rule, day, first)) days.push(day)
  return days
}

function isDayOf(rule: RecurrenceRule, day: WallTime, first: WallTime): boolean {
  const { frequency, byDay, byMonthDay, byMonth } = rule
  const date = new Date(day)
  const begun = new Date(first)
  const month = date.getUTCMonth()
  if (byMonth && !byMonth.includes(month + 1)) return false
  if (byMonthDay) {
    const size = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate()
    if (!byMonthDay.some(at => at === date.getUTCDate() || at === date.getUTCDate() - size - 1)) return false
  }
  if (byDay) {
    const whole = frequency === 'YEARLY' && !byMonth
    if (!byDay.some(({ weekday, nth }) => weekday === weekdayOf(day) && (nth === 0 || isNth(date, nth, whole)))) return false
  }
  if (byDay || byMonthDay || frequency === 'DAILY') return true
  if (frequency === 'WEEKLY') return weekdayOf(day) === weekdayOf(first)
  // What says no day takes the day of the start, and a month without it is left out.
  return date.getUTCDate() === begun.getUTCDate() && (frequency === 'MONTHLY' || !!byMonth || month === begun.getUTCMonth())
}

function isNth(date: Date, nth: number, ofYear: boolean): boolean {
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const first = ofYear ? Date.UTC(year, 0, 1) : Date.UTC(year, month, 1)
  const after = ofYear ? Date.UTC(year + 1, 0, 1) : Date.UTC(year, month + 1, 1)
  return nth > 0
    ? Math.floor((date.getTime() - first) / WEEK) + 1 === nth
    : Math.floor((after - DAY - date.getTime()) / WEEK) + 1 === -nth
}
