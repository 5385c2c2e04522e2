import { describe, expect, it } from 'vitest'
import { seededRandom } from '../data/seeded-random.ts'
import { segmentsOf } from '../data/series.ts'
import { vus } from './vus.ts'

/** The definition, word by word. */
function naiveVus(scores: Float64Array, labels: Uint8Array, width: number): { pr: number; roc: number } {
  const n = scores.length
  const segments = segmentsOf(labels)
  const sorted = scores.toSorted().reverse()
  const cuts = Array.from({ length: 250 }, (_, j) => sorted[j === 249 ? n - 1 : Math.trunc(j * ((n - 1) / 249))])
  const positives = labels.reduce((a, b) => a + b, 0)
  let pr = 0
  let roc = 0
  for (let w = 0; w <= width; w++) {
    const h = Math.floor(w / 2)
    const soft = Array.from({ length: n }, (_, i) => {
      if (labels[i]) return 1
      let sum = 0
      for (const [a, b] of segments) for (const d of [a - i, i - b]) if (d >= 1 && d <= h) sum += Math.sqrt(1 - d / w)
      return Math.min(1, sum)
    })
    const merged: [number, number][] = []
    let open = Math.max(segments[0]![0] - h, 0)
    for (const [k, [, b]] of segments.entries()) {
      const next = segments[k + 1]
      if (next === undefined) merged.push([open, Math.min(b + h, n - 1)])
      else if (b + h < next[0] - h) {
        merged.push([open, b + h])
        open = next[0] - h
      }
    }
    let before = [0, 0]
    for (const cut of cuts) {
      let predicted = 0
      let hits = 0
      let outside = 0
      for (let i = 0; i < n; i++) {
        if (!(scores[i] >= cut)) continue
        predicted++
        hits += soft[i]!
        if (!labels[i]) outside += soft[i]!
      }
      const wanted = positives + outside / 2
      const found = merged.filter(([a, b]) => scores.subarray(a, b + 1).some(score => score >= cut)).length / merged.length
      const tpr = Math.min(hits / wanted, 1) * found
      const fpr = (predicted - hits) / (n - wanted)
      pr += ((tpr - before[1]!) * hits) / predicted
      roc += ((fpr - before[0]!) * (tpr + before[1]!)) / 2
      before = [fpr, tpr]
    }
    roc += ((1 - before[0]!) * (1 + before[1]!)) / 2
  }
  return { pr: pr / (width + 1), roc: roc / (width + 1) }
}

describe('vus', () => {
  it.each([1, 2, 3, 4, 5, 6])('equals its definition on random series with ties and segments at both ends, seed %i', seed => {
    const random = seededRandom(seed)
    const rows = 150 + Math.floor(random() * 250)
    const labels = new Uint8Array(rows)
    for (let k = 0; k < 5; k++) {
      const at = Math.floor(random() * rows)
      labels.fill(1, at, at + 1 + Math.floor(random() * 12))
    }
    if (seed % 2) labels[0] = labels[rows - 1] = 1
    else labels.fill(1, 40, 41)
    const levels = seed % 3 ? 1000 : 6
    const scores = Float64Array.from({ length: rows }, (_, i) => Math.floor((random() + 0.3 * labels[i]) * levels))
    for (const width of [0, 1, 7, 24]) {
      const fast = vus(scores, labels, width)
      const naive = naiveVus(scores, labels, width)
      expect(fast.pr).toBeCloseTo(naive.pr, 9)
      expect(fast.roc).toBeCloseTo(naive.roc, 9)
    }
  })

  it('equals its definition on a constant score', () => {
    const labels = Uint8Array.from({ length: 300 }, (_, i) => (i >= 100 && i < 120 ? 1 : 0))
    const fast = vus(new Float64Array(300), labels, 10)
    const naive = naiveVus(new Float64Array(300), labels, 10)
    expect(fast.pr).toBeCloseTo(naive.pr, 9)
    expect(fast.roc).toBeCloseTo(naive.roc, 9)
  })

  it('ranks an undecided row below all others', () => {
    const labels = Uint8Array.from({ length: 300 }, (_, i) => (i >= 100 && i < 120 ? 1 : 0))
    const random = seededRandom(9)
    const scores = Float64Array.from(labels, label => random() + label)
    const undecided = scores.map((score, i) => (i % 7 ? score : NaN))
    expect(vus(undecided, labels, 10)).toEqual(
      vus(
        undecided.map(score => (Number.isNaN(score) ? -5 : score)),
        labels,
        10,
      ),
    )
  })

  it('is not known without a labelled row', () => {
    expect(vus(new Float64Array(10), new Uint8Array(10), 3)).toEqual({ pr: NaN, roc: NaN })
  })
})
