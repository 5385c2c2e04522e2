/** Makes sets of bits of wall-clock times. */
export interface DateEncoder {
  readonly size: number
  /** Sets the bits of a wall-clock time in `into`, from `at` on; clears none. */
  encode(wallTime: number, into: Uint8Array, at?: number): void
}

export interface DateEncoderOptions {
  /** A ring of `size` bits for the day, of which `active` neighbours are set. */
  readonly timeOfDay?: { readonly size: number; readonly active: number }
  /** The same for the week, from Monday on. */
  readonly dayOfWeek?: { readonly size: number; readonly active: number }
  /** Two blocks of bits: one for Monday to Friday, one for Saturday and Sunday. */
  readonly weekend?: { readonly active: number }
}

const DAY = 86_400_000
/** 1 January 1970 was a Thursday. */
const MONDAY = 3 * DAY

/**
 * Date encoder (Purdy 2016, "Encoding Data for Hierarchical Temporal Memory (HTM) Systems"). Times are ms since 1970 by the clock on the wall: the
 * caller adds the zone.
 */
export function buildDateEncoder({ timeOfDay, dayOfWeek, weekend }: DateEncoderOptions): DateEncoder {
  const weekAt = timeOfDay?.size ?? 0
  const weekendAt = weekAt + (dayOfWeek?.size ?? 0)
  return {
    size: weekendAt + 2 * (weekend?.active ?? 0),
    encode(wallTime, into, at = 0) {
      const inWeek = remainder(wallTime + MONDAY, 7 * DAY)
      if (timeOfDay) setNeighbours(inWeek % DAY, DAY, timeOfDay, into, at)
      if (dayOfWeek) setNeighbours(inWeek, 7 * DAY, dayOfWeek, into, at + weekAt)
      if (weekend) {
        const from = at + weekendAt + (inWeek >= 5 * DAY ? weekend.active : 0)
        into.fill(1, from, from + weekend.active)
      }
    },
  }
}

/** Sets the bits nearest to where `time` is in a period. */
function setNeighbours(time: number, period: number, ring: { size: number; active: number }, into: Uint8Array, at: number): void {
  const first = Math.floor((time * ring.size) / period) - (ring.active >> 1) + ring.size
  for (let k = 0; k < ring.active; k++) into[at + ((first + k) % ring.size)] = 1
}

/** From 0 up to `period`, for times before 1970 too. */
function remainder(time: number, period: number): number {
  return ((time % period) + period) % period
}
