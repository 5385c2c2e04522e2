import { describe, expect, it } from 'vitest'
import { ConfigError, InputError } from '../../errors.ts'
import { icalendar } from '../icalendar.ts'
import { readCalendar } from './read-calendar.ts'

/** A calendar whose event begins at line 2. */
const calendar = (...lines: readonly string[]) =>
  ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'SUMMARY:party', ...lines, 'END:VEVENT', 'END:VCALENDAR'].join('\n')
const range = { start: Date.UTC(2026, 0, 1), end: Date.UTC(2027, 0, 1) }
const faultsOf = (text: string): readonly string[] => {
  try {
    readCalendar(text, 'x.ics')
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
}
const TOO_MANY = /^x\.ics:5:1: RRULE must have recurrences for which at most 1000000 days are looked at, got more/
const zone = (rule: string) =>
  [
    'BEGIN:VCALENDAR',
    'BEGIN:VTIMEZONE',
    'TZID:own',
    'BEGIN:STANDARD',
    'DTSTART:19700101T000000',
    'TZOFFSETFROM:+0100',
    'TZOFFSETTO:+0200',
    `RRULE:${rule}`,
    'END:STANDARD',
    'END:VTIMEZONE',
    'END:VCALENDAR',
  ].join('\n')

describe('calendars that ask for too much', () => {
  it.each([
    ['a count that is never reached', 'FREQ=DAILY;COUNT=1000000;BYMONTH=2;BYMONTHDAY=30'],
    ['a count of many thousand years', 'FREQ=YEARLY;COUNT=1000000'],
    ['a count of weeks', 'FREQ=WEEKLY;COUNT=1000000'],
  ])('refuse %s', (_, rule) => {
    expect(faultsOf(calendar('DTSTART:19700101T000000Z', `RRULE:${rule}`))).toEqual([expect.stringMatching(TOO_MANY)])
  })

  it('end a rule where dates end', () => {
    const { eventsIn } = readCalendar(calendar('DTSTART:20260301', 'RRULE:FREQ=YEARLY;INTERVAL=10000;COUNT=1000'), 'x.ics')
    expect(eventsIn(range)).toHaveLength(1)
  })

  it.each(['SECONDLY', 'MINUTELY', 'HOURLY'])('refuse FREQ=%s', frequency => {
    expect(faultsOf(calendar('DTSTART:20260101T000000Z', `RRULE:FREQ=${frequency}`))).toEqual([
      `x.ics:5:1: RRULE must have a FREQ of DAILY, WEEKLY, MONTHLY, YEARLY; got ${frequency}`,
    ])
  })

  it('look at each day once, however often a rule says it', () => {
    const days = Array(10_000).fill('MO').join(',')
    const { eventsIn } = readCalendar(calendar('DTSTART:20260105', `RRULE:FREQ=WEEKLY;BYDAY=${days}`), 'x.ics')
    expect(eventsIn(range)).toHaveLength(52)
  })

  it('share the days of a range between all events, and name the one that had none left', () => {
    const event = 'BEGIN:VEVENT\nSUMMARY:party\nDTSTART:20000101\nRRULE:FREQ=DAILY\nEND:VEVENT'
    const text = `BEGIN:VCALENDAR\n${Array(3000).fill(event).join('\n')}\nEND:VCALENDAR`
    const { eventsIn } = readCalendar(text, 'x.ics')
    expect(() => eventsIn(range)).toThrow(InputError)
    expect(() => eventsIn(range)).toThrow(/^x\.ics:\d+: party must have recurrences for which at most 1000000 days are looked at/)
    expect(eventsIn({ start: range.start, end: range.start + 1 })).toHaveLength(3000)
  })

  it('share them also between events that last for centuries', () => {
    const { eventsIn } = readCalendar(calendar('DTSTART:20260101', 'DURATION:P2000000D', 'RRULE:FREQ=DAILY'), 'x.ics')
    expect(eventsIn(range)).toHaveLength(365)
  })

  it.each([
    ['a zone that changes each second', 'FREQ=SECONDLY', 'got "FREQ=SECONDLY" (must have a FREQ of'],
    ['a zone that changes each day', 'FREQ=DAILY', 'got "FREQ=DAILY"'],
    ['a zone with many hours', 'FREQ=YEARLY;BYHOUR=1,2', 'got "FREQ=YEARLY;BYHOUR=1,2" (must have no other parts'],
    ['a zone with a long rule', `FREQ=YEARLY;BYMONTH=${Array(100).fill('10').join(',')}`, 'got 319 characters'],
  ])('refuse %s', (_, rule, message) => {
    expect(faultsOf(zone(rule))).toEqual([
      expect.stringContaining(`x.ics:8:1: RRULE of a VTIMEZONE must be a yearly rule, ${message}`),
    ])
  })

  it('refuse nesting, more events than anybody has, long lines and many faults', () => {
    expect(faultsOf('BEGIN:VCALENDAR\n'.repeat(100_000))).toEqual(['x.ics:9:1: must be nested at most 8 deep, got one more'])
    const event = 'BEGIN:VEVENT\nDTSTART:20260101\nEND:VEVENT\n'
    expect(faultsOf(`BEGIN:VCALENDAR\n${event.repeat(20_001)}END:VCALENDAR`)).toEqual([
      'x.ics:60002:1: must be one of at most 20000 events, got 20001',
    ])
    expect(faultsOf(calendar(`DESCRIPTION:${'x'.repeat(100_000)}`, 'DTSTART:20260101'))).toEqual([
      'x.ics:4:1: must have at most 100000 characters, got 100012',
    ])
    expect(faultsOf('nonsense\n'.repeat(5000))).toHaveLength(100)
  })

  it('refuse a text that is too long, when the configuration is checked', () => {
    const result = icalendar.config.safeParse({ text: 'x'.repeat(8_000_001) })
    expect(result.error?.issues[0]?.message).toBe('must have at most 8000000 characters, got 8000001')
  })
})
