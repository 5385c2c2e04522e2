import { z } from 'zod'
import { component } from '../component.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  unit: z.number().positive().default(1).describe('values much smaller than it stay in proportion, larger ones are compressed'),
})

/**
 * log(1 + x / unit), mirrored below zero, so that zero stays zero and a fall to zero stays a fall. For what varies by factors: sizes, latencies,
 * request rates from nothing to thousands.
 */
export const log = component<Transform, typeof config>({
  type: 'log',
  summary: 'Logarithm of 1 + x / unit, so that factors become distances; zero stays zero.',
  config,
  examples: [{}, { unit: 0.001 }],
  create: ({ unit }) =>
    fromCells({
      lookback: 0,
      start: () => ({}),
      apply: (_, __, value) => Math.sign(value) * Math.log1p(Math.abs(value) / unit),
    }),
})
