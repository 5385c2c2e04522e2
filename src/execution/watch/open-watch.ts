import { MINUTE } from '../../duration.ts'
import { StoreError } from '../../errors.ts'
import { type Configuration, SELF_WATCH } from '../../pipeline/configuration.ts'
import type { Store } from '../../stores/store.ts'
import type { ComputePool } from '../compute-pool.ts'
import type { Metrics } from '../metrics.ts'
import type { SourceHealth } from '../source-checks.ts'
import { flowHealth } from './health.ts'
import { measure } from './measure.ts'
import type { ProblemLog } from './problem-log.ts'
import { type Observed, type Problem, problemsNow, unknownParts, whyNotWorking } from './problems.ts'
import { recoveryOf, rememberedProblem, WATCH_DEFAULTS } from './self-watch.ts'
import { type Tracked, track } from './track.ts'

export interface WatchParts {
  readonly store: Store
  readonly metrics: Metrics
  readonly problemLog: ProblemLog
  readonly now: () => number
  readonly configuration: () => Configuration
  readonly sources: () => readonly SourceHealth[]
  readonly pool: Pick<ComputePool, 'load' | 'ready'>
}

/** Looks at the parts of the program now and then; what it saw last is what health, metrics and notifications are made of. */
export interface Watch {
  /** Never rejects: a store that fails is something that it sees. */
  look(): Promise<void>
  problems(): readonly Tracked[]
  /** Why the program is not ready; empty when it is. */
  reasons(): readonly string[]
  /** Why the watch does not do its work as a whole; empty while it does, undefined before the first look. */
  whyNotWorking(): readonly string[] | undefined
  /** A flow has written what a run found, or, with an error of the store, could not. */
  wrote(flow: string, error?: unknown): void
  /** The store was inspected, and found damaged when there is an error. */
  inspected(error?: unknown): void
}

/** Rows are counted so often, since that reads whole tables. */
const COUNT_EVERY = MINUTE

/** A thread is asked for so often. */
const ASK_POOL_EVERY = MINUTE

/** What a flow could not write says so long that the store cannot be written; a flow that runs rarely would say so for days. */
const BELIEVE_FAILED_WRITES_FOR = 5 * MINUTE

/** Goes on with the problems that the store remembers as open. */
export async function openWatch(parts: WatchParts): Promise<Watch> {
  const { store, metrics, problemLog, now, configuration, sources, pool } = parts
  const startedAt = now()
  let observed: Observed & Pick<Parameters<typeof measure>[2], 'open'> = {
    at: startedAt,
    startedAt,
    flows: [],
    channels: [],
    sources: [],
    open: [],
  }
  let storeError: string | undefined
  let damage: string | undefined
  let writtenAt = NaN
  let stats: Readonly<Record<string, number>> = {}
  let countedAt = -Infinity
  const remembered = await store.anomalies({ flow: SELF_WATCH, status: 'open' })
  let tracked: readonly Tracked[] = remembered.map(anomaly => rememberedProblem(anomaly, startedAt))

  /** By flow. A trial write is small: it still finds room where what a run found does not. */
  const failedWrites = new Map<string, { readonly at: number; readonly message: string }>()
  const failedWrite = (at: number) =>
    [...failedWrites.values()].find(failed => Math.abs(at - failed.at) < BELIEVE_FAILED_WRITES_FOR)?.message

  let poolError: string | undefined
  let poolIsAsked = false
  // The start has just asked.
  let poolAskedAt = startedAt
  /** Not waited for: while all threads are busy, the answer comes when one is free. */
  function askPool(at: number) {
    if (poolIsAsked || Math.abs(at - poolAskedAt) < ASK_POOL_EVERY) return
    poolIsAsked = true
    poolAskedAt = at
    pool
      .ready()
      .then(
        () => (poolError = undefined),
        (error: Error) => (poolError = error.message),
      )
      .finally(() => (poolIsAsked = false))
  }

  /** What the store says; what it said before when it fails. */
  async function readStore(at: number) {
    try {
      await store.probe()
      writtenAt = at
      // A clock that was set back must not end the counting.
      if (Math.abs(at - countedAt) >= COUNT_EVERY) {
        countedAt = at
        stats = await store.stats()
      }
      const [flows, channels, open] = await Promise.all([store.flows(), store.channels(), store.openCounts()])
      storeError = failedWrite(at)
      return { flows, channels, open }
    } catch (error) {
      metrics.storeErrors.inc()
      storeError = (error as Error).message
      return { flows: observed.flows, channels: observed.channels, open: observed.open }
    }
  }

  let problems: readonly Problem[] | undefined
  const reasons = () => {
    const { flows } = configuration()
    const stateOf = new Map(observed.flows.map(state => [state.flow, state]))
    const isLate = flows.map(flow => flowHealth(flow, stateOf.get(flow.name), observed.at, startedAt) === 'late')
    return [
      ...(storeError === undefined ? [] : [`the store cannot be written: ${storeError}`]),
      ...(damage === undefined ? [] : [`the structure of the store is damaged: ${damage}`]),
      ...(poolError === undefined ? [] : [`no thread computes: ${poolError}`]),
      ...(isLate.length > 0 && isLate.every(Boolean) ? ['no flow runs in time: all of them are late'] : []),
    ]
  }

  return {
    async look() {
      const at = now()
      askPool(at)
      const read = await readStore(at)
      const faults = { ...(storeError === undefined ? {} : { storeError }), ...(damage === undefined ? {} : { damage }) }
      observed = { at, startedAt, ...read, sources: sources(), ...faults }
      if (storeError === undefined) problemLog.worked('store')
      else problemLog.failed('store', storeError)
      problems = problemsNow(configuration(), observed)
      const { after } = configuration().watch ?? WATCH_DEFAULTS
      const unknown = unknownParts(configuration(), observed)
      tracked = track(tracked, problems, { now: at, after, recovery: recoveryOf(after), unknown })
      const ready = reasons().length === 0
      measure(metrics, configuration(), {
        ...observed,
        sources: sources(),
        stats,
        writtenAt,
        workers: pool.load(),
        ready,
        problems,
      })
    },
    problems: () => tracked,
    reasons,
    wrote(flow, error) {
      failedWrites.delete(flow)
      if (!(error instanceof StoreError)) return
      metrics.storeErrors.inc()
      failedWrites.set(flow, { at: now(), message: error.message })
    },
    inspected(error) {
      damage = error instanceof StoreError ? error.message : undefined
    },
    whyNotWorking() {
      const isChecked = sources().length >= Object.keys(configuration().sources).length
      return problems && isChecked ? whyNotWorking(configuration(), problems) : undefined
    },
  }
}
