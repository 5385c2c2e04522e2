import { z } from 'zod'
import { component } from '../component.ts'
import { clamp } from '../math/clamp.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  whole: z.number().positive().default(1).describe('what a share of all is: 1, or 100 for percent'),
  margin: z.number().gt(0).lt(0.5).default(0.001).describe('shares nearer to none or all than this count as this near'),
})

/** log(p / (1 − p)) of a share p: 99.9% is as far from 99% as 1% from 0.1%. What is no share (below none, above all) is unknown. */
export const logit = component<Transform, typeof config>({
  type: 'logit',
  summary: 'Log-odds of a share, so that what happens near none and near all is seen.',
  config,
  examples: [{ whole: 200 }, { whole: 1000, margin: 0.0001 }],
  create: ({ whole, margin }) =>
    fromCells({
      lookback: 0,
      start: () => ({}),
      apply(_, __, value) {
        if (value < 0 || value > whole) return NaN
        const share = clamp(value / whole, margin, 1 - margin)
        return Math.log(share / (1 - share))
      },
    }),
})
