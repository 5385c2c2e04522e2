import { formatDuration } from '../duration.ts'
import { type Frame, slice, type TimeRange } from '../frame/frame.ts'
import type { FlowConfig } from './configuration.ts'
import { lastValue } from './history.ts'

/** Runs that say how late the samples of a flow usually are. */
const RUNS = 5

export interface Lateness {
  /**
   * Where the rows of a run end that can be judged, and a warning when `delay` is too small. Rows that no series has yet, and that are usually filled
   * by a later run, are late, not missing.
   */
  judgeUntil(frames: readonly Frame[], end: number, now: number): { readonly end: number; readonly warning?: string }
}

/** Learns how late the samples of one flow are, from one run to the next. */
export function openLateness({ delay, every, query: { step } }: Pick<FlowConfig, 'delay' | 'every' | 'query'>): Lateness {
  const late: number[] = []
  let before: number | undefined
  return {
    judgeUntil(frames, end, now) {
      // A look at the past finds rows that were late filled.
      if (now - end > delay + every) return { end }
      // Seen before the clock was set back.
      if (before !== undefined && before > now + step) before = undefined
      const newest = frames.reduce((time, frame) => Math.max(time, lastValue(frame)), -Infinity)
      const behind = Number.isFinite(newest) ? Math.max(0, Math.round((end - step - newest) / step)) : 0
      // Rows that stay empty are an outage, or the series report rarely: neither says how late samples are.
      if (before !== undefined && newest > before && isDense(frames, { start: before + step, end: newest + step }, step)) {
        late.push(behind)
        if (late.length > RUNS) late.shift()
      }
      // The first run cannot know whether its newest rows are late, so that it leaves them to the second.
      const usual = before === undefined ? behind : median(late)
      if (newest > (before ?? -Infinity)) before = newest
      const judged = { end: end - Math.min(usual, behind) * step }
      return late.length < RUNS || usual === 0 ? judged : { ...judged, warning: describeLateness(usual * step, delay) }
    },
  }
}

/** Whether at least half of the rows have a value in some series. */
function isDense(frames: readonly Frame[], range: TimeRange, step: number): boolean {
  const filled = new Set(
    frames.flatMap(frame => {
      const { times, columns } = slice(frame, range)
      return Array.from(times).filter((_, i) => Object.values(columns).some(column => !Number.isNaN(column[i])))
    }),
  )
  return filled.size >= (range.end - range.start) / step / 2
}

function describeLateness(late: number, delay: number): string {
  return `the newest rows are empty in most runs and are filled later: samples are ${formatDuration(late)} later than expected; delay must be at least ${formatDuration(delay + late)}, got ${formatDuration(delay)}`
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
