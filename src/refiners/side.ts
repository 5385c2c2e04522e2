import { z } from 'zod'
import { component } from '../component.ts'
import type { Refiner } from './refiner.ts'

const config = z.strictObject({
  bad: z
    .enum(['up', 'down', 'both'])
    .default('both')
    .meta({ description: 'the side of what is expected that people are told of' }),
})

/** Keeps good news from waking people: an anomaly on the other side is ignored, with the reason. One without a direction, like silence, is not. */
export const side = component<Refiner, typeof config>({
  type: 'side',
  summary: 'Ignores what is strange on the good side: a cache that hits more often is no trouble.',
  config,
  examples: [{}, { bad: 'up' }, { bad: 'down' }],
  create: ({ bad }) => ({
    refine: anomalies =>
      anomalies.map(anomaly =>
        bad === 'both' || anomaly.direction === bad || anomaly.direction === 'none' || anomaly.ignored !== undefined
          ? anomaly
          : { ...anomaly, ignored: `only ${bad} is bad` },
      ),
  }),
})
