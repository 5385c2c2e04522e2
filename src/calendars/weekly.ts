import { z } from 'zod'
import { component } from '../component.ts'
import { DAY, MINUTE } from '../duration.ts'
import { fromZone } from '../math/zone-offset.ts'
import type { Calendar, CalendarEvent } from './calendar.ts'
import { during, timezone } from './options.ts'
import { dayOf, momentOf, weekdayOf } from './wall-time.ts'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

const clock = () =>
  z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, {
    error: ({ input }) => `must be a time in quotes like "09:30", got ${JSON.stringify(input)}`,
  })

const config = z.strictObject({
  name: z.string().min(1).describe('what it is called'),
  days: z
    .array(z.enum(DAYS))
    .min(1)
    .default([...DAYS])
    .describe('on which days it starts; default each'),
  from: clock().default('00:00').describe('"09:30" on the clock of the time zone'),
  to: clock()
    .default('24:00')
    .describe(
      'when this is not after `from`, it is on the next day. A window keeps its length when the clocks change; a whole day does not',
    ),
  timezone: timezone(),
  during: during(),
})

/** The same hours each week: a deploy window, a nightly backup, weekends. Starts by the clock of the time zone, also when that changes. */
export const weekly = component<Calendar, typeof config>({
  type: 'weekly',
  summary: 'The same hours on the same days of each week: a deploy window, a backup.',
  config,
  examples: [
    { name: 'deploy window', days: ['tue', 'thu'], from: '10:00', to: '11:30' },
    { name: 'backup', from: '23:30', to: '00:30', timezone: 'Europe/Berlin', during: 'learn-not' },
    { name: 'weekend', days: ['sat', 'sun'] },
  ],
  create(options) {
    const offset = fromZone(options.timezone)
    const from = minutesOf(options.from) * MINUTE
    const until = minutesOf(options.to) * MINUTE
    const to = until > from ? until : until + DAY
    const days = new Set<number>(options.days.map(day => DAYS.indexOf(day)))
    return {
      during: options.during,
      eventsIn(range) {
        const events: CalendarEvent[] = []
        const last = dayOf(range.end + offset(range.end)) + DAY
        for (let day = dayOf(range.start + offset(range.start)) - 3 * DAY; day <= last; day += DAY) {
          if (!days.has(weekdayOf(day))) continue
          const start = momentOf(day + from, offset)
          // Whole days end with the day, which has 23 or 25 hours when the clocks change; every other window lasts as long as it always does.
          const end = to - from === DAY ? momentOf(day + to, offset) : start + to - from
          if (start < range.end && end > range.start) events.push({ name: options.name, start, end })
        }
        return events
      },
    }
  },
})

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
}
