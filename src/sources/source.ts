import type { Labels } from '../anomaly.ts'
import type { Frame, TimeRange } from '../frame/frame.ts'

/** A question for series: `expr` in the language of the source, evaluated at every multiple of `step` (ms) in the range. */
export interface SeriesQuery {
  readonly expr: string
  readonly range: TimeRange
  readonly step: number
}

/** All of an answer. `frames` have one column `value` on the grid of multiples of `step`; absent samples are NaN. */
export interface SeriesAnswer {
  readonly frames: readonly Frame<'value'>[]
  /** What the source said beside the data, for people. */
  readonly warnings: readonly string[]
  /** Each request made, as a command that can be copied (`curl …`), secrets as `***`. */
  readonly requests: readonly string[]
}

/** A scrape target as the source knows it. */
export interface Target {
  readonly labels: Labels
  readonly up: boolean
}

/** One outside system that has time series. All of the answer or a `SourceError`, never a part. */
export interface Source {
  read(query: SeriesQuery, signal: AbortSignal): Promise<SeriesAnswer>
  /** Value of every series of `expr` at one time, for many series at once. */
  latest(query: { expr: string; time: number }, signal: AbortSignal): Promise<SeriesAnswer>
  /** Scrape targets like those of the series, and of their jobs; only of sources that scrape. */
  readonly targets?: (series: readonly Labels[], time: number, signal: AbortSignal) => Promise<readonly Target[]>
  /** Names of all metrics; what `scan` looks through. */
  names(signal: AbortSignal): Promise<readonly string[]>
  /** Resolves when the source answers; throws `SourceError` when it does not. */
  check(signal: AbortSignal): Promise<void>
}

/** What a source is made with, so that tests own the world. */
export interface SourceNeeds {
  readonly fetch: typeof fetch
  readonly now: () => number
  /** Resolves after `ms`; rejects when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Folder that relative file names of the configuration start from. */
  readonly folder: string
}
