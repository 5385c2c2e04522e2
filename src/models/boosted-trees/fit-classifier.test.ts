import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { finish } from './fit-boosted-trees.ts'
import { classify, fitClassifier } from './fit-classifier.ts'
import type { Examples } from './table.ts'

/** Anomalies as operators see them: score, minutes, hour, whether traffic rose, too. Long ones count, and high ones unless traffic rose. */
function anomalies(count: number, seed: number, doubt = 0.05): Examples & { labels: number[] } {
  const random = seededRandom(seed)
  const values: number[] = []
  const labels = Array.from({ length: count }, () => {
    const score = 3 + 10 * random.next()
    const minutes = 60 * random.next()
    const rose = random.next() < 0.5 ? 1 : 0
    values.push(score, minutes, random.next() < 0.1 ? NaN : 24 * random.next(), rose)
    const real = minutes > 40 || (score > 9 && rose === 0)
    return Number(random.next() < doubt ? !real : real)
  })
  return { values: Float64Array.from(values), columns: 4, labels }
}

describe('fitClassifier', () => {
  const classifier = finish(fitClassifier(anomalies(300, 1)))

  it('learns from a few hundred labels, and knows how well', () => {
    const test = anomalies(1000, 2)
    const counts = [0, 0, 0, 0]
    test.labels.forEach((label, i) => {
      const { positive } = classify(classifier, test.values.subarray(i * 4, i * 4 + 4))
      counts[2 * Number(positive) + label]++
    })
    const [, missed, wrong, found] = counts
    const f1 = (2 * found) / (2 * found + missed + wrong)
    // 5 % of the labels are wrong, so that 0.95 is about the best.
    expect(f1).toBeGreaterThan(0.88)
    expect(Math.abs(f1 - classifier.validation.f1)).toBeLessThan(0.06)
    const { precision, recall } = classifier.validation
    expect(classifier.validation.f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 9)
    expect(classifier.validation.logLoss).toBeLessThan(0.35)
  })

  it('says why', () => {
    const { probability, positive, contributions, expected } = classify(classifier, [5, 55, 12, 1])
    expect(positive).toBe(true)
    expect(contributions.indexOf(Math.max(...contributions))).toBe(1)
    const odds = contributions.reduce((a, b) => a + b, expected)
    expect(1 / (1 + Math.exp(-odds))).toBeCloseTo(probability, 5)
    expect(classify(classifier, [12, 10, 12, 0]).contributions[3]).toBeGreaterThan(0)
    expect(classify(classifier, [12, 10, 12, 1]).positive).toBe(false)
  })

  it('finds nothing where there is nothing', () => {
    const { trees, validation } = finish(fitClassifier(anomalies(200, 3, 0.5)))
    expect(trees.roots.length).toBeLessThan(20)
    expect(validation.logLoss).toBeGreaterThan(0.6)
  })

  it('is the same again', () => {
    expect(finish(fitClassifier(anomalies(300, 1)))).toEqual(classifier)
  })

  it('refuses too few labels and others than 0 and 1', () => {
    const some = anomalies(20, 1)
    const all = (label: number) => some.labels.map(() => label)
    expect(() => finish(fitClassifier({ ...some, labels: all(0) }))).toThrow('labels must have at least 4 of 1, got 0')
    const half = some.labels.map((_, i) => (i < 5 ? 0 : i < 10 ? 1 : 0.5))
    expect(() => finish(fitClassifier({ ...some, labels: half }))).toThrow('labels must be 0 or 1, got 0.5')
  })
})
