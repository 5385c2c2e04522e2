import { z } from 'zod'
import { component } from '../src/component.ts'
import { endWithCause } from '../src/detectors/combining/end-with-cause.ts'
import type { MultivariateTuning } from '../src/detectors/combining/open-multivariate.ts'
import { openMultivariate } from '../src/detectors/combining/open-multivariate.ts'
import type { UnivariateTuning } from '../src/detectors/combining/univariate.ts'
import { openUnivariate } from '../src/detectors/combining/univariate.ts'
import type { Detector, State, Stream } from '../src/detectors/detector.ts'
import { fromStream } from '../src/detectors/from-stream.ts'
import { seasonal } from '../src/detectors/seasonal.ts'
import { WEEK } from '../src/duration.ts'

const constants = z.record(z.string(), z.number()).default({})

/** The default detector with some of its constants moved, which its configuration does not offer. */
export const tunedDefault = component({
  type: 'tuned-default',
  summary: 'The default detector with other constants.',
  config: z.strictObject({ univariate: constants, multivariate: constants }),
  create: ({ univariate, multivariate }): Detector => {
    const parts = { openBand: seasonal.create(seasonal.config.parse({})).open!, zone: () => 0 }
    const openWidth = (width: number, snapshot?: State): Stream =>
      width === 1
        ? endWithCause(state => openUnivariate(parts, state, univariate as Partial<UnivariateTuning>), snapshot)
        : openMultivariate(parts, snapshot, multivariate as Partial<MultivariateTuning>)
    return fromStream({
      lookback: 2 * WEEK,
      multivariate: true,
      open: () => {
        let stream: Stream | undefined
        return {
          score: (time, row) => (stream ?? openWidth(row.length)).score(time, row),
          learn(time, row) {
            stream ??= openWidth(row.length)
            stream.learn(time, row)
          },
          snapshot: () => {
            throw new RangeError('a tuned default must be run from its first row, got asked for a snapshot')
          },
        }
      },
    })
  },
  examples: [{}],
})
