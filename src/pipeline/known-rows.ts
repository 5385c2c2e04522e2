import type { Labels } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { concat, type Frame, slice, type TimeRange } from '../frame/frame.ts'
import type { FlowConfig } from './configuration.ts'
import { lastValue } from './history.ts'

/**
 * Up to where rows are learned for good: `reexamine` before the end of what is known, on the grid, never before the snapshots. It does not move while no
 * series has a value, so that data which comes late is not lost.
 */
export function settleTime({ query: { step }, reexamine }: FlowConfig, { start }: TimeRange, known: number): number {
  return Math.max(start, Math.floor((known - reexamine) / step) * step)
}

/**
 * Up to where it is known how a flow went: the end of the newest row with a value, of any series. That none has one says nothing of them: the source may
 * lie, or our clock may be ahead of its. Only a silence of more than `forget` is believed.
 */
export function knownUntil(
  { query: { step }, forget }: Pick<FlowConfig, 'query' | 'forget'>,
  { frames, range }: { readonly frames: readonly Frame[]; readonly range: TimeRange },
): number {
  const newest = frames.reduce((time, frame) => Math.max(time, lastValue(slice(frame, range))), -Infinity)
  const known = Math.max(range.start, newest + step)
  return range.end - known > forget ? range.end : known
}

/** Start and end of each stretch of the range without a row that has a strength. */
export function undecided({ times }: Scores, strength: Float64Array, range: TimeRange, step: number): Float64Array {
  const found: number[] = []
  let end = range.start
  for (let i = 0; i < times.length; i++) {
    if (Number.isNaN(strength[i])) continue
    if (times[i] > end) found.push(end, times[i])
    end = Math.max(end, times[i] + step)
  }
  if (range.end > end) found.push(end, range.end)
  return Float64Array.from(found)
}

/** How many have a value. */
export function knownRows({ columns }: Scores): number {
  let known = 0
  for (const value of columns.value) if (!Number.isNaN(value)) known++
  return known
}

/** Rows without a value. */
export function emptyFrame(labels: Labels, { start, end }: TimeRange, step: number, columns: readonly string[]): Frame {
  const first = Math.ceil(start / step) * step
  const times = Float64Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step)
  const unknown = () => new Float64Array(times.length).fill(NaN)
  return { labels, times, columns: Object.fromEntries(columns.map(name => [name, unknown()])) }
}

/** The frame with rows from `from` on, without values where it was not asked for because its stream waited. */
export function reachBack(frame: Frame, from: number, start: number, step: number): Frame {
  const end = Math.min(start, frame.times[0] ?? start)
  return from < end ? concat(emptyFrame(frame.labels, { start: from, end }, step, Object.keys(frame.columns)), frame) : frame
}
