import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { stl as decompose } from '../math/stl.ts'
import { duration } from '../schema.ts'
import { openDecomposed } from './decomposed.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  season: duration().default(DAY).describe('period of the tide'),
  keep: z.int().min(2).max(60).default(7).describe('seasons that are decomposed'),
  robust: z.int().min(0).max(15).default(5).describe('passes that give outliers less weight'),
  band: z.number().positive().default(4).describe('half width of the band in robust standard deviations'),
})

/**
 * Seasonal-trend decomposition by loess (Cleveland et al. 1990), made causal: the last `keep` seasons are decomposed whenever a season ends (by the
 * clock, not by where a range begins), and the mean of their cycles is expected again, on a level that follows the rows. A season too weak to be told from
 * noise is left out. Undecided for two to three seasons. 288 slot means a season are kept, 8 bytes each.
 */
export const stl = component({
  type: 'stl',
  summary: 'Distance from the season that robust decomposition finds in the last ones, on a level that follows the rows.',
  config,
  create: ({ season, keep, robust, band }) => {
    const options = {
      seasons: [season],
      keep,
      every: 1,
      band,
      decompose: (values: Float64Array, [period]: readonly number[]) => {
        const { seasonal, trend } = decompose(values, { period, outer: robust, jump: Math.ceil(period / 10) })
        return { seasonals: [seasonal], trend }
      },
    }
    return fromStream({ lookback: 4 * season, open: snapshot => openDecomposed(options, snapshot) })
  },
  examples: [{}, { season: '6m', keep: 3, robust: 0 }],
})
