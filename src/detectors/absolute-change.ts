import { z } from 'zod'
import { component } from '../component.ts'
import { baselineOptions, checkBuckets, compareWithBaseline } from './baseline/baseline.ts'

const config = z
  .strictObject({
    ...baselineOptions,
    change: z.number().min(1e-12).describe('the limit, in the unit of the metric'),
  })
  .superRefine(checkBuckets)

/** The absolute change rule of ThirdEye: |value − earlier| in limits, so 1 is the limit. Departure: rows are compared with bucket means. */
export const absoluteChange = component({
  type: 'absolute-change',
  summary:
    'Change against the same time one or several hours, days, weeks or months ago, in the unit of the metric; 1 is the limit.',
  config,
  create: options => compareWithBaseline(options, () => options.change),
  examples: [{ change: 0.15 }, { offset: 'median7d', change: 0.1, bucket: '30m' }],
})
