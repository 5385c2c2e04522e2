import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { InputError } from '../errors.ts'
import { clamp } from '../math/clamp.ts'
import { fromZone } from '../math/zone-offset.ts'
import { duration } from '../schema.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  season: duration().prefault('1d').describe('what comes again: 1d, 1w, or a job that runs every 15m'),
  slots: z.int().min(2).max(10_080).default(288).describe('pieces of a season that are told apart'),
  timezone: z
    .string()
    .default('UTC')
    .refine(isZone, { error: ({ input }) => `must be a time zone like Europe/Berlin, got ${JSON.stringify(input)}` })
    .describe('whose days and weeks; daylight saving is followed'),
  weight: z.number().gt(0).max(1).default(0.2).describe('weight of the newest season'),
})

interface Cell {
  time: number
  level: number
  /** Usual distance of a row from level and course, for clipping. */
  scale: number
  rows: number
  course: number[]
  counts: number[]
  /** Sum of the course and number of slots that were seen. */
  total: number
  seen: number
  /** The slot that runs, with the sum and number of its rows. */
  slot: number
  sum: number
  count: number
}

/** Errors teach at most so many usual errors, so that one bad day does not become the season. */
const CLIP = 4

/** Rows before errors are clipped. */
const WARM_UP = 50

/**
 * Takes the usual course of a season away and leaves the level: x(t) − course(slot of t) + mean of the course. The course is an exponentially
 * weighted mean, per slot of the season, of the distance from a level that follows within a quarter of a season; errors are clipped. Unknown
 * until a slot was seen once.
 */
export const deseasonalise = component<Transform, typeof config>({
  type: 'deseasonalise',
  summary: 'Takes away what comes again each day or week and leaves level, trend and everything unusual.',
  config,
  examples: [{}, { season: '12h', slots: 12 }],
  create({ season, slots, timezone, weight }) {
    if (!(season > 0)) throw new InputError('must have a season of more than 0s, got 0s')
    const offset = fromZone(timezone)
    return fromCells<Cell>({
      lookback: season * (1 + 1 / slots),
      start: () => ({
        time: NaN,
        level: NaN,
        scale: 0,
        rows: 0,
        course: Array.from({ length: slots }, () => 0),
        counts: Array.from({ length: slots }, () => 0),
        total: 0,
        seen: 0,
        slot: -1,
        sum: 0,
        count: 0,
      }),
      apply(cell, time, value) {
        // Weeks begin on Monday; 1970 began on a Thursday.
        const local = time + offset(time) - 4 * DAY
        const slot = Math.min(slots - 1, Math.floor(((((local % season) + season) % season) / season) * slots))
        if (slot !== cell.slot) closeSlot(cell, weight)
        cell.slot = slot
        if (Number.isNaN(value)) return NaN
        if (Number.isNaN(cell.level)) cell.level = value
        const usual = cell.course[slot]
        const known = cell.counts[slot] > 0
        const raw = value - cell.level - usual
        // A tenth always teaches, so that one that never moved before is followed when it does.
        const limit = known && cell.rows >= WARM_UP ? Math.max(CLIP * cell.scale, 0.1 * Math.abs(raw)) : Infinity
        const error = clamp(raw, -limit, limit)
        if (known) {
          // The level stands still where the course is not known: what moves there is the season.
          cell.level += (1 - 2 ** ((-4 * (time - cell.time)) / season)) * error
          cell.scale += Math.max(0.01, 1 / (cell.rows + 1)) * (Math.abs(error) - cell.scale)
          cell.rows = Math.min(cell.rows + 1, 1e6)
        }
        cell.sum += usual + error
        cell.count++
        cell.time = time
        return known ? value - usual + cell.total / cell.seen : NaN
      },
    })
  },
})

function closeSlot(cell: Cell, weight: number): void {
  const { slot, course, counts } = cell
  if (cell.count > 0) {
    const change = Math.max(weight, 1 / (counts[slot] + 1)) * (cell.sum / cell.count - course[slot])
    course[slot] += change
    cell.total += change
    if (counts[slot] === 0) cell.seen++
    counts[slot] = Math.min(counts[slot] + 1, 1000)
  }
  cell.sum = 0
  cell.count = 0
}

function isZone(zone: string): boolean {
  try {
    fromZone(zone)
    return true
  } catch {
    return false
  }
}
