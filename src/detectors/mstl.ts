import { z } from 'zod'
import { component } from '../component.ts'
import { DAY, WEEK } from '../duration.ts'
import { mstl as decompose } from '../math/mstl.ts'
import { duration } from '../schema.ts'
import { openDecomposed } from './decomposed.ts'
import { fromStream } from './from-stream.ts'

const config = z
  .strictObject({
    season: z
      .array(duration())
      .min(1)
      .max(3)
      .default([DAY, WEEK])
      .refine(periods => periods.every(period => period % periods[0] === 0), 'must be multiples of the first period')
      .refine(periods => periods.every((period, i) => period > (periods[i - 1] ?? 0)), 'must be periods in ascending order')
      .describe('periods of the tides, shortest first'),
    keep: z.int().min(2).max(140).default(28).describe('seasons of the shortest period that are decomposed'),
    robust: z.int().min(0).max(15).default(2).describe('passes that give outliers less weight'),
    band: z.number().positive().default(4).describe('half width of the band in robust standard deviations'),
  })
  .refine(({ season, keep }) => keep >= (3 * season.at(-1)!) / season[0] || season.length === 1, {
    path: ['keep'],
    message: 'must hold the longest period three times',
  })

/**
 * Decomposition into several seasons (Bandara, Hyndman & Bergmeir 2021), made causal as `stl` is: the last `keep` days are decomposed at the end of each
 * of the first eight and of each week. A longer season is used once it was seen three times. 288 slot means a season are kept, 8 bytes each.
 */
export const mstl = component({
  type: 'mstl',
  summary: 'Distance from the seasons of day and week that robust decomposition finds, on a level that follows the rows.',
  config,
  create: ({ season, keep, robust, band }) => {
    const options = {
      seasons: season,
      keep,
      every: 7,
      band,
      decompose: (values: Float64Array, periods: readonly number[]) =>
        decompose(values, periods, { outer: robust, jump: period => Math.ceil(period / 10) }),
    }
    return fromStream({ lookback: 4 * season[0], open: snapshot => openDecomposed(options, snapshot) })
  },
  examples: [{}, { season: ['6m', '42m'], keep: 21 }],
})
