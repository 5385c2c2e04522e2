import type { Anomaly } from '../anomaly.ts'
import type { Detector, Scores } from '../detectors/detector.ts'
import type { Frame } from '../frame/frame.ts'
import type { Refiner } from '../refiners/refiner.ts'
import type { Rule } from '../rules/rule.ts'
import { find } from './judge-series.ts'

/** A detector with the rule that judges its scores. */
export interface Examiner {
  readonly name: string
  readonly detector: Detector
  readonly rule: Rule
}

/** All that one detector says of one series. */
export interface Examination {
  readonly detector: string
  readonly scores: Scores
  /** One per row of the scores; 1 is the limit. */
  readonly strength: Float64Array
  readonly anomalies: readonly Anomaly[]
}

/** Scores, judges and refines all rows of one frame at once, without state and without I/O. `step` in ms. */
export function examine(
  frame: Frame,
  examiners: readonly Examiner[],
  refiners: readonly Refiner[],
  step: number,
): readonly Examination[] {
  return examiners.map(({ name, detector, rule }) => {
    const scores = detector.detect(frame, { start: -Infinity, end: Infinity })
    const { strength } = rule.judge(scores)
    const anomalies = find({ name, detector, step }, frame, { scores, strength }, { refiners })
    return { detector: name, scores, strength, anomalies }
  })
}
