/** How long a series is usually interrupted: how long it has no data, or does not change. Plain data; times in ms. */
export interface Interruptions extends Record<string, unknown> {
  usual: number
  /** How many in a row were longer than allowed and came soon after each other, and when the last of them ended. */
  streak: number
  ended: number
}

/** As many in a row make what is longer than allowed usual: outages come alone, a series that reports rarely is interrupted again and again. */
const HABIT = 3
/** Interruptions are frequent when a series lives at most so many times as long as it is interrupted. */
const FREQUENT = 10

export function noInterruptions(): Interruptions {
  return { usual: 0, streak: 0, ended: NaN }
}

/** Learns an interruption of `length` that ended at `time`. One that is longer than `allowed` is an outage, until it turns out to be a habit. */
export function learnInterruption(memory: Interruptions, length: number, allowed: number, time: number): void {
  if (!(length > allowed)) {
    memory.usual = length > memory.usual ? (memory.usual + length) / 2 : memory.usual * 0.98 + 0.02 * length
    return
  }
  const lived = time - length - memory.ended
  memory.streak = lived <= FREQUENT * length ? memory.streak + 1 : 1
  memory.ended = time
  if (memory.streak >= HABIT) memory.usual = Math.max(memory.usual, length)
}

/** A row without an interruption: what is usual is forgotten slowly, by half in about 7,000 rows. */
export function shrink(memory: Interruptions): void {
  memory.usual *= 0.9999
}
