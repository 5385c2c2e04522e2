import { segmentsOf } from '../data/series.ts'
import { harmonicMean, meanOf, orderDescending } from './order.ts'
import type { PrecisionRecall } from './range-based.ts'

/**
 * Huet et al. 2022, "Local evaluation of time series anomaly detection algorithms": how near predictions are to events, as the chance that a random
 * one were farther away. Events are [first, last + 1) on the real axis. Random scores do well by it: print theirs beside it. NaN without events.
 */
export function affiliation(predicted: ArrayLike<number>, labels: ArrayLike<number>): PrecisionRecall {
  const toIntervals = ([first, last]: readonly [number, number]) => [first, last + 1] as const
  const said = segmentsOf(predicted).map(toIntervals)
  const real = segmentsOf(labels).map(toIntervals)
  if (real.length === 0) return { precision: NaN, recall: NaN, f1: NaN }
  const precisions: number[] = []
  const recalls: number[] = []
  let from = 0
  for (const [k, event] of real.entries()) {
    const start = k === 0 ? 0 : (real[k - 1]![1] + event[0]) / 2
    const end = k + 1 === real.length ? labels.length : (event[1] + real[k + 1]![0]) / 2
    while (from < said.length && said[from]![1] <= start) from++
    const near: Interval[] = []
    for (let s = from; s < said.length && said[s]![0] < end; s++)
      near.push([Math.max(start, said[s]![0]), Math.min(end, said[s]![1])])
    if (near.length > 0) precisions.push(precisionIn([start, end], event, near))
    recalls.push(near.length === 0 ? 0 : recallIn([start, end], event, near))
  }
  const precision = meanOf(precisions)
  const recall = meanOf(recalls)
  return { precision, recall, f1: precisions.length === 0 ? 0 : harmonicMean(precision, recall) }
}

type Interval = readonly [number, number]

/** Mean over predicted time x of F(x): 1 inside the event, else 1 − (min(d, m) + d + |J|) / |E|. */
function precisionIn([start, end]: Interval, [a, b]: Interval, near: readonly Interval[]): number {
  const m = Math.min(a - start, end - b)
  let sum = 0
  let time = 0
  for (const [from, to] of near) {
    time += to - from
    sum += Math.max(0, Math.min(b, to) - Math.max(a, from))
    // Distances of the parts before and behind the event.
    for (const [near, far] of [
      [a - Math.min(to, a), a - Math.min(from, a)],
      [Math.max(from, b) - b, Math.max(to, b) - b],
    ] as const)
      if (far > near)
        sum += (far - near) * (1 - (b - a) / (end - start)) - (capped(near, far, m) + (far ** 2 - near ** 2) / 2) / (end - start)
  }
  return sum / time
}

/** Mean over time y of the event of 1 − (min(d, m) + d) / |E|, d to the nearest prediction, m to the nearer end of the zone. */
function recallIn([start, end]: Interval, [a, b]: Interval, near: readonly Interval[]): number {
  // Between these bounds, both d and m are linear and so is which of them is the smaller one.
  const bounds = new Set([a, b, (start + end) / 2])
  for (const [k, [from, to]] of near.entries()) {
    bounds.add(from).add(to)
    const next = near[k + 1]
    if (next) bounds.add((to + next[0]) / 2)
  }
  for (const [from, to] of near) {
    // d = m: behind a prediction, to − y = … and before one, from − y = ….
    bounds.add((to + end) / 2).add((from + start) / 2)
  }
  const inner = [...bounds].filter(y => y >= a && y <= b).sort((x, y) => x - y)
  let sum = 0
  let k = 0
  for (let i = 0; i + 1 < inner.length; i++) {
    const [low, high] = [inner[i]!, inner[i + 1]!]
    const middle = (low + high) / 2
    while (k + 1 < near.length && distance(middle, near[k + 1]!) <= distance(middle, near[k]!)) k++
    const d = distance(middle, near[k]!)
    const m = Math.min(middle - start, end - middle)
    sum += (high - low) * (1 - (Math.min(d, m) + d) / (end - start))
  }
  return sum / (b - a)
}

function distance(y: number, [from, to]: Interval): number {
  return y < from ? from - y : y > to ? y - to : 0
}

/** Integral of min(d, m) for d from `near` to `far`. */
function capped(near: number, far: number, m: number): number {
  const low = Math.min(near, m)
  const high = Math.min(far, m)
  return (high ** 2 - low ** 2) / 2 + m * (far - near - (high - low))
}

/** Best F1 of the thresholds that these parts of the rows exceed: an oracle. */
export function affiliationF1(scores: Float64Array, labels: ArrayLike<number>, parts = [0.1, 0.05, 0.02, 0.01]): number {
  const order = orderDescending(scores)
  const scoresOf = parts.map(part => {
    const threshold = scores[order[Math.min(order.length - 1, Math.floor(part * order.length))]]
    return affiliation(
      Uint8Array.from(scores, score => (score > threshold ? 1 : 0)),
      labels,
    ).f1
  })
  return Math.max(...scoresOf)
}
