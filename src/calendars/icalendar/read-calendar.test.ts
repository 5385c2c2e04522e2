import { describe, expect, it } from 'vitest'
import { DAY } from '../../duration.ts'
import { ConfigError } from '../../errors.ts'
import { readCalendar } from './read-calendar.ts'

const wrap = (...lines: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR'].join('\r\n')
const event = (...lines: string[]) => wrap('BEGIN:VEVENT', ...lines, 'END:VEVENT')
const ALL = { start: Date.UTC(2020, 0, 1), end: Date.UTC(2030, 0, 1) }
const show = (text: string, { timezone = 'UTC', range = ALL, count = 9 } = {}) =>
  readCalendar(text, 'c.ics', timezone)
    .eventsIn(range)
    .slice(0, count)
    .map(({ start, end }) => `${new Date(start).toISOString().slice(0, 16)} ${new Date(end).toISOString().slice(0, 16)}`)
function faultsOf(text: string): string[] {
  try {
    readCalendar(text, 'c.ics')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

describe('a calendar', () => {
  it('has events with an end, with a duration, of one day and of many', () => {
    expect(show(event('DTSTART:20260105T100000Z', 'DTEND:20260105T113000Z'))).toEqual(['2026-01-05T10:00 2026-01-05T11:30'])
    expect(show(event('DTSTART:20260105T100000Z', 'DURATION:PT1H30M'))).toEqual(['2026-01-05T10:00 2026-01-05T11:30'])
    expect(show(event('DTSTART;VALUE=DATE:20260105'))).toEqual(['2026-01-05T00:00 2026-01-06T00:00'])
    expect(show(event('DTSTART:20260105', 'DTEND:20260108'))).toEqual(['2026-01-05T00:00 2026-01-08T00:00'])
    expect(show(event('DTSTART:20260105T100000Z'))).toEqual([])
  })

  it('unfolds lines and takes escapes out of names', () => {
    const text = event('DTSTART:20260105T100000Z', 'DURATION:PT1H', 'SUMMARY;LANGUAGE=en:Deploy\\, long', '  and \\nfold', '\ted')
    expect(readCalendar(text, 'c.ics').eventsIn(ALL)[0].name).toBe('Deploy, long and \nfolded')
    expect(readCalendar(text.replaceAll('\r\n', '\n'), 'c.ics').eventsIn(ALL)).toHaveLength(1)
    expect(readCalendar(`\uFEFF${text}`, 'c.ics').eventsIn(ALL)).toHaveLength(1)
  })

  it('follows the clock of a zone through daylight saving', () => {
    const weekly = event('DTSTART;TZID=Europe/Berlin:20260323T090000', 'DURATION:PT1H', 'RRULE:FREQ=WEEKLY;COUNT=2')
    expect(show(weekly)).toEqual(['2026-03-23T08:00 2026-03-23T09:00', '2026-03-30T07:00 2026-03-30T08:00'])
    // 02:30 is skipped on 29 March and shown twice on 25 October: the first of both.
    expect(show(event('DTSTART;TZID=Europe/Berlin:20260329T023000', 'DURATION:PT1H'))).toEqual([
      '2026-03-29T01:30 2026-03-29T02:30',
    ])
    expect(show(event('DTSTART;TZID=Europe/Berlin:20261025T023000', 'DURATION:PT1H'))).toEqual([
      '2026-10-25T00:30 2026-10-25T01:30',
    ])
    // A day of the clock, which has 23 hours.
    expect(show(event('DTSTART;VALUE=DATE:20260329'), { timezone: 'Europe/Berlin' })).toEqual([
      '2026-03-28T23:00 2026-03-29T22:00',
    ])
    expect(show(event('DTSTART:20260105T100000', 'DURATION:PT1H'), { timezone: 'America/New_York' })).toEqual([
      '2026-01-05T15:00 2026-01-05T16:00',
    ])
  })

  it('takes zones that the file tells itself', () => {
    const zone = [
      'BEGIN:VTIMEZONE',
      'TZID:Office Time',
      'BEGIN:STANDARD',
      'DTSTART:19701025T030000',
      'TZOFFSETFROM:+0200',
      'TZOFFSETTO:+0100',
      'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
      'END:STANDARD',
      'BEGIN:DAYLIGHT',
      'DTSTART:19700329T020000',
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0200',
      'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
      'END:DAYLIGHT',
      'END:VTIMEZONE',
    ]
    const text = (tzid: string) =>
      wrap(
        ...zone,
        'BEGIN:VEVENT',
        `DTSTART;TZID=${tzid}:20260323T090000`,
        'DURATION:PT1H',
        'RRULE:FREQ=WEEKLY;COUNT=2',
        'END:VEVENT',
      )
    const wanted = ['2026-03-23T08:00 2026-03-23T09:00', '2026-03-30T07:00 2026-03-30T08:00']
    expect(show(text('Office Time'))).toEqual(wanted)
    expect(show(text('/example.org/20260101_1/Europe/Berlin'))).toEqual(wanted)
  })

  it('recurs, without what is left out and with what is added', () => {
    const text = event(
      'DTSTART;TZID=Europe/Berlin:20260105T100000',
      'DURATION:PT30M',
      'RRULE:FREQ=DAILY;UNTIL=20260109T090000Z',
      'EXDATE;TZID=Europe/Berlin:20260106T100000,20260107T110000',
      'EXDATE:20260108T090000Z',
      'RDATE;TZID=Europe/Berlin:20260201T120000',
      'RDATE;VALUE=PERIOD:20260301T120000Z/PT2H,20260302T120000Z/20260302T130000Z',
    )
    expect(show(text)).toEqual([
      '2026-01-05T09:00 2026-01-05T09:30',
      '2026-01-07T09:00 2026-01-07T09:30',
      '2026-01-09T09:00 2026-01-09T09:30',
      '2026-02-01T11:00 2026-02-01T11:30',
      '2026-03-01T12:00 2026-03-01T14:00',
      '2026-03-02T12:00 2026-03-02T13:00',
    ])
    const date = event('DTSTART:20260105T100000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;COUNT=3', 'EXDATE;VALUE=DATE:20260106')
    expect(show(date)).toEqual(['2026-01-05T10:00 2026-01-05T11:00', '2026-01-07T10:00 2026-01-07T11:00'])
  })

  it('moves changed occurrences and leaves cancelled ones out', () => {
    const text = wrap(
      'BEGIN:VEVENT',
      'UID:1',
      'DTSTART:20260105T100000Z',
      'DURATION:PT1H',
      'RRULE:FREQ=DAILY;COUNT=3',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'UID:1',
      'RECURRENCE-ID:20260106T100000Z',
      'DTSTART:20260106T150000Z',
      'DURATION:PT1H',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'UID:1',
      'RECURRENCE-ID:20260107T100000Z',
      'STATUS:CANCELLED',
      'DTSTART:20260107T100000Z',
      'DURATION:PT1H',
      'END:VEVENT',
    )
    expect(show(text)).toEqual(['2026-01-05T10:00 2026-01-05T11:00', '2026-01-06T15:00 2026-01-06T16:00'])
  })

  it('says of a range what it says of all, clipped to what overlaps', () => {
    const text = event('DTSTART;VALUE=DATE:20200106', 'DTEND;VALUE=DATE:20200109', 'RRULE:FREQ=WEEKLY')
    const calendar = readCalendar(text, 'c.ics')
    const all = calendar.eventsIn(ALL)
    for (let day = 0; day < 40; day++) {
      const range = { start: Date.UTC(2026, 1, 1) + day * DAY, end: Date.UTC(2026, 1, 2) + day * DAY }
      expect(calendar.eventsIn(range)).toEqual(all.filter(({ start, end }) => start < range.end && end > range.start))
    }
  })

  it('names all faults at once, each at its line', () => {
    const text = wrap(
      'BEGIN:VEVENT',
      'SUMMARY:no start',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'DTSTART;TZID=Mars/Base:20260105T100000',
      'RRULE:FREQ=HOURLY',
      'DURATION:soon',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'DTSTART;VALUE=DATE:20260230',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'DTSTART:20260105T100000Z',
      'RRULE:FREQ=HOURLY',
      'END:VEVENT',
      'BEGIN:VEVENT',
      'DTSTART:20260105T100000Z',
      'DTEND:20260104T100000Z',
      'END:VEVENT',
      'what is this',
    )
    expect(faultsOf(text)).toEqual([
      'c.ics:3:1: VEVENT must have a DTSTART, got none',
      'c.ics:7:1: DTSTART must have a TZID of the IANA database or a VTIMEZONE for it, got "Mars/Base"',
      'c.ics:8:1: RRULE must have a FREQ of DAILY, WEEKLY, MONTHLY, YEARLY; got HOURLY',
      expect.stringMatching(/^c\.ics:9:1: DURATION must be readable, got "DURATION:soon"/),
      'c.ics:12:1: DTSTART must be a date that exists, got "DTSTART;VALUE=DATE:20260230"',
      'c.ics:16:1: RRULE must have a FREQ of DAILY, WEEKLY, MONTHLY, YEARLY; got HOURLY',
      'c.ics:20:1: VEVENT must end after it starts, got an end before the start',
      'c.ics:22:1: must be NAME:value, got "what is this"',
    ])
  })
  it.each([
    ['', 'c.ics:1:1: must have a VCALENDAR, got nothing'],
    ['X:1', 'c.ics:1:1: must have a VCALENDAR, got none'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105\nEND:VCALENDAR', 'c.ics:4:1: must end VEVENT, got END:VCALENDAR'],
    ['END:VEVENT', 'c.ics:1:1: must end what was begun, got END:VEVENT'],
    ['BEGIN:VCALENDAR', 'c.ics:1:1: must be ended by END:VCALENDAR, got the end of the text'],
    [event('DTSTART:20260105', 'DTSTART:20260106'), 'c.ics:5:1: DTSTART must be there once, got it again'],
    [event('DTSTART:20260105', 'DTEND:20260106', 'DURATION:P1D'), 'DURATION must not be beside DTEND, got both'],
    [event('DTSTART:20260105', 'RRULE:FREQ=DAILY;UNTIL=soon'), 'must have an UNTIL like'],
  ])('refuses %j', (text, message) => expect(faultsOf(text).join('\n')).toContain(message))

  it('is quick with years of recurrences', () => {
    const many = Array.from({ length: 300 }, () => [
      'BEGIN:VEVENT',
      'DTSTART;VALUE=DATE:20000101',
      'RRULE:FREQ=YEARLY',
      'END:VEVENT',
    ])
    const events = readCalendar(wrap(...many.flat()), 'c.ics').eventsIn({
      start: Date.UTC(2026, 0, 1),
      end: Date.UTC(2026, 0, 2),
    })
    expect(events).toHaveLength(300)
  })
})
