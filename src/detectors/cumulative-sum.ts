import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  slack: z
    .number()
    .min(0)
    .default(0.5)
    .describe('deviations that a row may be off without counting: half of the shift to be found'),
  clip: z.number().positive().default(4).describe('a row adds at most so many deviations to the sums of later rows'),
  limit: z.number().positive().default(20).describe('a sum over this restarts from the new level'),
  forget: z.number().gt(0).lt(1).default(0.001).describe('weight of the newest row in the level and the deviation'),
})

/** Rows whose median and MAD are the first level and deviation. */
const WARM_UP = 50
/** Of the level: smaller deviations are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps scores below 1,000. */
const SEEN_FLOOR = 0.001

/**
 * Two-sided cumulative sum (Page 1954; Montgomery, Introduction to Statistical Quality Control, 9.1) around a slow, clipped level: finds small
 * shifts that last. The score is the larger sum in deviations; 5 is the textbook's limit. Past `limit` the mean of the rows since the sum
 * began is the new level. A series with a tide shifts all day: take the tide out first.
 */
export const cumulativeSum = component({
  type: 'cumulative-sum',
  summary: 'Small shifts of the level that last, by two-sided cumulative sums; for series without a tide.',
  config,
  create: options => fromStream({ lookback: DAY, open: snapshot => openCumulativeSum(options, snapshot) }),
  examples: [{}, { slack: 1, limit: 10, forget: 0.01 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  count: number
  /** First rows, until the level is known; then empty. */
  first: Float64Array
  level: number
  variance: number
  /** Sums of what is above and below, in deviations, and the errors (in the unit of the metric) and rows since each was zero. */
  sums: Float64Array
  errors: Float64Array
  rows: Float64Array
}

function openCumulativeSum({ slack, clip, limit, forget }: z.output<typeof config>, snapshot?: State): Stream {
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          count: 0,
          first: new Float64Array(WARM_UP),
          level: 0,
          variance: 0,
          sums: new Float64Array(2),
          errors: new Float64Array(2),
          rows: new Float64Array(2),
        }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const scaleAt = (x: number) => Math.max(Math.sqrt(m.variance), FLOOR * Math.abs(m.level), SEEN_FLOOR * Math.abs(x), 1e-12)

  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.first.length > 0) return judgement
      const margin = (slack + 5) * scaleAt(m.level)
      judgement.expected = m.level
      judgement.lower = m.level - margin
      judgement.upper = m.level + margin
      if (!isMeasured(x)) return judgement
      const z = (x - m.level) / scaleAt(x)
      judgement.score = Math.max(0, m.sums[0] + z - slack, m.sums[1] - z - slack)
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      if (m.first.length > 0) {
        m.first[m.count++] = x
        if (m.count < WARM_UP) return
        m.level = median(m.first)
        m.variance = mad(m.first) ** 2
        m.first = new Float64Array(0)
        return
      }
      const scale = scaleAt(x)
      const error = clamp(x - m.level, -clip * scale, clip * scale)
      for (const side of [0, 1]) {
        const away = (side === 0 ? error : -error) / scale
        m.sums[side] = Math.max(0, m.sums[side] + away - slack)
        const counts = m.sums[side] > 0
        m.errors[side] = counts ? m.errors[side] + (x - m.level) : 0
        m.rows[side] = counts ? m.rows[side] + 1 : 0
      }
      const side = m.sums[0] >= m.sums[1] ? 0 : 1
      if (m.sums[side] > limit) {
        m.level += m.errors[side] / m.rows[side]
        m.sums.fill(0)
        m.errors.fill(0)
        m.rows.fill(0)
        return
      }
      m.level += forget * error
      m.variance += forget * (error * error - m.variance)
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
