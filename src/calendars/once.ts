import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { InputError } from '../errors.ts'
import { fromZone } from '../math/zone-offset.ts'
import type { Calendar } from './calendar.ts'
import { during, timezone } from './options.ts'
import { momentOf } from './wall-time.ts'

const moment = () =>
  z.string().refine(text => parseWall(text) !== undefined, {
    error: ({ input }) => `must be a time like 2026-11-21T10:00, 2026-11-21T10:00Z or 2026-11-21, got ${JSON.stringify(input)}`,
  })

const config = z.strictObject({
  name: z.string().min(1).describe('what it is called'),
  start: moment().describe('2026-11-21T10:00 in the time zone, with Z or an offset anywhere, or a whole day'),
  end: moment().describe('likewise; the first moment after it, or the last day when it is a day'),
  timezone: timezone(),
  during: during(),
})

/** One stretch of time, written down: a silence, a load test, a move. A day as `end` belongs to it. */
export const once = component<Calendar, typeof config>({
  type: 'once',
  summary: 'One stretch of time: a silence, a load test.',
  config,
  examples: [
    { name: 'load test', start: '2024-11-05T10:00', end: '2024-11-05T12:30' },
    { name: 'fair', start: '2024-11-08', end: '2024-11-10', timezone: 'Europe/Berlin', during: 'learn-not' },
  ],
  create(options) {
    const offset = fromZone(options.timezone)
    const start = momentOfText(options.start, offset, false)
    const end = momentOfText(options.end, offset, true)
    if (!(end > start)) throw new InputError(`must end after it starts, got ${options.start} to ${options.end}`)
    const event = { name: options.name, start, end }
    return {
      during: options.during,
      eventsIn: range => (start < range.end && end > range.start ? [event] : []),
    }
  },
})

/** Wall time (as if UTC), and what to take off it when the text has an offset of its own. */
function parseWall(text: string): { wall: number; offset: number | undefined; whole: boolean } | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) return undefined
  const [, day, clock = '00:00', zone] = match
  const wall = Date.parse(`${day}T${clock}Z`)
  // Date takes 31 February for 3 March, which nobody meant.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== day) return undefined
  const [sign, hours, minutes] =
    zone && zone !== 'Z' ? [zone[0] === '-' ? -1 : 1, zone.slice(1, 3), zone.slice(4)] : [1, '0', '0']
  const offset = zone === undefined ? undefined : sign * (Number(hours) * 60 + Number(minutes)) * 60_000
  return { wall, offset, whole: match[2] === undefined }
}

function momentOfText(text: string, zone: (time: number) => number, isEnd: boolean): number {
  const { wall, offset, whole } = parseWall(text)!
  if (offset !== undefined) return wall - offset
  return momentOf(whole && isEnd ? wall + DAY : wall, zone)
}
