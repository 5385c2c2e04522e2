import { z } from 'zod'
import { component } from '../component.ts'
import { isBeyondMeasure, isMeasured } from '../math/is-measured.ts'
import { median } from '../math/median.ts'
import { duration } from '../schema.ts'
import type { State } from '../state.ts'
import { copyState } from '../state.ts'
import type { Emit, Transform, TransformStream } from './transform.ts'

const AGGREGATES = {
  mean: values => values.reduce((sum, value) => sum + value, 0) / values.length,
  sum: values => values.reduce((sum, value) => sum + value, 0),
  least: values => values.reduce((a, b) => Math.min(a, b)),
  most: values => values.reduce((a, b) => Math.max(a, b)),
  median: values => median(values),
  last: values => values[values.length - 1],
} as const satisfies Record<string, (values: readonly number[]) => number>

const config = z.strictObject({
  step: duration().describe('distance of the rows that come out'),
  aggregate: z
    .enum(Object.keys(AGGREGATES) as [keyof typeof AGGREGATES])
    .default('mean')
    .describe('what a row says of those it stands for'),
})

interface Bucket extends Record<string, unknown> {
  /** Time of the row that it becomes; NaN before the first row. */
  end: number
  /** Known values of each column. */
  values: number[][]
  /** The first infinite value of each column. */
  infinite?: number[]
}

/**
 * Fewer rows: one at each multiple of `step`, of the known values after the multiple before up to and with its own time, like a range of
 * Prometheus that ends there. It comes out with the row at its time, or with the first one after it; unknown when none of its values was known.
 * Where no row went in for a whole step, none comes out.
 */
export const resample = component<Transform, typeof config>({
  type: 'resample',
  summary: 'One row for each longer step: the mean, sum, least, most, median or last of the rows in it.',
  config,
  examples: [{ step: '2h' }, { step: '3h', aggregate: 'most' }, { step: '1d', aggregate: 'median' }],
  create: ({ step, aggregate }) => ({
    lookback: step,
    stepAfter: () => step,
    // A bucket whose last row is not on a multiple waits for the next row.
    delay: before => (step % before === 0 ? 0 : before),
    open: snapshot => openResample(step, AGGREGATES[aggregate], snapshot),
  }),
})

function openResample(step: number, aggregate: (values: readonly number[]) => number, snapshot?: State): TransformStream {
  const bucket: Bucket = snapshot?.version === 1 ? copyState(snapshot.bucket as Bucket) : { end: NaN, values: [] }
  let out = new Float64Array(0)
  const finish = (emit: Emit) => {
    if (out.length !== bucket.values.length) out = new Float64Array(bucket.values.length)
    for (let c = 0; c < out.length; c++) {
      const made = bucket.values[c].length > 0 ? aggregate(bucket.values[c]) : NaN
      out[c] = bucket.infinite?.[c] ?? (isMeasured(made) ? made : NaN)
    }
    const { end } = bucket
    bucket.end = NaN
    bucket.values = []
    delete bucket.infinite
    emit(end, out)
  }
  return {
    apply(time, row, emit) {
      const end = Math.ceil(time / step) * step
      if (bucket.end < end) finish(emit)
      bucket.end = end
      for (let c = 0; c < row.length; c++) {
        bucket.values[c] ??= []
        if (isMeasured(row[c])) bucket.values[c].push(row[c])
        else if (isBeyondMeasure(row[c])) {
          bucket.infinite ??= []
          bucket.infinite[c] ??= row[c]
        }
      }
      if (time === end) finish(emit)
    },
    snapshot: () => ({ version: 1, bucket: copyState(bucket) }),
  }
}
