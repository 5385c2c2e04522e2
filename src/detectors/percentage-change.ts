import { z } from 'zod'
import { component } from '../component.ts'
import { baselineOptions, checkBuckets, compareWithBaseline } from './baseline/baseline.ts'

const config = z
  .strictObject({
    ...baselineOptions,
    change: z.number().positive().default(0.1).describe('the limit, as a share of the earlier value: 0.1 is ten percent'),
  })
  .superRefine(checkBuckets)

/** Of the value seen: a series that was zero changes by at most 1,000 times itself. */
const SEEN_FLOOR = 0.001

/**
 * The percentage rule of ThirdEye: |value − earlier| as a share of the earlier value, in limits, so 1 is the limit. Departures: rows are
 * compared with bucket means, and where the earlier value is zero the change is large instead of infinite.
 */
export const percentageChange = component({
  type: 'percentage-change',
  summary: 'Change against the same time one or several hours, days, weeks or months ago, in percent; 1 is the limit.',
  config,
  create: options =>
    compareWithBaseline(
      options,
      (expected, value) => options.change * Math.max(Math.abs(expected), SEEN_FLOOR * Math.abs(value), 1e-12),
    ),
  examples: [{}, { offset: 'mean3d', change: 0.05, bucket: '10m' }],
})
