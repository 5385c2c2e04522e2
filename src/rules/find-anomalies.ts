import type { Anomaly, Direction } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { judged } from './rule.ts'

/** Undecided rows, in steps, that a stretch of strange rows goes on over. */
export const BRIDGED_STEPS = 2

/**
 * Contiguous rows with strength ≥ 1, as anomalies in order of start. A calm row ends a stretch; undecided (NaN) or absent rows end it only when
 * there are more than `BRIDGED_STEPS` of them in a row. For the same reason the last stretch is ongoing when at most so many undecided rows
 * follow it. The peak is the first row of highest strength; `end` is the last strange row + `step` (ms).
 */
export function findAnomalies(scores: Scores, strength: Float64Array, detector: string, step: number): Anomaly[] {
  const { times } = scores
  const bridge = (BRIDGED_STEPS + 1.5) * step
  const found: Anomaly[] = []
  let first = -1
  let last = -1
  for (let i = 0; i < times.length; i++) {
    const strange = strength[i] >= 1
    if (first >= 0 && (strength[i] < 1 || (strange && times[i] - times[last] > bridge))) {
      found.push(describe(scores, strength, detector, step, first, last, false))
      first = -1
    }
    if (!strange) continue
    if (first < 0) first = i
    last = i
  }
  if (first >= 0) {
    const ongoing = times[times.length - 1] - times[last] < (BRIDGED_STEPS + 0.5) * step
    found.push(describe(scores, strength, detector, step, first, last, ongoing))
  }
  return found
}

function describe(
  scores: Scores,
  strength: Float64Array,
  detector: string,
  step: number,
  first: number,
  last: number,
  ongoing: boolean,
): Anomaly {
  const { times, columns } = scores
  const judgedScores = judged(scores)
  let peak = first
  let score = NaN
  for (let i = first; i <= last; i++) {
    if (strength[i] > strength[peak]) peak = i
    if (!(judgedScores[i] <= score) && !Number.isNaN(judgedScores[i])) score = judgedScores[i]
  }
  const current = columns.value[peak]
  const expected = columns.expected[peak]
  return {
    labels: scores.labels,
    detector,
    start: times[first],
    end: times[last] + step,
    peak: times[peak],
    score,
    strength: strength[peak],
    direction: directionOf(current, expected),
    current,
    expected,
    lower: columns.lower[peak],
    upper: columns.upper[peak],
    ongoing,
  }
}

function directionOf(current: number, expected: number): Direction {
  if (current > expected) return 'up'
  return current < expected ? 'down' : 'none'
}
