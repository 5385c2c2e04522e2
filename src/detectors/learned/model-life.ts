import type { TimeRange } from '../../frame/frame.ts'
import { quantile } from '../../math/quantile.ts'
import type { FitReason, Models } from '../detector.ts'
import { BINS, driftOf } from './drift.ts'

/** What a stream that is given its models keeps of them; plain data. */
export interface Life extends Record<string, unknown> {
  /** As in `Models`. */
  tried: number
  /** Rows learned since then. */
  fresh: number
  /** Of the model that it judges with; NaN without one. */
  version: number
  /** Rows lately by tenth of the validation scores of the model, forgotten; see `countDrift`. */
  recent: Float64Array
  /** Fits in a row that came while scores had drifted. */
  again: number
}

/** What a model says of its own fit. */
export interface Fitted {
  /** Rows that its stream had seen then. */
  readonly rows: number
  /** The nine deciles of the scores of its validation rows. */
  readonly deciles: Float64Array
}

export const startLife = (): Life => ({ tried: NaN, fresh: 0, version: NaN, recent: new Float64Array(BINS), again: 0 })

/**
 * Takes in what the models are now; `fits` claims that the one in force is of use, `freshSince` counts the rows learned since a time. Returns what is to be
 * done: the model is another one than before, or there is none any more.
 */
export function takeModels(
  life: Life,
  { model, tried }: Models,
  fits: boolean,
  freshSince: (time: number) => number,
): 'adopt' | 'drop' | undefined {
  if (!Object.is(life.tried, tried)) {
    life.fresh = freshSince(tried)
    life.tried = tried
    life.again = driftOf(life.recent) > 1 ? Math.min(life.again + 1, MOST_AGAIN) : 0
  }
  const version = fits && model ? model.version : NaN
  if (Object.is(version, life.version)) return undefined
  life.version = version
  life.recent.fill(0)
  return Number.isNaN(version) ? 'drop' : 'adopt'
}

export interface Schedule {
  /** Rows of the stream. */
  readonly rows: number
  /** Rows before the first fit. */
  readonly warmUp: number
  /** Rows between fits, at most. */
  readonly refit: number
}

/** Fresh rows before drift can be a reason, where a warm-up is longer; twice as many after each fit that did not end it. */
const LEAST_FRESH = 256
const MOST_AGAIN = 8

/**
 * The first fit comes at `warmUp` rows; the next when as many fresh rows are there as the last one had seen, or `refit`; an earlier one when recent
 * scores are larger than those of the validation (see `driftOf`): at 256 rows or a warm-up, and at twice as many after each fit that did not help.
 */
export function wantsFit(
  { tried, fresh, recent, again }: Life,
  { rows, warmUp, refit }: Schedule,
  fitted?: Fitted,
): FitReason | undefined {
  if (!fitted && Number.isNaN(tried)) return rows >= warmUp ? 'first' : undefined
  const before = Math.max(rows - fresh, fitted?.rows ?? 0)
  if (fresh >= Math.min(refit, Math.max(before, warmUp))) return 'schedule'
  const enough = Math.min(warmUp, LEAST_FRESH) * 2 ** again
  return fitted && fresh >= enough && driftOf(recent) > 1 ? 'drift' : undefined
}

/** Of the rows, the last part, is held back from a fit and says what it is worth. */
const HELD = 0.15
/** Rows that are held back, at least, and rows that say how errors are distributed. */
const LEAST_HELD = 48
const HELD_AFTER_DRIFT = 128
const LEAST_JUDGED = 256
/** The part of the rows whose distribution of errors may be looked at: no weights are from them. */
const MOST_JUDGED = 0.25
/** Scores that deciles can be told from. */
const LEAST_SCORES = 20

/**
 * How many of the last rows a fit of `count` holds back, and how many it looks at to tell how errors are distributed. After a drift fewer are held back, of those
 * alone that came since.
 */
export function heldBack(count: number, life?: Life): { held: number; judged: number } {
  const isDrifted = life !== undefined && driftOf(life.recent) > 1
  const held = Math.floor(Math.min(HELD * count, isDrifted ? HELD_AFTER_DRIFT : Math.max((life?.fresh ?? count) / 2, LEAST_HELD)))
  return { held, judged: Math.max(held, Math.min(LEAST_JUDGED, Math.floor(MOST_JUDGED * count))) }
}

/** Undefined where the scores are too few. */
export function decilesOf(scores: readonly number[]): Float64Array | undefined {
  if (scores.length < LEAST_SCORES) return undefined
  return Float64Array.from({ length: BINS - 1 }, (_, i) => quantile(scores, (i + 1) / BINS))
}

/** From the first to the last known time; undefined where none is known. */
export function rangeOf(times: Float64Array): TimeRange | undefined {
  let start = Infinity
  let end = -Infinity
  for (const time of times) {
    if (time < start) start = time
    if (time >= end) end = time + 1
  }
  return start < end ? { start, end } : undefined
}

/** How many of the rows are not before `time`, of those whose times are kept (row r at r modulo their number); all when it is NaN. */
export function countSince(times: Float64Array, rows: number, time: number): number {
  if (Number.isNaN(time)) return rows
  let count = 0
  while (count < Math.min(rows, times.length) && times[(rows - 1 - count) % times.length] >= time) count++
  return count
}
