import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE } from '../duration.ts'
import { weekly } from './weekly.ts'

const make = (options: object) => weekly.create(weekly.config.parse({ name: 'w', ...options }))

/** Zones of both hemispheres with the days of 2026 on which their clocks change; some change at midnight or by half an hour. */
const CHANGES: readonly (readonly [zone: string, spring: number, autumn: number])[] = [
  ['Europe/Berlin', Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25)],
  ['America/New_York', Date.UTC(2026, 2, 8), Date.UTC(2026, 10, 1)],
  ['Australia/Sydney', Date.UTC(2026, 9, 4), Date.UTC(2026, 3, 5)],
  ['Australia/Lord_Howe', Date.UTC(2026, 9, 4), Date.UTC(2026, 3, 5)],
  ['America/Santiago', Date.UTC(2026, 8, 6), Date.UTC(2026, 3, 5)],
  ['UTC', Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25)],
]
const GRID = 15 * MINUTE

/** What the clock of a zone shows at each quarter of an hour from five days before a day to five days after it, as if it were UTC. */
const clocks = new Map<string, readonly (readonly [time: number, wall: number])[]>()
function clockOf(zone: string, day: number) {
  const key = `${zone} ${day}`
  let clock = clocks.get(key)
  if (!clock) {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    const times = Array.from({ length: (10 * DAY) / GRID }, (_, i) => day - 5 * DAY + i * GRID)
    clocks.set(key, (clock = times.map(time => [time, Date.parse(`${format.format(time).replace(' ', 'T')}Z`)] as const)))
  }
  return clock
}

/** The first time at which the clock shows it; in the hour that is skipped, as if the clock had not been changed yet. */
function naiveMoment(zone: string, day: number, wall: number): number {
  const clock = clockOf(zone, day)
  const shown = clock.find(([, shows]) => shows === wall)
  if (shown) return shown[0]
  const [time, shows] = clock[clock.findIndex(([, later]) => later > wall) - 1]
  return time + wall - shows
}

const clockText = (quarters: number) =>
  `${String(Math.floor(quarters / 4)).padStart(2, '0')}:${String((quarters % 4) * 15).padStart(2, '0')}`

describe('weekly, when the clocks change', () => {
  it.each([
    ['keeps a window that starts in the skipped hour', '2026-03-29', '02:30', '03:30', '2026-03-29T01:30Z', HOUR],
    ['keeps a window that ends in the skipped hour', '2026-03-29', '01:30', '02:30', '2026-03-29T00:30Z', HOUR],
    ['keeps a window over the hour that comes twice', '2026-10-25', '02:30', '03:30', '2026-10-25T00:30Z', HOUR],
    ['keeps a window over midnight', '2026-03-28', '23:30', '05:30', '2026-03-28T22:30Z', 6 * HOUR],
    ['ends a whole day with the short day', '2026-03-29', '00:00', '24:00', '2026-03-28T23:00Z', 23 * HOUR],
    ['ends a whole day with the long day', '2026-10-25', '00:00', '24:00', '2026-10-24T22:00Z', 25 * HOUR],
  ])('%s', (_, date, from, to, start, length) => {
    const day = Date.parse(date)
    const events = make({ from, to, timezone: 'Europe/Berlin' }).eventsIn({ start: day - DAY, end: day + 2 * DAY })
    expect(events).toContainEqual({ name: 'w', start: Date.parse(start), end: Date.parse(start) + length })
  })

  it('says what a twin says that reads the clock quarter by quarter', () => {
    const quarters = fc.integer({ min: 0, max: 95 })
    fc.assert(
      fc.property(fc.constantFrom(...CHANGES), fc.boolean(), quarters, quarters, ([zone, spring, autumn], isSpring, from, to) => {
        const day = isSpring ? spring : autumn
        const range = { start: day - DAY, end: day + 2 * DAY }
        const length = (to > from ? to - from : to - from + 96) * GRID
        const expected = [-3, -2, -1, 0, 1, 2]
          .map(n => day + n * DAY)
          .map(date => {
            const start = naiveMoment(zone, day, date + from * GRID)
            return { start, end: length === DAY ? naiveMoment(zone, day, date + from * GRID + DAY) : start + length }
          })
          .filter(({ start, end }) => start < range.end && end > range.start)
        const events = make({ from: clockText(from), to: clockText(to), timezone: zone }).eventsIn(range)
        expect(events.map(({ start, end }) => ({ start, end }))).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })
})
