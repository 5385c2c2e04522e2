import { z } from 'zod'
import { component } from '../component.ts'
import type { Calendar } from './calendar.ts'
import { type EventList, readCalendar } from './icalendar/read-calendar.ts'
import { during, timezone } from './options.ts'

/** Ten thousand events as calendar programs write them, with attendees. */
const MAX_TEXT = 8_000_000

const config = z.strictObject({
  text: z
    .string()
    .max(MAX_TEXT, { error: ({ input }) => `must have at most ${MAX_TEXT} characters, got ${String(input).length}` })
    .describe('the calendar; { file: ./holidays.ics } takes it from a file'),
  only: z.string().optional().describe('events whose name has this in it, in capitals or not; default all'),
  timezone: timezone(),
  during: during(),
})

/** Calendars that were read, newest last: the same text comes with every run. */
const KEPT = 16
const kept = new Map<string, EventList>()

function readOnce(text: string, zone: string): EventList {
  const key = `${zone}\n${text}`
  const known = kept.get(key)
  if (known) return known
  const calendar = readCalendar(text, 'calendar', zone)
  kept.set(key, calendar)
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
  return calendar
}

/** Events of a calendar file (RFC 5545), as calendar programs export them. */
export const icalendar = component<Calendar, typeof config>({
  type: 'icalendar',
  summary: 'Events of an iCalendar file: holidays, maintenance, releases.',
  config,
  examples: [
    {
      text: [
        'BEGIN:VCALENDAR',
        'BEGIN:VEVENT',
        'SUMMARY:Sprint review',
        'DTSTART;TZID=Europe/Berlin:20241105T140000',
        'DURATION:PT1H',
        'RRULE:FREQ=WEEKLY;INTERVAL=2',
        'END:VEVENT',
        'END:VCALENDAR',
      ].join('\n'),
    },
  ],
  create({ text, only, timezone: zone, during: what }) {
    const { eventsIn } = readOnce(text, zone)
    const wanted = only?.toLowerCase()
    return {
      during: what,
      eventsIn: range => {
        const events = eventsIn(range)
        return wanted === undefined ? events : events.filter(({ name }) => name.toLowerCase().includes(wanted))
      },
    }
  },
})
