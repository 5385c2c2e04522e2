import { describe, expect, it } from 'vitest'
import { seededRandom } from '../data/seeded-random.ts'
import { segmentsOf } from '../data/series.ts'
import { affiliation } from './affiliation.ts'
import { aucPr, aucRoc } from './auc.ts'
import { eventF1, unitsOf } from './event-f1.ts'
import { bestF1, pointAdjustedF1 } from './f1.ts'
import { harmonicMean } from './order.ts'
import { rangeBased } from './range-based.ts'
import { ucrCorrect } from './ucr.ts'

function draw(seed: number): { scores: Float64Array; labels: Uint8Array } {
  const random = seededRandom(seed)
  const labels = Uint8Array.from({ length: 200 }, (_, i) => (i % 50 > 40 && i > 60 ? 1 : 0))
  return { scores: Float64Array.from(labels, label => Math.floor(12 * random() + 3 * label)), labels }
}

const thresholdsOf = (scores: Float64Array) => [...new Set(scores)].sort((a, b) => b - a)

function count(scores: Float64Array, labels: Uint8Array, threshold: number) {
  let predicted = 0
  let hits = 0
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < threshold) continue
    predicted++
    hits += labels[i]
  }
  return { predicted, hits, positives: labels.reduce((a, b) => a + b, 0) }
}

describe.each([1, 2, 3])('figures of rows equal their naive twins, seed %i', seed => {
  const { scores, labels } = draw(seed)

  it('AUC', () => {
    let wins = 0
    let pairs = 0
    for (let i = 0; i < scores.length; i++)
      for (let j = 0; j < scores.length; j++)
        if (labels[i] && !labels[j]) {
          pairs++
          wins += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0
        }
    expect(aucRoc(scores, labels)).toBeCloseTo(wins / pairs, 12)
    let area = 0
    let before = 0
    for (const threshold of thresholdsOf(scores)) {
      const { predicted, hits, positives } = count(scores, labels, threshold)
      area += (hits / positives - before) * (hits / predicted)
      before = hits / positives
    }
    expect(aucPr(scores, labels)).toBeCloseTo(area, 12)
  })

  it('F1, point-adjusted F1 and event F1', () => {
    let best = 0
    let adjusted = 0
    let event = 0
    for (const threshold of thresholdsOf(scores)) {
      const { predicted, hits, positives } = count(scores, labels, threshold)
      best = Math.max(best, harmonicMean(hits / predicted, hits / positives))
      const wrong = predicted - hits
      const caught = segmentsOf(labels).filter(([a, b]) => scores.subarray(a, b + 1).some(score => score >= threshold))
      const rows = caught.reduce((sum, [a, b]) => sum + b - a + 1, 0)
      adjusted = Math.max(adjusted, harmonicMean(rows / (rows + wrong), rows / positives))
      const units = caught.reduce((sum, [a, b]) => sum + unitsOf(b - a + 1), 0)
      const all = segmentsOf(labels).reduce((sum, [a, b]) => sum + unitsOf(b - a + 1), 0)
      event = Math.max(event, harmonicMean(units / (units + wrong), units / all))
    }
    expect(bestF1(scores, labels)).toBeCloseTo(best, 12)
    expect(pointAdjustedF1(scores, labels)).toBeCloseTo(adjusted, 12)
    expect(eventF1(scores, labels)).toBeCloseTo(event, 12)
  })

  it('affiliation, by numbers', () => {
    const predicted = Uint8Array.from(scores, score => (score >= 11 ? 1 : 0))
    const { precision, recall } = affiliation(predicted, labels)
    const real = segmentsOf(labels)
    const points = 40
    const precisions: number[] = []
    const recalls: number[] = []
    for (const [k, [a, last]] of real.entries()) {
      const b = last + 1
      const start = k === 0 ? 0 : (real[k - 1]![1] + 1 + a) / 2
      const end = k + 1 === real.length ? labels.length : (b + real[k + 1]![0]) / 2
      const times: number[] = []
      for (let s = 0; s < labels.length * points; s++) {
        const time = (s + 0.5) / points
        if (time > start && time < end && predicted[Math.floor(time)]) times.push(time)
      }
      const size = end - start
      const gains = times.map(x => {
        if (x >= a && x < b) return 1
        const d = x < a ? a - x : x - b
        return 1 - (Math.min(d, Math.min(a - start, end - b)) + d + (b - a)) / size
      })
      if (times.length > 0) precisions.push(gains.reduce((x, y) => x + y, 0) / gains.length)
      let sum = 0
      const steps = (b - a) * points
      for (let s = 0; s < steps; s++) {
        const y = a + (s + 0.5) / points
        const d = predicted[Math.floor(y)] ? 0 : Math.min(...times.map(x => Math.abs(x - y)))
        if (Number.isFinite(d)) sum += 1 - (Math.min(d, y - start, end - y) + d) / size
      }
      recalls.push(sum / steps)
    }
    expect(precision).toBeCloseTo(precisions.reduce((x, y) => x + y, 0) / precisions.length, 2)
    expect(recall).toBeCloseTo(recalls.reduce((x, y) => x + y, 0) / recalls.length, 2)
  })
})

describe('figures of events', () => {
  it('weigh segments by whole powers of three', () => {
    const bounds = [1, 5, 6, 23, 24, 77, 78, 239, 240]
    expect(bounds.map(unitsOf)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5])
  })

  it('hear only the first rows of a segment when a delay is set', () => {
    const labels = Uint8Array.from({ length: 40 }, (_, i) => (i >= 10 && i < 30 ? 1 : 0))
    const scores = Float64Array.from({ length: 40 }, (_, i) => (i === 18 ? 1 : 0))
    expect(eventF1(scores, labels)).toBe(1)
    expect(eventF1(scores, labels, 8)).toBe(1)
    expect(eventF1(scores, labels, 7)).toBeLessThan(0.2)
  })

  it('charge for fragments', () => {
    const labels = Uint8Array.from([0, 1, 1, 1, 1, 0, 0, 1, 1, 0])
    const predicted = Uint8Array.from([0, 1, 0, 1, 0, 0, 0, 0, 0, 1])
    const { precision, recall } = rangeBased(predicted, labels)
    expect(recall).toBeCloseTo((0.2 + (0.8 * 0.5) / 2 + 0) / 2, 12)
    expect(precision).toBeCloseTo(2 / 3, 12)
  })

  it('find the one anomaly of a series within a hundred rows', () => {
    const scores = new Float64Array(1000)
    scores[600] = 2
    scores[900] = 2
    expect(ucrCorrect(scores, [700, 720])).toBe(true)
    expect(ucrCorrect(scores, [701, 720])).toBe(false)
    expect(ucrCorrect(scores, [590, 600], 0)).toBe(true)
    expect(ucrCorrect(new Float64Array(10).fill(NaN), [0, 9])).toBe(false)
  })
})
