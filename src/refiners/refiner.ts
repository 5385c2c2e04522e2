import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'

/** What a refiner may look at. */
export interface RefinerContext {
  /** The scores (with value and band) behind the anomalies of one series. */
  readonly scores: Scores
  /** ms between its rows. */
  readonly step: number
  /** Whether their detector looks for missing data; see `Detector`. */
  readonly findsMissingData?: boolean
}

/** Anomalies of one series and detector, in order of start → the same, merged or labelled with a reason. Never silently drops. */
export interface Refiner {
  refine(anomalies: readonly Anomaly[], context: RefinerContext): readonly Anomaly[]
}
