import { DAY, HOUR, MINUTE, SECOND, WEEK } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import type { TimeRange } from '../../frame/frame.ts'
import type { Source } from '../../sources/source.ts'
import { selectMetric } from '../../sources/table/selector.ts'
import { roundStep } from '../time-option.ts'

/** What a source has to look at. Durations in ms. */
export interface History {
  readonly range: TimeRange
  readonly step: number
  /** Distance of two scrapes. */
  readonly interval: number
  /** Range of `rate`, as PromQL writes it. */
  readonly window: string
}

/** Rows of a history: enough for two seasons, few enough for a scan of dozens of signals in seconds. */
const ROWS = 4000
/** From long and coarse to short and fine: the first sample of a young server is seen by the last ones only. */
const PROBES = [
  [WEEK, 30 * MINUTE],
  [DAY, 5 * MINUTE],
  [2 * HOUR, 30 * SECOND],
  [15 * MINUTE, SECOND],
] as const

/** How far back the data goes, how often it was scraped and the step that suits both. Throws `SourceError` when there is no data. */
export async function findHistory(
  source: Source,
  names: readonly string[],
  options: { readonly now: number; readonly since?: number; readonly step?: number },
  signal: AbortSignal,
): Promise<History> {
  const { now } = options
  const metric = names.includes('up') ? 'up' : (names[0] ?? 'up')
  const probe = selectMetric(metric)
  const firsts = await Promise.all(
    PROBES.map(async ([length, step]) => {
      const { frames } = await source.read(
        { expr: `count(${probe})`, range: { start: now - length, end: now + 1 }, step },
        signal,
      )
      const seen = frames.flatMap(({ times, columns }) => times[columns.value.findIndex(value => !Number.isNaN(value))] ?? [])
      return Math.min(Infinity, ...seen)
    }),
  )
  const first = Math.min(...firsts)
  if (!Number.isFinite(first))
    throw new SourceError(`must have samples of ${metric} in the last week, got none`, { retryable: false })
  const start = Math.max(first, now - (options.since ?? WEEK))
  const interval = await findInterval(source, probe, Math.max(10 * SECOND, Math.min(10 * MINUTE, now - first)), now, signal)
  const step = options.step ?? roundStep(now - start, ROWS, interval)
  return { range: { start: Math.ceil(start / step) * step, end: now + 1 }, step, interval, window: rateWindow(interval, step) }
}

/** A rate needs two samples even when one scrape fails, and looks at every sample between two rows. */
export function rateWindow(interval: number, step: number): string {
  return `${Math.ceil(Math.max(5 * interval, step) / SECOND)}s`
}

async function findInterval(source: Source, probe: string, window: number, now: number, signal: AbortSignal): Promise<number> {
  const seconds = Math.floor(window / SECOND)
  const { frames } = await source.latest({ expr: `max(count_over_time(${probe}[${seconds}s]))`, time: now }, signal)
  const count = frames[0]?.columns.value[0] ?? NaN
  const rough = count > 1 ? (seconds * SECOND) / count : MINUTE
  // Counts are off by one and scrapes are late: the nearest usual interval is meant.
  const usual = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300].map(s => s * SECOND)
  return usual.reduce((best, each) => (Math.abs(Math.log(each / rough)) < Math.abs(Math.log(best / rough)) ? each : best))
}
