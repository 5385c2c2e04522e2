import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  alpha: z.number().gt(0).max(1).default(0.05).describe('weight of the newest row in the mean and the variance'),
  clip: z.number().positive().default(3).describe('an error teaches at most so many standard deviations'),
  band: z.number().positive().default(4).describe('half width of the band in standard deviations'),
})

/** Rows before the first score: fewer say nothing of a variance. */
const WARM_UP = 10
/** Of the expected value: smaller errors are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps a series that was flat at zero from dividing by zero, and scores below 1,000 there. */
const SEEN_FLOOR = 0.001

/**
 * Exponentially weighted mean and variance (Roberts 1959; variance after Finch 2009, section 9), with clipped errors, so that a spike
 * hardly teaches. The score is the error in standard deviations.
 */
export const ewma = component({
  type: 'ewma',
  summary: 'Distance from an exponentially weighted mean, in exponentially weighted standard deviations.',
  config,
  create: options => fromStream({ lookback: HOUR, open: snapshot => openEwma(options, snapshot) }),
  examples: [{}, { alpha: 0.2, clip: 4 }],
})

function openEwma({ alpha, clip, band }: z.output<typeof config>, snapshot?: State): Stream {
  const state =
    snapshot?.version === 1
      ? { ...(snapshot as unknown as { version: 1; count: number; mean: number; variance: number }) }
      : { version: 1 as const, count: 0, mean: 0, variance: 0 }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const scaleAt = (x: number) =>
    Math.max(Math.sqrt(state.variance), FLOOR * Math.abs(state.mean), SEEN_FLOOR * Math.abs(x), 1e-12)
  return {
    score(_time, row) {
      const x = row[0]
      const decided = state.count >= WARM_UP
      const scale = decided ? scaleAt(x) : NaN
      judgement.value = x
      judgement.expected = decided ? state.mean : NaN
      const margin = band * (decided ? scaleAt(state.mean) : NaN)
      judgement.lower = judgement.expected - margin
      judgement.upper = judgement.expected + margin
      judgement.score = isMeasured(x) ? Math.abs(x - state.mean) / scale : NaN
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      const gain = Math.max(alpha, 1 / (state.count + 1))
      const limit = state.count >= WARM_UP ? clip * scaleAt(x) : Infinity
      const error = clamp(x - state.mean, -limit, limit)
      state.mean += gain * error
      if (state.count > 0) state.variance = (1 - gain) * (state.variance + gain * error * error)
      state.count = Math.min(state.count + 1, 1e9)
    },
    snapshot: () => ({ ...state }),
  }
}
