import { describe, expect, it } from 'vitest'
import { acfPeriod } from './acf-period.ts'
import { affiliation } from './affiliation.ts'
import { aucPr, aucRoc } from './auc.ts'
import { eventF1, tsbEventF1 } from './event-f1.ts'
import { bestF1, pointAdjustedF1 } from './f1.ts'
import { GOLDEN_A, GOLDEN_B, GOLDEN_LABELS } from './golden.ts'
import { rangeBased, rangeBasedF1 } from './range-based.ts'
import { vus } from './vus.ts'

const METRICS: Readonly<Record<string, readonly [(scores: Float64Array, labels: Uint8Array) => number, number, number]>> = {
  'VUS-ROC, W = 20': [(s, l) => vus(s, l, 20).roc, 0.704061, 0.700327],
  'VUS-PR, W = 20': [(s, l) => vus(s, l, 20).pr, 0.324362, 0.291647],
  'VUS-PR, W = 0': [(s, l) => vus(s, l, 0).pr, 0.256913, 0.231827],
  'AUC-PR': [aucPr, 0.285503, 0.256124],
  'AUC-ROC': [aucRoc, 0.61833, 0.615267],
  'best F1': [bestF1, 0.28125, 0.275556],
  'point-adjusted best F1': [pointAdjustedF1, 0.990991, 0.990991],
  'event F1': [eventF1, 0.909091, 0.909091],
  'event F1, k = 7': [(s, l) => eventF1(s, l, 7), 0.769231, 0.769231],
  'TSB-AD event-based F1': [tsbEventF1, 0.8, 0.8],
  'range-based F1': [rangeBasedF1, 0.298677, 0.272553],
}

describe('golden values', () => {
  it('are those of the right series', () => {
    expect([...GOLDEN_A.subarray(0, 5)]).toEqual([0, 856, 703, 550, 397])
    expect(GOLDEN_A.reduce((a, b) => a + b, 0)).toBe(207_399)
    expect(GOLDEN_A.indexOf(Math.max(...GOLDEN_A))).toBe(73)
  })

  it.each(Object.entries(METRICS))('%s', (_, [metric, a, b]) => {
    expect(metric(GOLDEN_A, GOLDEN_LABELS)).toBeCloseTo(a, 6)
    expect(metric(GOLDEN_B, GOLDEN_LABELS)).toBeCloseTo(b, 6)
  })

  it('of a fixed prediction', () => {
    const predicted = Uint8Array.from(GOLDEN_A, score => (score >= 900 ? 1 : 0))
    expect(predicted.reduce((a, b) => a + b, 0)).toBe(49)
    const ranges = rangeBased(predicted, GOLDEN_LABELS)
    expect([ranges.recall, ranges.precision, ranges.f1].map(value => value.toFixed(6))).toEqual([
      '0.164444',
      '0.217391',
      '0.187247',
    ])
    const near = affiliation(predicted, GOLDEN_LABELS)
    expect([near.precision, near.recall].map(value => value.toFixed(6))).toEqual(['0.567773', '0.983172'])
  })

  it('of the period', () => {
    const tide = Float64Array.from({ length: 2000 }, (_, i) => Math.sin((2 * Math.PI * i) / 24) + ((7919 * i) % 1009) / 10_090)
    expect(acfPeriod(tide)).toBe(24)
    expect(acfPeriod(Float64Array.from({ length: 2000 }, (_, i) => i))).toBe(125)
  })
})
