import { expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { fromValues } from '../frame/frame.ts'
import { minimumDifference } from './minimum-difference.ts'

const anomaly = (current: number, expected: number): Anomaly => ({
  labels: {},
  detector: 'seasonal',
  start: 0,
  end: 1000,
  peak: 0,
  score: 900,
  strength: 200,
  direction: 'up',
  current,
  expected,
  lower: 0,
  upper: 0,
  ongoing: true,
})
const refine = (difference: number, ...found: readonly Anomaly[]) =>
  minimumDifference
    .create({ difference })
    .refine(found, { scores: fromValues([0], [5]) as never, step: 1000 })
    .map(each => each.ignored)

it('ignores what is nearer to the expected value than the difference, on either side', () => {
  expect(refine(0.01, anomaly(0.0004, 0), anomaly(0.4, 0), anomaly(0.995, 1), anomaly(0.5, 1))).toEqual([
    'differs by less than 0.01',
    undefined,
    'differs by less than 0.01',
    undefined,
  ])
})

it('keeps everything by default, and what has no distance always', () => {
  expect(refine(0, anomaly(0.0004, 0), anomaly(0, 0))).toEqual([undefined, undefined])
  expect(refine(9, anomaly(Number.NaN, 3), anomaly(3, Number.NaN))).toEqual([undefined, undefined])
})

it('leaves an older reason as it is', () => {
  expect(refine(9, { ...anomaly(1, 0), ignored: 'only down is bad' })).toEqual(['only down is bad'])
})
