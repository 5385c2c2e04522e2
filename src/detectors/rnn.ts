import { z } from 'zod'
import { component } from '../component.ts'
import { checkLearned, learnedConfig, smallExample } from './learned/learned-config.ts'
import { fromRowModel } from './learned/learned-detector.ts'
import { forecastRows } from './learned/row-model.ts'

const config = z.strictObject(learnedConfig).check(({ value, issues }) => checkLearned(value, issues))

/**
 * Error of a row when a plain recurrent network predicts it from the rows before (Elman 1990). Fits, scores, scales and `channel` as `lstm-autoencoder`;
 * what is expected of a row is known before it comes.
 */
export const rnnForecaster = component({
  type: 'rnn',
  summary: 'Error of the next row of all columns when a plain recurrent network predicts it from the last rows.',
  config,
  create: options => fromRowModel(columns => forecastRows({ ...options, cell: 'rnn', columns }), options),
  examples: [smallExample],
})
