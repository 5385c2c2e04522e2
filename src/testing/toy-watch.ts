import type { Labels } from '../anomaly.ts'
import { DAY, MINUTE } from '../duration.ts'
import { flowRange, runFlow } from '../execution/run-flow.ts'
import { openReader } from '../execution/store-reader.ts'
import { type FitOutcome, openTrainer } from '../execution/trainer.ts'
import type { TrainingPool } from '../execution/training-pool.ts'
import { runFit } from '../execution/training-worker.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import { fromFrames } from '../sources/memory.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Store } from '../stores/store.ts'
import { toyDetectors } from './toy-learner.ts'

const START = Date.UTC(2026, 0, 5)
export const at = (row: number) => START + row * MINUTE
/** Labels of a pod, and what is left of them for its workload. */
export const POD = { __name__: 'rps', job: 'dns', pod: 'a' }
export const WORKLOAD = { __name__: 'rps', job: 'dns' }

/** A flow with the toy, named `f`. */
export const toyFlow = (options: object = {}, more: Partial<FlowConfig> = {}): FlowConfig => ({
  name: 'f',
  every: MINUTE,
  query: { source: 's', expr: 'rps', step: MINUTE },
  detect: [{ type: 'toy-learner', name: 'toy', ...options }],
  rule: { type: 'threshold', limit: 40 },
  refine: [],
  notify: [],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 5 * MINUTE,
  keep: DAY,
  deadline: 10_000,
  forget: DAY,
  ...more,
})

/** 100 or 101 by turns; 300 or 301 from a row on. */
export const toySeries = (labels: Labels = POD, { from = 0, to = 600, moves = Infinity } = {}): Frame<'value'> =>
  fromValues(
    Float64Array.from({ length: to - from }, (_, i) => at(from + i)),
    Float64Array.from({ length: to - from }, (_, i) => (from + i >= moves ? 300 : 100) + (i % 2)),
    labels,
  )

/** Fits in this thread, one macrotask later. */
export const inline: TrainingPool = {
  fit: async (task, onProgress) => {
    await new Promise(setImmediate)
    return runFit(task, onProgress, toyDetectors)
  },
  close: async () => {},
}

export interface ToyWatchOptions {
  readonly pool?: TrainingPool
  readonly threads?: number
  readonly deadline?: number
  readonly mostWaiting?: number
  readonly store?: Store
}

/** Runs flows of the toy and fits what they want, by a clock that is moved by hand. */
export function watchToys(
  frames: readonly Frame<'value'>[],
  { pool = inline, threads = 1, deadline = MINUTE, mostWaiting = 100, store = fromMemory() }: ToyWatchOptions = {},
) {
  let time = at(0)
  const log: string[] = []
  const ends: FitOutcome[] = []
  const trainer = openTrainer({
    store,
    pool,
    threads,
    deadline,
    mostWaiting,
    now: () => time,
    log: (_level, message) => log.push(message),
    onEnd: outcome => ends.push(outcome),
    family: toyDetectors,
  })
  const reader = openReader({ s: fromFrames(frames) }, store)
  const world = {
    store,
    trainer,
    log,
    ends,
    async run(config: FlowConfig, row: number) {
      time = at(row)
      const pipeline = flowPipeline(config, 30 * MINUTE, async (given, input) => computeFlow(given, input, toyDetectors), {
        models: true,
        family: toyDetectors,
      })
      const state = await store.flow(config.name)
      const range = flowRange(config, state?.watermark ?? NaN, time)
      await runFlow(
        { config, pipeline, reader, store, now: () => time, onWanted: wanted => trainer.want(config, wanted) },
        range,
        new AbortController().signal,
      )
    },
    /** Resolves when no fit waits or runs. */
    async settle() {
      const isBusy = ({ waiting, running } = trainer.load()) => waiting > 0 || running.length > 0
      while (isBusy()) await new Promise(resolve => setTimeout(resolve, 1))
    },
    /** Runs every five minutes; each run's fits end before the next. */
    async live(config: FlowConfig, from: number, to: number) {
      for (let row = from; row <= to; row += 5) {
        await world.run(config, row)
        await world.settle()
      }
    },
    async models() {
      return (await store.models()).map(({ version, status, reason }) => `${version} ${status} ${reason}`)
    },
    async scores(row: number, labels: Readonly<Record<string, string>> = POD) {
      const points = await store.points('f', labels, 'toy', { start: at(row), end: at(row + 1) })
      return points?.columns.score[0]
    },
  }
  return world
}
