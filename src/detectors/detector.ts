import type { Frame, TimeRange } from '../frame/frame.ts'
import type { State } from '../state.ts'

/**
 * `score`: higher is stranger, never Infinity, NaN while undecided. The other columns say what was expected, in the unit of the metric,
 * NaN where unknown. One row for every row of the input inside the range, and no other. For an input of several columns, value and band are
 * those of the strangest column, and `channel` is its place (0 …; NaN where unknown); one column has no `channel`. `score` is for ranking and
 * drawing and may be smoothed; `alarm`, where a detector has one, is what a rule judges instead: not smoothed, otherwise like `score`.
 *
 * Of several columns there may be `share0`, `share1`, …: one for each column of the input, in its order, and all of them or none. They say what
 * part of the score each column made. Where the score is known and any column added to it they sum to 1; elsewhere they are NaN.
 */
export type Scores = Frame<'score' | 'value' | 'expected' | 'lower' | 'upper'> & {
  readonly columns: {
    readonly channel?: Float64Array
    readonly alarm?: Float64Array
    readonly [share: `share${number}`]: Float64Array
  }
}

/** What a stream says of one row. The object is the caller's until the next call to `score` on the same stream. */
export interface Judgement {
  score: number
  value: number
  expected: number
  lower: number
  upper: number
  /** Place of the strangest column, whose value and band these are; for rows of several columns. */
  channel?: number
  /** What a rule judges, when it is not `score`; then it is there for every row. */
  alarm?: number
  /**
   * How much each column added to the score; for rows of several columns, and then in every judgement of the stream. One finite number for each
   * column of the row, 0 or more, in a unit of the detector's own: whoever reads them divides by their sum. 0 for an unknown column, unless its
   * absence is what is judged; all 0 where nothing is known or nothing stands out. Where the score is smoothed, they are what this row adds.
   */
  contributions?: Float64Array
}

export type { State }

/** Goes point by point. `score` does not change the stream, `learn` does; call both for every row, in order of time, score first. */
export interface Stream {
  /** `row` holds one value per column, in the order of the frame's columns; NaN is unknown. */
  score(time: number, row: ArrayLike<number>): Judgement
  learn(time: number, row: ArrayLike<number>): void
  snapshot(): State
  /** Of streams that were given their models: why a fit is due, undefined while none is. */
  wants?(): FitReason | undefined
  /** Of a detector of missing data: how long (ms) this series may be without data before it scores 1. */
  tolerance?(): number
}

/** What a detector of missing data says of itself; whoever reads it knows the detector by this, never by its name. */
export interface MissingData {
  /** Whether such a value means that there is no data. NaN always does. */
  readonly isMissing: (value: number) => boolean
  /** How long (ms) a workload may have fewer series than before until it is reported: a rollout takes its time. */
  readonly grace: number
}

/** first: nothing was fitted yet. schedule: enough rows came since. drift: errors are no longer those of the validation. */
export type FitReason = 'first' | 'schedule' | 'drift'

/** What one fit made: plain data that any stream of the same configuration and columns can judge with. */
export interface Model {
  /** Tells it from others that were in force before. */
  readonly version: number
  readonly state: State
}

/** What was fitted outside the stream so far. */
export interface Models {
  /** The one in force. */
  readonly model?: Model
  /** Up to when the newest fit, taken or refused, had seen rows; NaN when there was none. */
  readonly tried: number
}

/** A fit that is done. The errors are of one kind, in the detector's own unit, over the same rows, which neither model learned last; lower is better. */
export interface Fit {
  readonly state: State
  /** Times of the rows that it saw, `end` exclusive, those that it was judged on with them; and how many it learned. */
  readonly range: TimeRange
  readonly rows: number
  readonly validation: number
  /** Of the model that was in force; absent when there was none. */
  readonly current?: number
}

/**
 * Frame in, scores out. Deterministic; never writes into its input. A row has one score whichever range is asked for, given the same
 * history before it.
 */
export interface Detector {
  /** ms of history that a cold start wants before the range. */
  readonly lookback: number
  /** A score never depends on later rows. */
  readonly causal: boolean
  /** Looks at all columns of a row together. The others look at the first column; `perColumn` runs them on each. */
  readonly multivariate?: boolean
  /** A stream takes rows that have more columns than those before them, and goes on with the columns that it knows. */
  readonly takesColumns?: boolean
  /** Fewest columns of which it can say anything; 1 where it is not given. */
  readonly fewestColumns?: number
  /**
   * There when it judges whether a series has data, not its numbers: 1 is clearly missing. It sees rows as they came, before any transform, and
   * learns inside events too.
   */
  readonly missingData?: MissingData
  detect(input: Frame, range: TimeRange): Scores
  /**
   * Starts a stream, cold or from a snapshot of the same configuration. A stream that is given `models` never fits: it judges with the model in
   * force and says when it wants another. Without them, one with fits does them in `learn`.
   */
  readonly open?: (snapshot?: State, models?: Models) => Stream
  /**
   * Fits the rows that a snapshot remembers, going on from a model. Yields the share that is done, 0 … 1; whoever goes through it may stop at any
   * point. Undefined when the rows are too few. Only of detectors with fits.
   */
  readonly fit?: (snapshot: State, model?: Model) => Generator<number, Fit | undefined>
}
