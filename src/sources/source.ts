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

/** One outside system that has time series. All of the answer or a `SourceError`, never a part. */
export interface Source {
  read(query: SeriesQuery, signal: AbortSignal): Promise<SeriesAnswer>
  /** Value of every series of `expr` at one time, for many series at once. */
  latest(query: { expr: string; time: number }, signal: AbortSignal): Promise<SeriesAnswer>
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
