import type { Labels } from '../anomaly.ts'
import type { MissingData } from '../detectors/detector.ts'
import type { Frame } from '../frame/frame.ts'

/** When one series had data, for a detector of missing data. Times are epoch ms. */
export interface Presence {
  readonly labels: Labels
  /** Name of the detector, as the flow calls it. */
  readonly detector: string
  /** First row with data that is known; -Infinity when it was there before anything was remembered. */
  readonly first: number
  readonly last: number
  /** How long (ms) it may be without data. */
  readonly tolerance: number
}

/** First and last row with data of a series, its earlier life included. */
export interface Life {
  readonly first: number
  readonly last: number
}

/** Goes on with a life through more rows; one without data has its first row at Infinity and its last at -Infinity. */
export function liveOn(life: Life | undefined, { times, columns }: Frame<'value'>, { isMissing }: MissingData): Life {
  let { first, last } = life ?? { first: Infinity, last: -Infinity }
  for (let i = 0; i < times.length; i++)
    if (!isMissing(columns.value[i])) {
      first = Math.min(first, times[i])
      last = Math.max(last, times[i])
    }
  return { first, last }
}

/** Whether a series still counts as live at a row: half of its tolerance is not over. What is between is neither live nor missing. */
export function isLive(presence: Presence, time: number, step: number): boolean {
  return presence.first <= time && time <= liveUntil(presence, step)
}

function liveUntil({ last, tolerance }: Presence, step: number): number {
  return last + Math.max(tolerance / 2, step)
}

/**
 * The lowest number of live series in a stretch of time. Deployments have a few more pods than usual while they roll out, so that the count at one
 * moment would be too high.
 */
export function lowestCount(series: readonly Presence[], start: number, end: number, step: number): number {
  let count = series.filter(one => isLive(one, start, step)).length
  let lowest = count
  const changes = series
    .flatMap(one => [
      { time: one.first, by: 1 },
      { time: liveUntil(one, step) + 1, by: -1 },
    ])
    .filter(({ time }) => time > start && time <= end)
    .toSorted((a, b) => a.time - b.time || b.by - a.by)
  for (const { by } of changes) {
    count += by
    lowest = Math.min(lowest, count)
  }
  return lowest
}
