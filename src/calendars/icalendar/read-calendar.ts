import ICAL from 'ical.js'
import { DAY, SECOND } from '../../duration.ts'
import { ConfigError, type Fault, InputError } from '../../errors.ts'
import type { TimeRange } from '../../frame/frame.ts'
import { fromZone } from '../../math/zone-offset.ts'
import type { CalendarEvent } from '../calendar.ts'
import { dayOf, isZone, momentOf, type WallTime } from '../wall-time.ts'
import { type Block, type ContentLine, readBlocks } from './content-lines.ts'
import { parseRule, type RecurrenceRule, recur } from './recur.ts'

/** Events of a calendar file. */
export interface EventList {
  eventsIn(range: TimeRange): readonly CalendarEvent[]
}

type Offset = (time: number) => number

/** A date or a date and time: what the clock shows, and of which zone. */
interface Moment {
  readonly wall: WallTime
  readonly offset: Offset
  /** A date without a time. */
  readonly whole: boolean
}

/** How long an event is: days on the clock, then time that passes. */
interface Length {
  readonly days: number
  readonly rest: number
}

interface Occurrences {
  /** Where its VEVENT begins. */
  readonly line: number
  readonly name: string
  readonly start: Moment
  readonly length: Length
  readonly rules: readonly RecurrenceRule[]
  /** Further starts, with their own length where they have one. */
  readonly dates: readonly { readonly at: number; readonly length: Length | undefined }[]
  /** Starts that are left out, epoch ms. */
  readonly without: ReadonlySet<number>
}

const MAX_EVENTS = 20_000
/** Faults that are reported; behind so many the rest is of the same kind. */
const MAX_FAULTS = 100
/**
 * Days that all recurrences of a calendar together may look at, when it is read (to find the end of those that count) and for one range: a
 * thousand events of every day for three years. A second or so.
 */
const MAX_DAYS = 1_000_000
/** Characters of a recurrence rule of a time zone. */
const MAX_ZONE_RULE = 200

/** Counts the days that are looked at. */
function openBudget(): { spend(days: number): void } {
  let left = MAX_DAYS
  return {
    spend(days) {
      left -= days
      if (left < 0)
        throw new InputError(
          `must have recurrences for which at most ${MAX_DAYS} days are looked at, got more (a COUNT, a length or a range that is very long)`,
        )
    },
  }
}

const UTC: Offset = () => 0
/** Stands in for a start with a fault, so that the faults behind it are found too. */
const EPOCH: Moment = { wall: 0, offset: UTC, whole: false }

/**
 * Reads the VEVENTs of an iCalendar text (RFC 5545): all-day and timed, with DTEND or DURATION, TZID (of the IANA database, or told by a
 * VTIMEZONE), RRULE down to days, RDATE, EXDATE and changed occurrences (RECURRENCE-ID). Cancelled ones are left out. Times without a zone are
 * of `timezone`. Throws a `ConfigError` with all faults, each at its line of `file`.
 */
export function readCalendar(text: string, file: string, timezone = 'UTC'): EventList {
  const faults: Fault[] = []
  const fault = (line: number, message: string) => {
    if (faults.length < MAX_FAULTS) faults.push({ file, line, column: 1, path: '', message })
  }
  const calendars = readBlocks(text, fault).filter(({ name }) => name === 'VCALENDAR')
  if (calendars.length === 0 && faults.length === 0)
    fault(1, `must have a VCALENDAR, got ${text.trim() === '' ? 'nothing' : 'none'}`)
  const all: Occurrences[] = calendars.flatMap(calendar => readEvents(calendar, timezone, fault))
  if (faults.length > 0) throw new ConfigError(faults.toSorted((a, b) => a.line - b.line))
  return {
    eventsIn(range) {
      const budget = openBudget()
      const events = all.flatMap(one => {
        try {
          return occurrencesIn(one, range, budget.spend)
        } catch (error) {
          if (error instanceof InputError) throw new InputError(`${file}:${one.line}: ${one.name} ${error.message}`)
          throw error
        }
      })
      return events.toSorted((a, b) => a.start - b.start || a.end - b.end)
    },
  }
}

function readEvents(calendar: Block, timezone: string, fault: (line: number, message: string) => void): Occurrences[] {
  const zones = new Map<string, Offset>()
  for (const block of calendar.blocks)
    if (block.name === 'VTIMEZONE')
      try {
        checkZoneRules(block)
        const zone = new ICAL.Timezone(new ICAL.Component(ICAL.parse(block.text()) as unknown[]))
        zones.set(zone.tzid, offsetOf(zone))
      } catch (error) {
        if (error instanceof ZoneRuleError) fault(error.line, error.message)
        else fault(block.line, `must be a time zone, got one that cannot be read (${(error as Error).message})`)
      }
  const read: { uid: string; recurrence: number | undefined; cancelled: boolean; event: Occurrences }[] = []
  const events = calendar.blocks.filter(({ name }) => name === 'VEVENT')
  if (events.length > MAX_EVENTS) {
    fault(events[MAX_EVENTS].line, `must be one of at most ${MAX_EVENTS} events, got ${events.length}`)
    return []
  }
  const budget = openBudget()
  for (const block of events) {
    const event = readEvent(block, { zones, floating: fromZone(timezone), spend: budget.spend }, fault)
    if (event) read.push(event)
  }
  const changes = Map.groupBy(
    read.filter(({ recurrence }) => recurrence !== undefined),
    ({ uid }) => uid,
  )
  // A changed occurrence takes the place of the one that it names.
  return read.flatMap(({ uid, recurrence, cancelled, event }) => {
    if (cancelled) return []
    if (recurrence !== undefined) return [event]
    const changed = (changes.get(uid) ?? []).map(other => other.recurrence!)
    return [{ ...event, without: new Set([...event.without, ...changed]) }]
  })
}

interface Zones {
  readonly zones: ReadonlyMap<string, Offset>
  readonly floating: Offset
  readonly spend: (days: number) => void
}

class ZoneRuleError extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** The library goes through all recurrences of a zone, whatever they are: every second since 1970. */
function checkZoneRules(zone: Block): void {
  for (const { line, name, text } of zone.blocks.flatMap(({ lines }) => lines)) {
    if (name !== 'RRULE') continue
    const rule = text.slice(text.indexOf(':') + 1).trim()
    const refuse = (what: string) => new ZoneRuleError(line, `RRULE of a VTIMEZONE must be a yearly rule, got ${what}`)
    if (rule.length > MAX_ZONE_RULE) throw refuse(`${rule.length} characters`)
    try {
      if (parseRule(rule, () => 0).frequency === 'YEARLY') continue
    } catch (error) {
      throw refuse(`${shorten(rule)} (${(error as Error).message})`)
    }
    throw refuse(shorten(rule))
  }
}

function readEvent(block: Block, zones: Zones, fault: (line: number, message: string) => void) {
  let good = true
  const attempt = <Made>(line: ContentLine, make: (line: ContentLine) => Made): Made[] => {
    try {
      return [make(line)]
    } catch (error) {
      good = false
      const { message } = error as Error
      const ours = message.startsWith('must') ? message : `must be readable, got ${shorten(line.text)} (${message})`
      fault(line.line, `${line.name} ${ours}`)
      return []
    }
  }
  const linesOf = (name: string) => block.lines.filter(line => line.name === name)
  const single = <Made>(name: string, make: (line: ContentLine) => Made): Made | undefined => {
    const [line, again] = linesOf(name)
    if (again) {
      good = false
      fault(again.line, `${name} must be there once, got it again`)
    }
    return line && attempt(line, make)[0]
  }
  const moments = (line: ContentLine) => readMoments(line, zones)
  const start = single('DTSTART', line => moments(line)[0])
  if (linesOf('DTSTART').length === 0) fault(block.line, 'VEVENT must have a DTSTART, got none')
  const end = single('DTEND', line => moments(line)[0])
  const duration = single('DURATION', readDuration)
  if (end && duration) fault(linesOf('DURATION')[0].line, 'DURATION must not be beside DTEND, got both')
  const name = single('SUMMARY', line => String(readProperty(line).getFirstValue() ?? '').trim()) || 'event'
  const uid = single('UID', line => line.text.slice(line.text.indexOf(':') + 1)) ?? ''
  const status = single('STATUS', line => line.text.slice(line.text.indexOf(':') + 1).toUpperCase())
  const recurrence = single('RECURRENCE-ID', line => moments(line)[0])
  const rules = linesOf('RRULE').flatMap(line =>
    attempt(line, ({ text }) => {
      const rule = parseRule(text.slice(text.indexOf(':') + 1).trim(), until => readUntil(until, start ?? EPOCH))
      return start ? endOfCount(rule, start.wall, zones.spend) : rule
    }),
  )
  const dates = linesOf('RDATE').flatMap(line => attempt(line, given => readDates(given, zones)).flat())
  const without = linesOf('EXDATE').flatMap(line =>
    attempt(line, moments)
      .flat()
      .map(each => exclusionOf(each, start ?? EPOCH)),
  )
  if (!start || !good || (end && duration)) return undefined
  const length = duration ?? (end ? lengthBetween(start, end) : { days: start.whole ? 1 : 0, rest: 0 })
  if (length.days < 0 || length.rest < 0) {
    fault((linesOf('DTEND')[0] ?? linesOf('DURATION')[0]).line, 'VEVENT must end after it starts, got an end before the start')
    return undefined
  }
  return {
    uid,
    recurrence: recurrence && exclusionOf(recurrence, start),
    cancelled: status === 'CANCELLED',
    event: { line: block.line, name, start, length, rules, dates, without: new Set(without) } satisfies Occurrences,
  }
}

/** The rule with the start that COUNT makes the last, so that no range has to count from the first on. */
function endOfCount(rule: RecurrenceRule, first: WallTime, spend: (days: number) => void): RecurrenceRule {
  if (rule.count === undefined) return rule
  const { count: _, ...rest } = rule
  let until = first - 1
  for (const start of recur(rule, first, first, Infinity, spend)) until = start
  return { ...rest, until }
}

const readProperty = ({ text }: ContentLine): ICAL.Property => ICAL.Property.fromString(text)

const shorten = (text: string) => JSON.stringify(text.slice(0, 60))

function readMoments(line: ContentLine, zones: Zones): readonly Moment[] {
  // Dates are often written without saying VALUE=DATE.
  const text = /^[^:;]+:\d{8}(?:,\d{8})*$/.test(line.text) ? line.text.replace(':', ';VALUE=DATE:') : line.text
  const property = readProperty({ ...line, text })
  const offset = zoneOf(property, zones)
  return property.getValues().map(value => {
    if (!(value instanceof ICAL.Time)) throw new RangeError(`must be dates or times, got ${shorten(text)}`)
    return momentFrom(value, offset, text)
  })
}

function momentFrom(time: ICAL.Time, offset: Offset, text: string): Moment {
  const wall = wallOf(time)
  // ICAL carries what overflows: 20260230 becomes 2 March.
  if (!text.replaceAll(/[-:]/g, '').includes(new Date(wall).toISOString().slice(0, 10).replaceAll('-', '')))
    throw new RangeError(`must be a date that exists, got ${shorten(text)}`)
  return { wall, whole: time.isDate, offset: time.zone?.tzid === 'UTC' ? UTC : offset }
}

function wallOf(time: ICAL.Time): WallTime {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second)
}

function zoneOf(property: ICAL.Property, { zones, floating }: Zones): Offset {
  const given = property.getParameter('tzid')
  if (typeof given !== 'string') return floating
  // Some programs write their own prefix: /example.org/20260101_1/Europe/Berlin.
  const known = [given, ...(/[A-Z]\w+(?:\/[\w+-]+){1,2}$/.exec(given) ?? [])].find(isZone)
  if (known !== undefined) return fromZone(known)
  const told = zones.get(given)
  if (!told) throw new RangeError(`must have a TZID of the IANA database or a VTIMEZONE for it, got ${JSON.stringify(given)}`)
  return told
}

function offsetOf(zone: ICAL.Timezone): Offset {
  return time => {
    // ICAL asks with what the clock shows; near enough, since a rule changes at most twice a year.
    const shown = (at: number) => zone.utcOffset(ICAL.Time.fromJSDate(new Date(at), true)) * SECOND
    return shown(time + shown(time))
  }
}

function readDuration(line: ContentLine): Length {
  const value = readProperty(line).getFirstValue()
  if (!(value instanceof ICAL.Duration)) throw new RangeError(`must be a duration like PT1H30M, got ${shorten(line.text)}`)
  return lengthOf(value)
}

function lengthOf({ weeks, days, hours, minutes, seconds, isNegative }: ICAL.Duration): Length {
  const sign = isNegative ? -1 : 1
  return { days: sign * (7 * weeks + days), rest: sign * ((hours * 60 + minutes) * 60 + seconds) * SECOND }
}

function lengthBetween(start: Moment, end: Moment): Length {
  if (start.whole && end.whole) return { days: (end.wall - start.wall) / DAY, rest: 0 }
  return { days: 0, rest: momentOf(end.wall, end.offset) - momentOf(start.wall, start.offset) }
}

function readDates(line: ContentLine, zones: Zones): Occurrences['dates'] {
  const property = /VALUE=PERIOD/i.test(line.text) ? readProperty(line) : undefined
  if (!property) return readMoments(line, zones).map(each => ({ at: momentOf(each.wall, each.offset), length: undefined }))
  const offset = zoneOf(property, zones)
  return property.getValues().map(value => {
    if (!(value instanceof ICAL.Period)) throw new RangeError(`must be periods, got ${shorten(line.text)}`)
    const start = momentFrom(value.start, offset, line.text)
    const length = value.duration ? lengthOf(value.duration) : lengthBetween(start, momentFrom(value.end!, offset, line.text))
    return { at: momentOf(start.wall, start.offset), length }
  })
}

/** A date leaves out the occurrence of that day, whatever its time. */
function exclusionOf(each: Moment, start: Moment): number {
  const wall = each.whole && !start.whole ? each.wall + (start.wall - dayOf(start.wall)) : each.wall
  return momentOf(wall, each.whole ? start.offset : each.offset)
}

/** UNTIL in UTC becomes what the clock of the start shows then; a date is the whole of its day. */
function readUntil(text: string, start: Moment): WallTime {
  const [, day, clock, utc] = /^(\d{8})(?:T(\d{6})(Z)?)?$/.exec(text) ?? []
  const iso = day && `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
  const time = Date.parse(`${iso}T${clock ? clock.replace(/(..)(..)(..)/, '$1:$2:$3') : '23:59:59'}Z`)
  if (Number.isNaN(time)) throw new RangeError(`must have an UNTIL like 20261231 or 20261231T235959Z, got ${text}`)
  return utc ? time + start.offset(time) : time
}

function occurrencesIn(
  { name, start, length, rules, dates, without }: Occurrences,
  range: TimeRange,
  spend: (days: number) => void,
): CalendarEvent[] {
  const events = new Map<number, CalendarEvent>()
  const add = (from: number, own: Length, offset: Offset) => {
    if (without.has(from) || events.has(from)) return
    const end = (own.days === 0 ? from : momentOf(from + offset(from) + own.days * DAY, offset)) + own.rest
    if (from < range.end && end > range.start && end > from) events.set(from, { name, start: from, end })
  }
  // Two days of slack: what the clock shows is less than one from UTC, and days are longer when clocks are set back.
  const from = range.start - length.days * DAY - length.rest - 2 * DAY
  const last = range.end + 2 * DAY
  if (rules.length === 0) add(momentOf(start.wall, start.offset), length, start.offset)
  for (const rule of rules)
    for (const wall of recur(rule, start.wall, from, last, spend)) add(momentOf(wall, start.offset), length, start.offset)
  for (const { at, length: own } of dates) add(at, own ?? length, start.offset)
  return [...events.values()]
}
