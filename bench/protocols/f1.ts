import { segmentsOf } from '../data/series.ts'
import { harmonicMean, sweep } from './order.ts'

/** F1 over rows at the best threshold: an oracle, because it is chosen with the labels. */
export function bestF1(scores: Float64Array, labels: ArrayLike<number>): number {
  let positives = 0
  for (let i = 0; i < labels.length; i++) if (labels[i]) positives++
  let best = 0
  sweep(scores, labels, (predicted, hits) => {
    best = Math.max(best, harmonicMean(hits / predicted, hits / positives))
  })
  return positives === 0 ? NaN : best
}

/**
 * Best F1 when one hit inside a segment counts for all of it. Random scores do well by it (Kim et al. 2021, arXiv 2109.05257): never print it
 * without theirs.
 */
export function pointAdjustedF1(scores: Float64Array, labels: ArrayLike<number>): number {
  const adjusted = scores.slice()
  for (const [first, last] of segmentsOf(labels)) {
    let highest = -Infinity
    for (let i = first; i <= last; i++) if (scores[i] > highest) highest = scores[i]
    adjusted.fill(highest, first, last + 1)
  }
  return bestF1(adjusted, labels)
}
