import { z } from 'zod'
import { component } from '../component.ts'
import { formatDuration } from '../duration.ts'
import { duration } from '../schema.ts'
import type { Refiner } from './refiner.ts'

const config = z.strictObject({
  duration: duration().prefault('2m').meta({ description: 'what is shorter is labelled, not sent' }),
})

/** An ongoing one waits: it is labelled "so far", and the run that sees it long enough gives it without the label. */
export const minimumDuration = component({
  type: 'minimum-duration',
  summary: 'Labels anomalies that are too short to tell anyone about.',
  config,
  examples: [{}, { duration: '10m' }],
  create: (options): Refiner => ({
    refine: anomalies =>
      anomalies.map(anomaly =>
        anomaly.ignored !== undefined || anomaly.end - anomaly.start >= options.duration
          ? anomaly
          : { ...anomaly, ignored: `shorter than ${formatDuration(options.duration)}${anomaly.ongoing ? ' so far' : ''}` },
      ),
  }),
})
