import { z } from 'zod'
import { component } from '../component.ts'
import { checkLearned, learnedConfig, smallExample } from './learned/learned-config.ts'
import { fromRowModel } from './learned/learned-detector.ts'
import { reconstructRows } from './learned/row-model.ts'

const config = z
  .strictObject({
    ...learnedConfig,
    cell: z.enum(['lstm', 'gru']).default('lstm').describe('kind of the recurrent layers'),
  })
  .check(({ value, issues }) => checkLearned(value, issues))

/**
 * Error of the last row of a window when a recurrent autoencoder has put the window through one vector (Malhotra et al. 2016: EncDec-AD; Hochreiter &
 * Schmidhuber 1997; GRU: Cho et al. 2014). Learned from the last rows at 512 rows, at twice as many, and so on, then every 4,096, the weights going on
 * from those before. Scores, scales and `channel`: see `openLearned`; 1 is usual.
 *
 * Memory of a stream: 8 bytes times memory × columns and 4 bytes a weight, about (8 units + columns) × 4 × units; where models are given, 8 bytes times
 * memory more and no weights.
 */
export const lstmAutoencoder = component({
  type: 'lstm-autoencoder',
  summary: 'What a recurrent autoencoder cannot reconstruct of the last rows of all columns.',
  config,
  create: options => fromRowModel(columns => reconstructRows({ ...options, columns }), options),
  examples: [smallExample],
})
