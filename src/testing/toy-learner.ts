import { z } from 'zod'
import { component, type Registry, registry } from '../component.ts'
import { absence } from '../detectors/absence.ts'
import type { Detector, Fit, Model, Models, State, Stream } from '../detectors/detector.ts'
import { ewma } from '../detectors/ewma.ts'
import { fromStream } from '../detectors/from-stream.ts'

const config = z.strictObject({
  warmUp: z.int().default(20).describe('rows before the first fit'),
  refit: z.int().default(50).describe('rows between fits'),
  drift: z.number().default(20).describe('distance from the model that is drift'),
  fails: z.enum(['no', 'throws', 'hangs', 'worse']).default('no').describe('what its fits do'),
})

interface Memory extends State {
  readonly known: readonly number[]
  readonly fresh: number
  readonly tried: number
  readonly last: number
}

/**
 * The simplest detector with fits: its model is the mean of the rows that it remembers, and the score is the distance from it; NaN without a model.
 * For tests of what is done with models.
 */
export const toyLearner = component({
  type: 'toy-learner',
  summary: 'Distance from the mean of the rows that the last fit learned.',
  config,
  create: options =>
    fromStream({
      lookback: 0,
      open: (snapshot, models) => openToy(options, snapshot as Memory | undefined, models),
      fit: (snapshot, model) => fitToy(options, snapshot as Memory, model),
    }),
  examples: [{}],
})

/** Detectors of tests of models: the toy beside a real one that has none. */
export const toyDetectors: Registry<Detector> = registry<Detector>(toyLearner, ewma, absence)

type Options = z.output<typeof config>

function openToy({ warmUp, refit, drift }: Options, snapshot?: Memory, models: Models = { tried: NaN }): Stream {
  const isNew = !Object.is(models.tried, snapshot?.tried)
  let memory: Memory = {
    version: 1,
    known: snapshot?.known ?? [],
    fresh: isNew ? (Number.isNaN(models.tried) ? (snapshot?.known.length ?? 0) : 0) : snapshot!.fresh,
    tried: models.tried,
    last: snapshot?.last ?? NaN,
  }
  const mean = models.model ? Number(models.model.state.mean) : NaN
  return {
    score: (_time, row) => ({
      score: Math.abs(row[0] - mean),
      value: row[0],
      expected: mean,
      lower: mean - drift,
      upper: mean + drift,
    }),
    learn(time, row) {
      if (Number.isNaN(row[0])) return
      memory = { ...memory, known: [...memory.known.slice(-199), row[0]], fresh: memory.fresh + 1, last: time }
    },
    snapshot: () => structuredClone(memory),
    wants() {
      const { known, fresh } = memory
      if (!models.model) return known.length >= warmUp ? 'first' : undefined
      if (fresh >= refit) return 'schedule'
      return fresh >= 10 && known.slice(-10).every(value => Math.abs(value - mean) > drift) ? 'drift' : undefined
    },
  }
}

function* fitToy(
  { warmUp, fails }: Options,
  { known, last }: Memory,
  model: Model | undefined,
): Generator<number, Fit | undefined> {
  for (let i = 0; i < 4; i++) yield i / 4
  if (fails === 'throws') throw new Error('a toy must not be fitted, got it all the same')
  while (fails === 'hangs');
  if (known.length < warmUp) return undefined
  const learned = known.slice(-warmUp)
  const mean = learned.reduce((sum, value) => sum + value, 0) / learned.length
  const errorOf = (centre: number) => learned.reduce((sum, value) => sum + Math.abs(value - centre), 0) / learned.length
  return {
    state: { version: 1, mean },
    range: { start: last - learned.length, end: last + 1 },
    rows: learned.length,
    validation: errorOf(mean) + (fails === 'worse' ? 1000 : 0),
    ...(model ? { current: errorOf(Number(model.state.mean)) } : {}),
  }
}
