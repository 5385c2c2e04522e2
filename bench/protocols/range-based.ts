import { segmentsOf } from '../data/series.ts'
import { evenThresholds, harmonicMean } from './order.ts'

const EXISTENCE = 0.2

export interface PrecisionRecall {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** Tatbul et al. 2018, "Precision and recall for time series", flat bias, in TSB-AD's form: fragmented predictions count for less. */
export function rangeBased(predicted: ArrayLike<number>, labels: ArrayLike<number>): PrecisionRecall {
  const said = segmentsOf(predicted)
  const real = segmentsOf(labels)
  const recall = meanReward(real, said, EXISTENCE)
  const precision = meanReward(said, real, 0)
  return { precision, recall, f1: harmonicMean(precision, recall) }
}

/** Best F1 of 100 even thresholds, predicted meaning above: an oracle. */
export function rangeBasedF1(scores: Float64Array, labels: ArrayLike<number>): number {
  if (segmentsOf(labels).length === 0) return NaN
  let best = 0
  for (const threshold of evenThresholds(scores, 100)) {
    const predicted = Uint8Array.from(scores, score => (score > threshold ? 1 : 0))
    best = Math.max(best, rangeBased(predicted, labels).f1)
  }
  return best
}

type Segments = readonly (readonly [number, number])[]

/** Both lists are in order, so the others that overlap are found by walking on. */
function meanReward(segments: Segments, others: Segments, existence: number): number {
  if (segments.length === 0) return 0
  let sum = 0
  let from = 0
  for (const [first, last] of segments) {
    while (from < others.length && others[from]![1] < first) from++
    let rows = 0
    let pieces = 0
    for (let k = from; k < others.length && others[k]![0] <= last; k++) {
      rows += Math.min(last, others[k]![1]) - Math.max(first, others[k]![0]) + 1
      pieces++
    }
    if (pieces > 0) sum += existence + ((1 - existence) * rows) / (last - first + 1) / pieces
  }
  return sum / segments.length
}
