import type { Anomaly } from '../anomaly.ts'
import type { CalendarEvent, During } from '../calendars/calendar.ts'
import type { Refiner } from './refiner.ts'

/** An event and what happens to anomalies inside it. */
export interface DuringEvent extends CalendarEvent {
  readonly during: During
}

/**
 * Says of each anomaly in which events (in order of start) it began or was strangest, for its sentence. One of which every strange row lies in
 * events that ignore is ignored, with their names as the reason; one that outlasts them, or began before, is not.
 */
export function duringEvents(events: readonly DuringEvent[]): Refiner {
  const ignoring = events.filter(({ during }) => during === 'ignore')
  return {
    refine: (anomalies, { step }) =>
      anomalies.map((anomaly): Anomaly => {
        const { start, peak } = anomaly
        const names = namesOf(events.filter(event => holds(event, start) || holds(event, peak)))
        if (names === '') return anomaly
        const reason = anomaly.ignored ?? coveredBy(ignoring, start, anomaly.end - step)
        return {
          ...anomaly,
          wording: { ...anomaly.wording, during: names },
          ...(reason === undefined ? {} : { ignored: reason }),
        }
      }),
  }
}

const holds = ({ start, end }: CalendarEvent, time: number) => start <= time && time < end
const namesOf = (events: readonly CalendarEvent[]) => [...new Set(events.map(({ name }) => name))].join(' and ')

/** `during deploy window`, when events without a gap hold all times from the first strange row to the last. */
function coveredBy(events: readonly CalendarEvent[], first: number, last: number): string | undefined {
  const used: CalendarEvent[] = []
  let covered = first
  for (const event of events) {
    if (event.start > covered || event.end <= covered) continue
    used.push(event)
    covered = event.end
    if (covered > last) return `during ${namesOf(used)}`
  }
  return undefined
}
