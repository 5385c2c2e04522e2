import { z } from 'zod'
import { component } from '../component.ts'
import type { Scores } from '../detectors/detector.ts'
import { judged, type Rule } from './rule.ts'

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

/** A bound b has the strength 1 at b and 2 at a distance of |b| beyond it (of 1, when b is 0), so that a positive upper bound gives value/upper. */
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
    judge(scores: Scores) {
      const { value } = scores.columns
      return { strength: judged(scores).map((s, i) => strengthOf(s, value[i])), state: { version: 1 } }
    },
  }
}

/** Not below 0: how far on the good side a value is says nothing. */
function stronger(a: number, b: number): number {
  if (!Number.isFinite(b)) return a
  return Number.isNaN(a) ? Math.max(0, b) : Math.max(a, b)
}
