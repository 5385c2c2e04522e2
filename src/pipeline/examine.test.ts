import { expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { detectors } from '../detectors/index.ts'
import { MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import type { Refiner, RefinerContext } from '../refiners/refiner.ts'
import { rules } from '../rules/index.ts'
import { create } from './configuration.ts'
import { examine } from './examine.ts'

/** Around 100, far too high in rows 300 to 302, and without values in rows 400 to 459. */
const frame = fromValues(
  Float64Array.from({ length: 500 }, (_, i) => i * MINUTE),
  Float64Array.from({ length: 500 }, (_, i) => {
    if (i >= 400 && i < 460) return NaN
    return i >= 300 && i < 303 ? 900 : 100 + ((i * 7919) % 13)
  }),
  { pod: 'a' },
)
const examiner = (type: string, limit: number) => ({
  name: `my ${type}`,
  detector: create(detectors, { type }, undefined),
  rule: create(rules, { type: 'threshold', limit }, undefined),
})
/** Leaves the anomalies as they are, and remembers what it was given. */
function noting() {
  const seen: { readonly anomalies: readonly Anomaly[]; readonly context: RefinerContext }[] = []
  const refiner: Refiner = {
    refine(anomalies, context) {
      seen.push({ anomalies, context })
      return anomalies
    },
  }
  return { seen, refiner }
}

it('says for each detector, under its name, what it finds in all rows of a series', () => {
  const [usual, missing] = examine(frame, [examiner('ewma', 8), examiner('absence', 1)], [], MINUTE)
  expect([usual!.detector, missing!.detector]).toEqual(['my ewma', 'my absence'])
  expect(usual!.scores.times).toEqual(frame.times)
  expect([...usual!.strength.entries()].filter(([, strength]) => strength >= 1).map(([row]) => row)).toEqual([300, 301, 302])
  expect(usual!.anomalies).toMatchObject([{ detector: 'my ewma', start: 300 * MINUTE, end: 303 * MINUTE, labels: { pod: 'a' } }])
  expect(missing!.anomalies).toMatchObject([{ detector: 'my absence', end: 460 * MINUTE }])
})

it('gives what it found to the refiners in turn, with the scores behind it and whether data is missing', () => {
  const [first, second] = [noting(), noting()]
  const oneLess: Refiner = { refine: anomalies => anomalies.slice(1) }
  const found = examine(frame, [examiner('ewma', 8), examiner('absence', 1)], [first.refiner, oneLess, second.refiner], MINUTE)
  expect(first.seen.map(({ anomalies }) => anomalies.length)).toEqual([1, 1])
  expect(first.seen.map(({ context }) => context)).toEqual([
    { scores: found[0]!.scores, step: MINUTE, findsMissingData: false },
    { scores: found[1]!.scores, step: MINUTE, findsMissingData: true },
  ])
  expect(second.seen.map(({ anomalies }) => anomalies.length)).toEqual([0, 0])
  expect(found.map(({ anomalies }) => anomalies)).toEqual([[], []])
})
