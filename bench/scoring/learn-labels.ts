import { weekdayOf } from '../../src/calendars/wall-time.ts'
import { DAY, HOUR } from '../../src/duration.ts'
import { mad } from '../../src/math/mad.ts'
import { predictRows } from '../../src/models/boosted-trees/boosted-trees.ts'
import { fitClassifier } from '../../src/models/boosted-trees/fit-classifier.ts'
import type { BenchSeries } from '../data/series.ts'
import type { Scored } from './scored.ts'
import { alarmOf } from './scored.ts'

/** Rows back with which a row is compared. */
const LAGS = [1, 2, 5, 10]
/** Rows whose mean a row is compared with. */
const SPANS = [10, 60]

/**
 * Probability that a row is an anomaly, by boosted trees that learned the labels of the training part, all of them, as an operator would who labels
 * everything: the upper end of what labels are worth. Features of a row: its distance from earlier rows, means and the same time yesterday, in usual steps; hour
 * and weekday; and what a detector without labels said of it. Causal. `threshold` is the probability that did best on rows left out.
 */
export function learnLabels(
  { times, columns, labels, trainRows, step }: BenchSeries,
  base: Scored,
): Scored & { readonly threshold: number } {
  const values = Object.values(columns)[0]!
  const day = Math.round(DAY / step)
  const alarm = alarmOf(base)
  const usual = Math.max(1e-9, mad(values.subarray(1, trainRows).map((value, i) => value - values[i])))
  const means = SPANS.map(span => meansBefore(values, span))
  const rowFeatures = (i: number): number[] => [
    ...LAGS.map(lag => (values[i] - (values[i - lag] ?? NaN)) / usual),
    ...means.map(mean => (values[i] - mean[i]) / usual),
    (values[i] - (values[i - day] ?? NaN)) / usual,
    (times[i] % DAY) / HOUR,
    weekdayOf(times[i]),
    base.score[i],
    alarm[i],
  ]
  const features = rowFeatures(0).length
  const table = new Float64Array(times.length * features)
  for (let i = 0; i < times.length; i++) table.set(rowFeatures(i), i * features)
  const start = performance.now()
  const examples = {
    values: table.subarray(0, trainRows * features),
    columns: features,
    labels: [...labels.subarray(0, trainRows)],
  }
  const fitting = fitClassifier(examples)
  let next = fitting.next()
  while (!next.done) next = fitting.next()
  const score = Float64Array.from(predictRows(next.value.trees, { values: table, columns: features }))
  return { score, threshold: next.value.threshold, seconds: (performance.now() - start) / 1000 }
}

/** Mean of the last rows before each row; NaN before the first. */
function meansBefore(values: Float64Array, span: number): Float64Array {
  const means = new Float64Array(values.length).fill(NaN)
  let sum = 0
  for (let i = 1; i < values.length; i++) {
    sum += values[i - 1] - (i > span ? values[i - 1 - span] : 0)
    means[i] = sum / Math.min(i, span)
  }
  return means
}
