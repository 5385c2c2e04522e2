import { z } from 'zod'
import type { Anomaly } from '../anomaly.ts'
import { component } from '../component.ts'
import { classify } from './classify.ts'
import type { Refiner } from './refiner.ts'
import { writeSentence } from './sentence.ts'

const config = z.strictObject({
  name: z.string().optional().meta({ description: 'name for series whose labels have none' }),
  unit: z.string().optional().meta({ description: '1/s, s, bytes, ratio, %, count, or any word' }),
  summary: z.string().optional().meta({ description: 'what the series is in words, instead of its name' }),
})

/**
 * Says of each anomaly what it looks like, with these `numbers` (in the unit of the metric; what is unknown is left out):
 * spike, dip: `change` (current − expected), `ratio` (current / expected);
 * level-shift: `before`, `after`, `change`, `ratio`;
 * trend: `from`, `to`, `perHour`;
 * variance: `low`, `high` (values), `usual`, `now` (mean distances from what is expected), `ratio`;
 * season-broken: `swing` (highest − lowest value), `usualSwing` (the same of what is expected), `correlation`;
 * silence (missing data): `missing` (ms without data, change or life), `every` (ms between samples), `since` (time of the last row with data or
 * change); beside others `siblings` of `expected` (series of the flow with data now, and expected); for a workload or a flow as a
 * whole `live` of `known` in the same way.
 */
export const shape = component({
  type: 'shape',
  summary: 'Names the shape of each anomaly and writes its sentence.',
  config,
  examples: [{}, { unit: '1/s', name: 'dns-requests' }, { unit: 'ratio', summary: 'Share of answers that are SERVFAIL' }],
  create: ({ name, unit, summary }): Refiner => ({
    refine(anomalies, context) {
      const now = context.scores.times.at(-1)
      const common = {
        ...(name === undefined ? {} : { name }),
        ...(unit === undefined ? {} : { unit }),
        ...(summary === undefined ? {} : { summary }),
      }
      return anomalies.map(anomaly => {
        const lasting = { ...anomaly.wording, ...common }
        const wording = { ...lasting, ...(now === undefined ? {} : { now }) }
        // Of several columns the values are now of one and now of another, which has no shape.
        const shaped: Anomaly = anomaly.columns ? anomaly : { ...anomaly, ...classify(anomaly, context) }
        return { ...shaped, wording: lasting, sentence: writeSentence(shaped, wording) }
      })
    },
  }),
})
