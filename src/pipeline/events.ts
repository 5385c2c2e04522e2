import type { Calendar } from '../calendars/calendar.ts'
import { calendars } from '../calendars/index.ts'
import { rowAt, type TimeRange } from '../frame/frame.ts'
import type { DuringEvent } from '../refiners/during.ts'
import { create, type FlowConfig } from './configuration.ts'

/** What the calendars of a flow say of a range, in order of start. */
export function eventsOf({ calendar = [] }: FlowConfig, range: TimeRange): readonly DuringEvent[] {
  return calendar
    .flatMap(part => {
      const { during, eventsIn } = create<Calendar, void>(calendars, part, undefined)
      return eventsIn(range).map(event => ({ ...event, during }))
    })
    .toSorted((a, b) => a.start - b.start || a.end - b.end)
}

/** Whether a time is inside any of the events, which are in order of start. */
export function within(events: readonly DuringEvent[]): (time: number) => boolean {
  const stretches: { start: number; end: number }[] = []
  for (const { start, end } of events) {
    const last = stretches.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else stretches.push({ start, end })
  }
  const starts = Float64Array.from(stretches, ({ start }) => start)
  return time => {
    const at = rowAt(starts, time + 1) - 1
    return at >= 0 && time < stretches[at].end
  }
}
