import { describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../duration.ts'
import { calendars } from './index.ts'

const make = (type: string, options: object) => calendars[type]!.create(calendars[type]!.config.parse(options))
const ALL = { start: Date.UTC(2026, 0, 1), end: Date.UTC(2027, 0, 1) }
const show = (type: string, options: object, range = ALL) =>
  make(type, options)
    .eventsIn(range)
    .map(
      ({ name, start, end }) =>
        `${name} ${new Date(start).toISOString().slice(0, 16)} ${new Date(end).toISOString().slice(0, 16)}`,
    )

for (const { type, examples } of Object.values(calendars))
  for (const example of examples)
    describe(`${type} ${JSON.stringify(example).slice(0, 90)}`, () => {
      const calendar = make(type, example)
      const WINTER = { start: Date.UTC(2024, 9, 1), end: Date.UTC(2025, 1, 1) }
      const all = calendar.eventsIn(WINTER)
      it('has events that last, in order', () => {
        expect(all.length).toBeGreaterThan(0)
        for (const { start, end, name } of all) {
          expect(end).toBeGreaterThan(start)
          expect(name).not.toBe('')
        }
        expect(all.map(({ start }) => start)).toEqual(all.map(({ start }) => start).toSorted((a, b) => a - b))
      })
      it('says of a part of a range what it says of the whole', () => {
        for (let start = WINTER.start + 3 * DAY; start < WINTER.end - 9 * DAY; start += 31 * HOUR) {
          const range = { start, end: start + 37 * HOUR }
          expect(calendar.eventsIn(range)).toEqual(all.filter(each => each.start < range.end && each.end > range.start))
        }
        expect(calendar.eventsIn({ start: WINTER.start, end: WINTER.start })).toEqual([])
      })
    })

describe('once', () => {
  it('takes times of its zone, with an offset, and whole days', () => {
    const timezone = 'Europe/Berlin'
    expect(show('once', { name: 'a', start: '2026-07-01T10:00', end: '2026-07-01T11:00', timezone })).toEqual([
      'a 2026-07-01T08:00 2026-07-01T09:00',
    ])
    expect(show('once', { name: 'a', start: '2026-07-01T10:00Z', end: '2026-07-01T11:00-02:30', timezone })).toEqual([
      'a 2026-07-01T10:00 2026-07-01T13:30',
    ])
    expect(show('once', { name: 'a', start: '2026-12-24', end: '2026-12-26', timezone })).toEqual([
      'a 2026-12-23T23:00 2026-12-26T23:00',
    ])
  })
  it.each(['2026-02-30', 'tomorrow', '2026-01-01T25:00', '01.02.2026'])('refuses %s', start =>
    expect(() => make('once', { name: 'a', start, end: '2027-01-01' })).toThrow('must be a time like'),
  )
  it('refuses an end before the start', () =>
    expect(() => make('once', { name: 'a', start: '2026-01-02', end: '2026-01-01' })).toThrow('must end after it starts'))
})

describe('weekly', () => {
  it('follows the clock, over midnight too', () => {
    const range = { start: Date.UTC(2026, 2, 28), end: Date.UTC(2026, 2, 31) }
    expect(show('weekly', { name: 'n', from: '23:00', to: '01:00', timezone: 'Europe/Berlin' }, range)).toEqual(
      [
        'n 2026-03-27T22:00 2026-03-28T00:00',
        'n 2026-03-28T22:00 2026-03-29T00:00',
        'n 2026-03-29T21:00 2026-03-29T23:00',
        'n 2026-03-30T21:00 2026-03-30T23:00',
      ].slice(1),
    )
    expect(show('weekly', { name: 'n', days: ['mon'], from: '10:00', to: '11:00' }, range)).toEqual([
      'n 2026-03-30T10:00 2026-03-30T11:00',
    ])
  })
  it('refuses clocks that do not exist', () =>
    expect(() => make('weekly', { name: 'n', from: '9:00' })).toThrow('must be a time in quotes like'))
})

describe('icalendar', () => {
  const text = [
    'BEGIN:VCALENDAR',
    ...['Deploy A', 'Holiday'].flatMap((name, i) => ['BEGIN:VEVENT', `SUMMARY:${name}`, `DTSTART:2026010${i + 1}`, 'END:VEVENT']),
    'END:VCALENDAR',
  ].join('\n')
  it('takes only what is wanted', () => {
    expect(show('icalendar', { text })).toHaveLength(2)
    expect(show('icalendar', { text, only: 'deploy' })).toEqual(['Deploy A 2026-01-01T00:00 2026-01-02T00:00'])
  })
  it('refuses what is no calendar', () =>
    expect(() => make('icalendar', { text: 'x' })).toThrow('calendar:1:1: must be NAME:value'))
})
