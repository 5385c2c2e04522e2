import { segmentsOf } from '../data/series.ts'
import { evenThresholds, harmonicMean, orderDescending, undecidedLowest } from './order.ts'

/** Units that a segment of so many rows counts for: the largest k with 3^k ≤ rows + 3, in whole numbers, because logarithms round. */
export function unitsOf(rows: number): number {
  let units = 0
  for (let power = 3; power <= rows + 3; power *= 3) units++
  return units
}

/**
 * Log-weighted event F1 at the best threshold: a segment counts as a few units that all carry its highest score, or the highest of its
 * first `delay` + 1 rows; every normal row counts as one.
 */
export function eventF1(scores: Float64Array, labels: ArrayLike<number>, delay = Infinity): number {
  const segments = segmentsOf(labels)
  const values: number[] = []
  const weights: number[] = []
  const events: number[] = []
  let positives = 0
  for (const [first, last] of segments) {
    let highest = -Infinity
    for (let i = first; i <= Math.min(last, first + delay); i++) if (scores[i] > highest) highest = scores[i]
    const units = unitsOf(last - first + 1)
    positives += units
    values.push(highest)
    weights.push(units)
    events.push(1)
  }
  for (let i = 0; i < scores.length; i++) {
    if (labels[i]) continue
    values.push(undecidedLowest(scores[i]))
    weights.push(1)
    events.push(0)
  }
  const order = orderDescending(Float64Array.from(values))
  let hits = 0
  let predicted = 0
  let best = 0
  for (let k = 0; k < order.length; k++) {
    const at = order[k]
    predicted += weights[at]
    if (events[at]) hits += weights[at]
    if (k + 1 < order.length && values[order[k + 1]] === values[at]) continue
    best = Math.max(best, harmonicMean(hits / predicted, hits / positives))
  }
  return segments.length === 0 ? NaN : best
}

/** What TSB-AD calls Event-based-F1: segments hit, against precision over rows; best of 100 even thresholds, predicted meaning above. */
export function tsbEventF1(scores: Float64Array, labels: ArrayLike<number>): number {
  const segments = segmentsOf(labels)
  if (segments.length === 0) return NaN
  const peaks = segments.map(([first, last]) => scores.subarray(first, last + 1).reduce((a, b) => (b > a ? b : a), -Infinity))
  let best = 0
  for (const threshold of evenThresholds(scores, 100)) {
    let predicted = 0
    let hits = 0
    for (let i = 0; i < scores.length; i++) {
      if (!(scores[i] > threshold)) continue
      predicted++
      if (labels[i]) hits++
    }
    const recall = peaks.filter(peak => peak > threshold).length / segments.length
    if (predicted > 0) best = Math.max(best, harmonicMean(hits / predicted, recall))
  }
  return best
}
