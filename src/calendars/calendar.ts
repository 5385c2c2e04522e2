import type { TimeRange } from '../frame/frame.ts'

/** A stretch of time with a name: a holiday, a deploy, a silence. Half open, epoch ms. */
export interface CalendarEvent {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** What happens to rows inside an event: `ignore` tells nobody of what is strange there, `learn-not` does. Neither teaches. */
export const DURING = ['ignore', 'learn-not'] as const
export type During = (typeof DURING)[number]

/** Knows what happens when. Deterministic: the events of a range do not depend on what was asked before. */
export interface Calendar {
  readonly during: During
  /** Events that overlap the range, in order of start; those of no length overlap nothing. */
  eventsIn(range: TimeRange): readonly CalendarEvent[]
}
