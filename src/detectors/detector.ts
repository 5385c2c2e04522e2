import type { Frame, TimeRange } from '../frame/frame.ts'
import type { State } from '../state.ts'

/**
 * `score`: higher is stranger, never Infinity, NaN while undecided. The other columns say what was expected, in the unit of the metric,
 * NaN where unknown. One row for every row of the input inside the range, and no other. For an input of several columns, value and band are
 * those of the strangest column, and `channel` is its place (0 …; NaN where unknown); one column has no `channel`. `score` is for ranking and
 * drawing and may be smoothed; `alarm`, where a detector has one, is what a rule judges instead: not smoothed, otherwise like `score`.
 */
export type Scores = Frame<'score' | 'value' | 'expected' | 'lower' | 'upper'> & {
  readonly columns: { readonly channel?: Float64Array; readonly alarm?: Float64Array }
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
}

export type { State }

/** Goes point by point. `score` does not change the stream, `learn` does; call both for every row, in order of time, score first. */
export interface Stream {
  /** `row` holds one value per column, in the order of the frame's columns; NaN is unknown. */
  score(time: number, row: ArrayLike<number>): Judgement
  learn(time: number, row: ArrayLike<number>): void
  snapshot(): State
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
  detect(input: Frame, range: TimeRange): Scores
  /** Starts a stream, cold or from a snapshot of the same configuration. */
  readonly open?: (snapshot?: State) => Stream
}
