import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'

/** What a refiner may look at: the scores (with value and band) behind the anomalies of one series, and the step of its rows in ms. */
export interface RefinerContext {
  readonly scores: Scores
  readonly step: number
}

/** Anomalies of one series and detector, in order of start → the same, merged or labelled with a reason. Never silently drops. */
export interface Refiner {
  refine(anomalies: readonly Anomaly[], context: RefinerContext): readonly Anomaly[]
}
