import { DAY } from '../../duration.ts'
import type { Detector } from '../detector.ts'
import { fromStream } from '../from-stream.ts'
import { fitLearned } from './fit-learned.ts'
import type { LearnedOptions, MakeModel } from './learned-state.ts'
import { openLearned } from './learned-stream.ts'

/** A detector of a network: its streams and its fits. */
export function fromRowModel(makeModel: MakeModel, options: LearnedOptions): Detector {
  return fromStream({
    lookback: DAY,
    multivariate: true,
    open: (snapshot, models) => openLearned(makeModel, options, snapshot, models),
    fit: (snapshot, model) => fitLearned(makeModel, options, snapshot, model),
  })
}
