import { z } from 'zod'
import type { Anomaly } from '../anomaly.ts'
import { component } from '../component.ts'
import { duration } from '../schema.ts'
import type { Refiner } from './refiner.ts'

/** Gap of `merge` in steps, unless a duration is given. */
export const GAP_STEPS = 5

const config = z.strictObject({
  gap: duration().optional().meta({ description: 'anomalies with so little calm between them are one; default five steps' }),
  longest: duration().prefault('1w').meta({ description: 'two are not made into one that is longer' }),
  direction: z.enum(['any', 'same']).default('any').meta({ description: 'whether a rise and a fall may be one' }),
})

/**
 * Neighbours become one, from left to right; numbers are those of the stronger (the earlier, of equals). Shape, numbers and sentence
 * spoke of a part only and are left out: let `shape` come after. Ignored ones merge only with neighbours ignored for the same reason.
 */
export const merge = component({
  type: 'merge',
  summary: 'Makes anomalies that are close together one.',
  config,
  examples: [{}, { gap: '10m', longest: '1d' }, { gap: '3m', direction: 'same' }],
  create: (options): Refiner => ({
    refine(anomalies, { step }) {
      const gap = options.gap ?? GAP_STEPS * step
      const merged: Anomaly[] = []
      for (const next of anomalies) {
        const last = merged.at(-1)
        if (last && belong(last, next, gap, options)) merged[merged.length - 1] = join(last, next)
        else merged.push(next)
      }
      return merged
    },
  }),
})

function belong(a: Anomaly, b: Anomaly, gap: number, { longest, direction }: z.output<typeof config>): boolean {
  return (
    b.start - a.end <= gap &&
    Math.max(a.end, b.end) - a.start <= longest &&
    (direction === 'any' || a.direction === b.direction) &&
    a.ignored === b.ignored
  )
}

//  a  ├────┤
//  b        ├──────┤
//  =  ├────────────┤  peak and numbers of the stronger
function join(a: Anomaly, b: Anomaly): Anomaly {
  const { shape: _, numbers: __, sentence: ___, ...stronger } = b.strength > a.strength ? b : a
  return {
    ...stronger,
    start: a.start,
    end: Math.max(a.end, b.end),
    score: Number.isNaN(a.score) ? b.score : Number.isNaN(b.score) ? a.score : Math.max(a.score, b.score),
    ongoing: a.ongoing || b.ongoing,
  }
}
