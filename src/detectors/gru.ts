import { z } from 'zod'
import { component } from '../component.ts'
import { checkLearned, learnedConfig, smallExample } from './learned/learned-config.ts'
import { fromRowModel } from './learned/learned-detector.ts'
import { forecastRows } from './learned/row-model.ts'

const config = z.strictObject(learnedConfig).check(({ value, issues }) => checkLearned(value, issues))

/**
 * Error of a row when a GRU predicts it from the rows before (Cho et al. 2014). Fits, scores, scales and `channel` as `lstm-autoencoder`;
 * what is expected of a row is known before it comes.
 */
export const gruForecaster = component({
  type: 'gru',
  summary: 'Error of the next row of all columns when a GRU predicts it from the last rows.',
  config,
  create: options => fromRowModel(columns => forecastRows({ ...options, cell: 'gru', columns }), options),
  examples: [smallExample],
})
