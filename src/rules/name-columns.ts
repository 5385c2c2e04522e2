import type { Anomaly, AnomalyColumn } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { type Frame, rowAt } from '../frame/frame.ts'

/** Columns with a smaller share say nothing of an anomaly. */
const SMALLEST_SHARE = 0.01
const MOST_COLUMNS = 16

/**
 * Says of an anomaly in which columns of its frame it lies, the largest share first: the mean of the shares of its rows, or of how often each
 * was the strangest where the detector gives no shares. Nothing for a frame of one column.
 */
export function nameColumns(anomaly: Anomaly, scores: Scores, frame: Frame): Anomaly {
  const names = Object.keys(frame.columns)
  if (names.length < 2) return anomaly
  const from = rowAt(scores.times, anomaly.start)
  const to = Math.max(from + 1, rowAt(scores.times, anomaly.end))
  const weights = names.map((_, c) => weigh(scores, c, from, to))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (!(total > 0)) return anomaly
  const peak = rowAt(scores.times, anomaly.peak)
  const row = rowAt(frame.times, anomaly.peak)
  const strangest = scores.columns.channel?.[peak]
  const columns = names
    .map((name, c): AnomalyColumn => {
      const value = frame.columns[name][row] ?? NaN
      return { name, share: weights[c] / total, value, ...(c === strangest ? { expected: anomaly.expected } : {}) }
    })
    .filter(({ share }) => share >= SMALLEST_SHARE)
    .toSorted((a, b) => b.share - a.share)
    .slice(0, MOST_COLUMNS)
  return { ...anomaly, columns }
}

function weigh({ columns }: Scores, column: number, from: number, to: number): number {
  const shares = columns[`share${column}`]
  let sum = 0
  for (let i = from; i < to; i++) {
    const share = shares ? shares[i] : columns.channel?.[i] === column ? 1 : 0
    if (share > 0) sum += share
  }
  return sum
}
