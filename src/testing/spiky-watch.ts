import { SECOND } from '../duration.ts'
import type { Dispatcher } from '../execution/dispatcher.ts'
import { runWithHistory } from '../execution/first-look.ts'
import { openScheduler } from '../execution/scheduler.ts'
import { openReader } from '../execution/store-reader.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import type { Source } from '../sources/source.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Message, Store } from '../stores/store.ts'
import { toyFlow } from './toy-watch.ts'

const START = Date.UTC(2026, 0, 5) / SECOND
const SERIES = ['a', 'b', 'c']
/** Each series has a spike every so many seconds, of so many seconds. */
export interface Spikes {
  readonly every: number
  readonly length: number
}

/** nothing: no series. nulls: no value that is a number. part: not the first series. torn: not the rows before the newest. error: no answer. */
export type SpikyLie = 'nothing' | 'nulls' | 'part' | 'torn' | 'error'

/** A flow of a row a second over series whose spikes are known, by a clock that is set by hand. Seconds count from the beginning of the watch. */
export interface SpikyWatch {
  /** What the outside world does wrong. */
  readonly world: { lie: SpikyLie | undefined; isLocked: boolean; clockOff: number }
  /** What people heard: `opened a at 9`. */
  readonly messages: readonly string[]
  readonly store: Store
  second(): number
  /** Lets so many seconds pass, with a tick in each. */
  pass(seconds: number): Promise<void>
  /** Lets so many seconds pass while nothing runs, and starts anew with what is stored. */
  restart(seconds?: number): Promise<void>
}

const STEP = { step: SECOND }
export const spikyFlow: FlowConfig = toyFlow(
  {},
  {
    every: SECOND,
    query: { source: 's', expr: 'spikes', ...STEP },
    detect: [{ type: 'ewma', name: 'ewma' }],
    rule: { type: 'threshold', upper: 50 },
    refine: [{ type: 'merge' }],
    notify: ['people'],
    reexamine: 4 * SECOND,
    lookback: 30 * SECOND,
  },
)

export async function watchSpikes({ every, length }: Spikes, config: FlowConfig = spikyFlow): Promise<SpikyWatch> {
  const valueAt = (at: number) => (at % every < length ? 100 : 10 + (at % 3))
  const truth = fromMemory()
  const world: SpikyWatch['world'] = { lie: undefined, isLocked: false, clockOff: 0 }
  let second = 0
  const now = () => (START + second) * SECOND + 200 + world.clockOff
  const store = whileUnlocked(truth, () => world.isLocked)
  const source = sourceOf(world, () => (START + second) * SECOND, valueAt)
  const messages: string[] = []
  const runs: Promise<unknown>[] = []
  const start = async () => {
    const pipeline = flowPipeline(config, config.lookback!, async (given, input) => computeFlow(given, input))
    const reader = openReader({ s: source }, store)
    const dispatch: Dispatcher['dispatch'] = ({ range }, signal) => {
      const done = runWithHistory({ config, pipeline, reader, store, now }, range, signal).then(() => {})
      runs.push(done)
      return done
    }
    const dispatcher: Dispatcher = { dispatch, cancel: async () => {}, close: async () => {} }
    const scheduler = openScheduler({ store, dispatcher, now, onDone: () => {}, onError: () => {} })
    await scheduler.schedule([config])
    return scheduler
  }
  let scheduler = await start()
  const deliver = async () => {
    for (let due: readonly Message[]; (due = await truth.outbox('people', now())).length > 0; )
      for (const { id, kind, anomaly } of due) {
        messages.push(`${kind} ${anomaly.labels.n} at ${anomaly.start / SECOND - START}`)
        await truth.delivered(id, now())
      }
  }
  const { signal } = new AbortController()
  const watch: SpikyWatch = {
    world,
    messages,
    store,
    second: () => second,
    async pass(seconds) {
      for (const end = second + seconds; second < end; ) {
        second++
        await scheduler.tick(signal).catch(() => {})
        // The tick starts runs and does not wait for them.
        await new Promise(setImmediate)
        await Promise.allSettled(runs.splice(0))
        await new Promise(setImmediate)
        await deliver()
      }
    },
    async restart(seconds = 0) {
      second += seconds
      scheduler = await start()
    },
  }
  await watch.pass(40)
  messages.length = 0
  return watch
}

function sourceOf(world: SpikyWatch['world'], newest: () => number, valueAt: (second: number) => number): Source {
  return {
    async read({ range, step }) {
      if (world.lie === 'error') throw new Error('must answer, got 503')
      if (world.lie === 'nothing') return { frames: [], warnings: [], requests: [] }
      const times = Float64Array.from({ length: Math.round((range.end - range.start) / step) }, (_, i) => range.start + i * step)
      const isSent = (time: number) => time <= newest() && !(world.lie === 'torn' && time < newest())
      const values = times.map(time => (isSent(time) && world.lie !== 'nulls' ? valueAt(time / SECOND - START) : NaN))
      const names = world.lie === 'part' ? SERIES.slice(1) : SERIES
      const isEmpty = world.lie !== 'nulls' && values.every(Number.isNaN)
      const frames: Frame<'value'>[] = isEmpty ? [] : names.map(n => fromValues(times, values, { __name__: 'spikes', n }))
      return { frames, warnings: [], requests: [] }
    },
    latest: async () => ({ frames: [], warnings: [], requests: [] }),
    names: async () => [],
    check: async () => {},
  }
}

/** A store whose methods fail while another process holds its file. */
function whileUnlocked(store: Store, isLocked: () => boolean): Store {
  return new Proxy(store, {
    get: (target, name, receiver) => {
      if (isLocked() && typeof name === 'string') return () => Promise.reject(new Error('database is locked'))
      return Reflect.get(target, name, receiver)
    },
  })
}
