import { z } from 'zod'
import { component } from '../component.ts'
import type { Refiner } from './refiner.ts'

const config = z.strictObject({
  difference: z
    .number()
    .min(0)
    .default(0)
    .meta({ description: 'least distance from what was expected, in the unit of the metric' }),
})

/**
 * What never moved is strange when it moves at all: one slow query among ten thousand. Ignores it until it matters. The distance is that of the
 * strangest point, so an anomaly that grows is told once it is large enough; one whose distance is unknown, like silence, is kept.
 */
export const minimumDifference = component<Refiner, typeof config>({
  type: 'minimum-difference',
  summary: 'Ignores what is strange but too small to matter.',
  config,
  examples: [{}, { difference: 0.01 }],
  create: ({ difference }) => ({
    refine: anomalies =>
      anomalies.map(anomaly =>
        anomaly.ignored === undefined && Math.abs(anomaly.current - anomaly.expected) < difference
          ? { ...anomaly, ignored: `differs by less than ${difference}` }
          : anomaly,
      ),
  }),
})
