import type { Scores, State } from '../detectors/detector.ts'

/** `strength`, one per row of the scores: multiples of the limit, ≥ 1 is anomalous, NaN while undecided. */
export interface Verdict {
  readonly strength: Float64Array
  /** What the rule learned up to the end of these scores; goes on from here with the rows that follow. */
  readonly state: State
}

/**
 * Scores → strengths. Causal: a strength depends on its row and on earlier ones. Judging in two parts is the same as judging at once. A value
 * that is infinite has no score: once finite rows were judged, it is beyond every limit.
 */
export interface Rule {
  judge(scores: Scores, state?: State): Verdict
}

/** What rules judge: `alarm` where a detector tells it apart from `score`. */
export function judged({ columns }: Scores): Float64Array {
  return columns.alarm ?? columns.score
}

/** Strength of an infinite value: more than what a finite score reaches, and still a number. */
export const UNBOUNDED = 1e6
