import { segmentsOf } from '../data/series.ts'
import { orderDescending, undecidedLowest } from './order.ts'

/** Volumes under the surfaces of precision–recall and ROC curves over buffers of width 0 … W around each segment. */
export interface Vus {
  readonly pr: number
  readonly roc: number
}

const CUTS = 250

/**
 * Paparrizos et al. 2022, "Volume under the surface", as TSB-AD computes it (`RangeAUC_volume_opt`); equal to the definition, in time that
 * does not grow with rows × cuts × W. NaN when no row is labelled.
 */
export function vus(scores: Float64Array, labels: ArrayLike<number>, width: number): Vus {
  const rows = scores.length
  const segments = segmentsOf(labels)
  if (segments.length === 0) return { pr: NaN, roc: NaN }
  const order = orderDescending(scores)
  const cuts = Float64Array.from({ length: CUTS }, (_, j) => undecidedLowest(scores[order[rankOf(j, rows)]]))
  const predicted = countPredicted(scores, order, cuts)
  const inside = new Float64Array(CUTS)
  let positives = 0
  for (const [first, last] of segments)
    for (let i = first; i <= last; i++) {
      inside[firstCut(cuts, scores[i])]++
      positives++
    }
  accumulate(inside)

  const { points, cutOf, entryPoint, entryDistance } = listFringe(segments, labels, scores, cuts, width >> 1)
  const fade = new Float64Array(points)
  const highest = segments.map(([first, last]) => highestIn(scores, first, last))
  const outside = new Float64Array(CUTS)
  let pr = 0
  let roc = 0
  for (let w = 0; w <= width; w++) {
    const h = w >> 1
    fade.fill(0)
    for (let e = 0; e < entryPoint.length && entryDistance[e] <= h; e++)
      fade[entryPoint[e]] += Math.sqrt(1 - entryDistance[e] / w)
    outside.fill(0)
    for (let p = 0; p < points; p++) if (fade[p] > 0) outside[cutOf[p]] += Math.min(1, fade[p])
    accumulate(outside)
    if (h > 0 && w % 2 === 0)
      for (const [k, [first, last]] of segments.entries()) {
        highest[k] = Math.max(highest[k], undecidedLowest(scores[first - h] ?? NaN), undecidedLowest(scores[last + h] ?? NaN))
      }
    const exists = shareFound(segments, highest, cuts, h)
    const curve = areas(predicted, inside, outside, exists, positives, rows)
    pr += curve.pr
    roc += curve.roc
  }
  return { pr: pr / (width + 1), roc: roc / (width + 1) }
}

/** Rank of cut j among the rows, as numpy's `linspace(0, n − 1, 250)` truncated. */
function rankOf(j: number, rows: number): number {
  return j === CUTS - 1 ? rows - 1 : Math.trunc(j * ((rows - 1) / (CUTS - 1)))
}

/** Index of the highest cut that a score reaches. */
function firstCut(cuts: Float64Array, score: number): number {
  const value = undecidedLowest(score)
  let low = 0
  let high = CUTS - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (value >= cuts[middle]) high = middle
    else low = middle + 1
  }
  return low
}

function countPredicted(scores: Float64Array, order: Uint32Array, cuts: Float64Array): Float64Array {
  const predicted = new Float64Array(CUTS)
  let k = 0
  for (let j = 0; j < CUTS; j++) {
    while (k < order.length && undecidedLowest(scores[order[k]]) >= cuts[j]) k++
    predicted[j] = k
  }
  return predicted
}

function accumulate(values: Float64Array): void {
  for (let j = 1; j < CUTS; j++) values[j] += values[j - 1]
}

/** Every (row outside the segments, distance to an edge) up to `reach`, nearest first; rows are numbered through. */
function listFringe(
  segments: readonly (readonly [number, number])[],
  labels: ArrayLike<number>,
  scores: Float64Array,
  cuts: Float64Array,
  reach: number,
) {
  const numbers = new Map<number, number>()
  const entryPoint: number[] = []
  const entryDistance: number[] = []
  for (let d = 1; d <= reach; d++)
    for (const [first, last] of segments)
      for (const row of [first - d, last + d]) {
        if (row < 0 || row >= scores.length || labels[row]) continue
        let number = numbers.get(row)
        if (number === undefined) numbers.set(row, (number = numbers.size))
        entryPoint.push(number)
        entryDistance.push(d)
      }
  const cutOf = Uint16Array.from(numbers.keys(), row => firstCut(cuts, scores[row]))
  return { points: numbers.size, cutOf, entryPoint, entryDistance }
}

function highestIn(scores: Float64Array, first: number, last: number): number {
  let highest = -Infinity
  for (let i = first; i <= last; i++) if (scores[i] > highest) highest = scores[i]
  return highest
}

/** For each cut, the share of the merged, widened segments that hold a predicted row. */
function shareFound(segments: readonly (readonly [number, number])[], highest: readonly number[], cuts: Float64Array, h: number) {
  const found = new Float64Array(CUTS)
  let merged = 0
  let peak = -Infinity
  for (const [k, [, last]] of segments.entries()) {
    peak = Math.max(peak, highest[k])
    const next = segments[k + 1]
    if (next !== undefined && last + h >= next[0] - h) continue
    found[firstCut(cuts, peak)]++
    merged++
    peak = -Infinity
  }
  accumulate(found)
  return found.map(count => count / merged)
}

function areas(
  predicted: Float64Array,
  inside: Float64Array,
  outside: Float64Array,
  exists: Float64Array,
  positives: number,
  rows: number,
): Vus {
  let pr = 0
  let roc = 0
  let tprBefore = 0
  let fprBefore = 0
  for (let j = 0; j < CUTS; j++) {
    const hits = inside[j] + outside[j]
    const wanted = positives + outside[j] / 2
    const tpr = Math.min(hits / wanted, 1) * exists[j]
    const fpr = (predicted[j] - hits) / (rows - wanted)
    pr += ((tpr - tprBefore) * hits) / predicted[j]
    roc += ((fpr - fprBefore) * (tpr + tprBefore)) / 2
    tprBefore = tpr
    fprBefore = fpr
  }
  roc += ((1 - fprBefore) * (1 + tprBefore)) / 2
  return { pr, roc }
}
