import { DAY } from '../duration.ts'

/** What a clock on the wall shows, as if it were UTC: epoch ms + offset. */
export type WallTime = number

/**
 * The moment (epoch ms) at which a clock shows a time, given the zone's offset. A time that is shown twice is the first of the two; one that is
 * skipped counts with the offset from before the change (RFC 5545, section 3.3.5).
 */
export function momentOf(wall: WallTime, offset: (time: number) => number): number {
  const before = offset(wall - DAY)
  if (offset(wall - before) === before) return wall - before
  const after = offset(wall + DAY)
  return offset(wall - after) === after ? wall - after : wall - before
}

/** Start of the day that the clock shows. */
export function dayOf(wall: WallTime): WallTime {
  return Math.floor(wall / DAY) * DAY
}

/** Monday is 0. */
export function weekdayOf(wall: WallTime): number {
  return (((Math.floor(wall / DAY) + 3) % 7) + 7) % 7
}

export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0).length > 0
  } catch {
    return false
  }
}
