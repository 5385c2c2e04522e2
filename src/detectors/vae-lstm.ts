import { z } from 'zod'
import { component } from '../component.ts'
import { checkLearned, learnedConfig, smallExample } from './learned/learned-config.ts'
import { fromRowModel } from './learned/learned-detector.ts'
import { reconstructProbably } from './learned/row-model.ts'

const config = z
  .strictObject({
    ...learnedConfig,
    latent: z.int().min(4).max(128).multipleOf(4).default(8).describe('numbers of the code, in fours'),
  })
  .check(({ value, issues }) => checkLearned(value, issues))

/**
 * Reconstruction probability of the last row of a window under a variational autoencoder whose encoder and decoder are LSTMs (Park, Hoshi & Kemp
 * 2018; reconstruction probability: An & Cho 2015), in the deviations that the decoder gives itself, by eight draws of the code. Fits, scores, scales
 * and `channel` as `lstm-autoencoder`; draws have a fixed seed, so a row has one score.
 */
export const vaeLstm = component({
  type: 'vae-lstm',
  summary: 'How improbable the last row of all columns is to a variational autoencoder of LSTMs.',
  config,
  create: options => fromRowModel(columns => reconstructProbably({ ...options, cell: 'lstm', columns }), options),
  examples: [{ ...smallExample, latent: 4 }],
})
