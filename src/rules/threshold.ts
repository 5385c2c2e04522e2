import { z } from 'zod'
import { component } from '../component.ts'
import type { Scores } from '../detectors/detector.ts'
import { isBeyondMeasure, isInfinite } from '../math/is-measured.ts'
import { judged, type Rule, UNBOUNDED } from './rule.ts'

const config = z
  .strictObject({
    limit: z.number().positive().optional().meta({ description: 'strange when score ≥ limit; 1 when no bound is given' }),
    upper: z.number().optional().meta({ description: 'strange when value ≥ upper' }),
    lower: z.number().optional().meta({ description: 'strange when value ≤ lower' }),
  })
  .refine(({ upper, lower }) => upper === undefined || lower === undefined || lower < upper, {
    message: 'lower must be less than upper',
    path: ['lower'],
  })

/** Fixed limits, nothing learned. Of several the strongest counts; one whose number is NaN says nothing. */
export const threshold = component({
  type: 'threshold',
  summary: 'Strange at or beyond a fixed score, or a fixed bound of the value.',
  config,
  examples: [{}, { limit: 6 }, { upper: 100, lower: -10 }, { limit: 4, lower: 0 }],
  create: options => fromLimits(options),
})

/**
 * A bound b has the strength 1 at b and 2 at a distance of |b| beyond it (of 1, when b is 0), so that a positive upper bound gives value/upper.
 * An infinite value is beyond the bound on its side, and beyond the limit of the score once a score was known.
 */
function fromLimits({ limit, upper, lower }: z.output<typeof config>): Rule {
  const byScore = limit ?? (upper === undefined && lower === undefined ? 1 : undefined)
  const strengthOf = (score: number, value: number): number => {
    let strongest = NaN
    if (byScore !== undefined) strongest = stronger(strongest, score / byScore)
    if (upper !== undefined) strongest = stronger(strongest, 1 + (value - upper) / (Math.abs(upper) || 1))
    if (lower !== undefined) strongest = stronger(strongest, 1 + (lower - value) / (Math.abs(lower) || 1))
    return strongest
  }
  return {
    judge(scores: Scores, state) {
      const { value } = scores.columns
      let decided = state?.decided === true
      const strength = judged(scores).map((score, i) => {
        decided ||= !Number.isNaN(score)
        const unscored = byScore !== undefined && decided && isBeyondMeasure(value[i]) && Number.isNaN(score)
        return unscored ? UNBOUNDED : strengthOf(score, value[i])
      })
      return { strength, state: { version: 1, decided } }
    },
  }
}

/** Not below 0: how far on the good side a value is says nothing. */
function stronger(a: number, b: number): number {
  if (Number.isNaN(b)) return a
  const bounded = Math.min(Math.max(0, b), isInfinite(b) ? UNBOUNDED : b)
  return Number.isNaN(a) ? bounded : Math.max(a, bounded)
}
