import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  rows: z
    .number()
    .int()
    .min(9)
    .max(10_000)
    .default(52)
    .describe('relative steps that mean and deviation are taken over, 8 bytes each'),
  sensitivity: z.number().min(0).max(10).default(5).describe('0 is dull, 10 is sharp: the limit is 1.5 to 0.5 deviations'),
})

/** Steps before the first score: fewer say nothing of a deviation. */
const WARM_UP = 9
/** A step teaches at most so many deviations from the mean step. */
const CLIP = 5
/** So many clipped rows on one side are no incident but a new level. */
const NEW_LEVEL = 9
/** Of the last value, and of the value seen: smaller errors are rounding. */
const FLOOR = 0.001

/**
 * The mean-variance rule of ThirdEye: the next value is the last one, moved by the mean relative step; the score is the error in limits, and
 * a limit is 0.5 to 1.5 deviations of the relative steps, so 1 is the limit. Departure: steps are clipped, so that a spike hardly teaches.
 */
export const meanVariance = component({
  type: 'mean-variance',
  summary: 'Change from row to row against the mean and the deviation of the last 52 relative changes; 1 is the limit.',
  config,
  create: options => fromStream({ lookback: HOUR, open: snapshot => openMeanVariance(options, snapshot) }),
  examples: [{}, { rows: 200, sensitivity: 8 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  last: number
  steps: Float64Array
  count: number
  /** Clipped rows in a row; negative below what was expected. */
  run: number
}

function openMeanVariance({ rows, sensitivity }: z.output<typeof config>, snapshot?: State): Stream {
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : { version: 1, last: NaN, steps: new Float64Array(rows), count: 0, run: 0 }
  const deviations = clamp(0.5 + 0.1 * (10 - sensitivity), 0.5, 1.5)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  let mean = 0
  let deviation = 0
  update()

  function update(): void {
    const known = Math.min(m.count, rows)
    let sum = 0
    for (let i = 0; i < known; i++) sum += m.steps[i]
    mean = sum / Math.max(1, known)
    let squares = 0
    for (let i = 0; i < known; i++) squares += (m.steps[i] - mean) ** 2
    deviation = Math.sqrt(squares / Math.max(1, known - 1))
  }

  const limitAt = (x: number) =>
    Math.max(deviations * deviation * Math.abs(m.last), FLOOR * Math.abs(m.last), FLOOR * Math.abs(x), 1e-12)
  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.count < WARM_UP) return judgement
      const expected = m.last * (1 + mean)
      const margin = limitAt(expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / limitAt(x)
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      let taught = x
      if (m.count >= WARM_UP) {
        const expected = m.last * (1 + mean)
        const most = (CLIP / deviations) * limitAt(x)
        taught = clamp(x, expected - most, expected + most)
        const side = Math.sign(x - taught)
        m.run = side === 0 ? 0 : Math.sign(m.run) === side ? m.run + side : side
        if (Math.abs(m.run) >= NEW_LEVEL) {
          m.last = x
          m.run = 0
          return
        }
      }
      if (!Number.isNaN(m.last)) {
        m.steps[m.count % rows] = m.last === 0 ? 0 : clamp((taught - m.last) / m.last, -1e6, 1e6)
        // The place in the ring is the count modulo its size, so a large count wraps by whole rings.
        m.count = m.count + 1 >= 1000 * rows ? m.count + 1 - 999 * rows : m.count + 1
        update()
      }
      m.last = taught
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
