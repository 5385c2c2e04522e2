import assert from 'node:assert/strict'
import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import type { Refiner, RefinerContext } from '../refiners/refiner.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'

/** A promise of every refiner. `check` throws on a breach. */
export interface RefinerLaw {
  readonly name: string
  check(refiner: Refiner): void
}

const STEP = 60_000

/** A day of tides with a spike, a dip, a short pair, a plateau, a ramp and a stretch at the end that goes on. */
export function makeRefinerCase(): { anomalies: readonly Anomaly[]; context: RefinerContext } {
  const rows = 1440
  const times = Float64Array.from({ length: rows }, (_, i) => 1_700_000_040_000 + i * STEP)
  const expected = times.map((_, i) => 100 + 20 * Math.sin(i / 100))
  const value = expected.map((usual, i) => usual + 3 * Math.sin(i * 12.9898))
  const set = (from: number, to: number, change: (i: number) => number) => {
    for (let i = from; i < to; i++) value[i] += change(i - from)
  }
  set(100, 102, () => 300)
  set(200, 201, () => -60)
  set(300, 301, () => 90)
  set(304, 305, () => -80)
  set(500, 560, () => 120)
  set(700, 740, i => 20 + 6 * i)
  set(900, 930, i => (i % 2 === 0 ? 70 : -70))
  set(1435, 1440, () => 80)
  const score = value.map((v, i) => Math.abs(v - expected[i]) / 4)
  const lower = expected.map(usual => usual - 16)
  const upper = expected.map(usual => usual + 16)
  const scores: Scores = {
    labels: { __name__: 'requests', instance: 'a' },
    times,
    columns: { score, value, expected, lower, upper },
  }
  const found = findAnomalies(
    scores,
    score.map(s => s / 4),
    'seasonal',
    STEP,
  )
  const anomalies = found.map((anomaly, i) => (i === 2 ? { ...anomaly, ignored: 'outside business hours' } : anomaly))
  return { anomalies, context: { scores, step: STEP } }
}

export const refinerLaws: readonly RefinerLaw[] = [
  {
    name: 'never drops silently: each stretch is still covered',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const refined = refiner.refine(anomalies, context)
      for (const { start, end } of anomalies)
        assert.ok(
          refined.some(other => other.start <= start && other.end >= end),
          `the anomaly from ${start} to ${end} is gone`,
        )
    },
  },
  {
    name: 'invents nothing: begins and ends where anomalies do, of the same series and detector',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const refined = refiner.refine(anomalies, context)
      assert.ok(refined.length <= anomalies.length, 'there are more than before')
      for (const { start, end, peak, labels, detector } of refined) {
        assert.ok(
          anomalies.some(other => other.start === start) && anomalies.some(other => other.end === end),
          'start and end are kept',
        )
        assert.ok(anomalies.some(other => other.peak === peak) && peak >= start && peak < end, 'the peak is one of theirs')
        assert.deepEqual([labels, detector], [anomalies[0]!.labels, anomalies[0]!.detector])
      }
      assert.equal(refined.at(-1)?.ongoing, true)
      assert.deepEqual(refiner.refine([], context), [])
    },
  },
  {
    name: 'keeps the order of start',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const starts = refiner.refine(anomalies, context).map(anomaly => anomaly.start)
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      )
    },
  },
  {
    name: 'does not write into its input',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const copy = structuredClone({ anomalies, context })
      refiner.refine(anomalies, context)
      assert.deepEqual({ anomalies, context }, copy)
    },
  },
  {
    name: 'refines twice as once',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const once = refiner.refine(anomalies, context)
      assert.deepEqual(refiner.refine(once, context), once)
    },
  },
  {
    name: 'is deterministic and gives plain data',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const refined = refiner.refine(anomalies, context)
      assert.deepEqual(refiner.refine(anomalies, context), refined)
      assert.deepEqual(structuredClone(refined), refined)
    },
  },
  {
    name: 'keeps the reason of what is ignored already',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const refined = refiner.refine(anomalies, context)
      for (const { start, ignored } of anomalies)
        if (ignored !== undefined)
          assert.ok(
            refined.some(other => other.start <= start && start < other.end && other.ignored === ignored),
            `${ignored} is lost`,
          )
    },
  },
  {
    name: 'does without rows: anomalies of which no scores are left stay',
    check(refiner) {
      const { anomalies, context } = makeRefinerCase()
      const none = new Float64Array(0)
      const columns = { score: none, value: none, expected: none, lower: none, upper: none }
      const refined = refiner.refine(anomalies, { ...context, scores: { ...context.scores, times: none, columns } })
      assert.equal(refined.at(-1)?.end, anomalies.at(-1)!.end)
    },
  },
]
