import { MINUTE, SECOND } from '../../duration.ts'
import type { Configuration } from '../../pipeline/configuration.ts'
import type { Store } from '../../stores/store.ts'
import type { Metrics } from '../metrics.ts'
import type { SourceHealth } from '../source-checks.ts'
import { flowHealth } from './health.ts'
import { measure } from './measure.ts'
import type { ProblemLog } from './problem-log.ts'
import { type Observed, type Problem, problemsNow } from './problems.ts'

export interface WatchParts {
  readonly store: Store
  readonly metrics: Metrics
  readonly problemLog: ProblemLog
  readonly now: () => number
  readonly configuration: () => Configuration
  readonly sources: () => readonly SourceHealth[]
  readonly workers: () => { readonly size: number; readonly busy: number; readonly queued: number }
}

/** Looks at the parts of the program now and then; what it saw last is what health, metrics and notifications are made of. */
export interface Watch {
  /** Never rejects: a store that fails is something that it sees. */
  look(): Promise<void>
  problems(): readonly Problem[]
  /** Why the program is not ready; empty when it is. */
  reasons(): readonly string[]
}

/** A trial write is made so often. */
const PROBE_EVERY = 15 * SECOND
/** Rows are counted so often, since that reads whole tables. */
const COUNT_EVERY = MINUTE

export function openWatch({ store, metrics, problemLog, now, configuration, sources, workers }: WatchParts): Watch {
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
  let writtenAt = NaN
  let probedAt = -Infinity
  let stats: Readonly<Record<string, number>> = {}
  let countedAt = -Infinity
  let problems: readonly Problem[] = []

  /** What the store says; what it said before when it fails. */
  async function readStore(at: number) {
    try {
      // A clock that was set back must not end the trial writes.
      if (Math.abs(at - probedAt) >= PROBE_EVERY) {
        probedAt = at
        await store.probe()
        writtenAt = at
      }
      if (Math.abs(at - countedAt) >= COUNT_EVERY) {
        countedAt = at
        stats = await store.stats()
      }
      const [flows, channels, open] = await Promise.all([store.flows(), store.channels(), store.openCounts()])
      if (probedAt === writtenAt) storeError = undefined
      return { flows, channels, open }
    } catch (error) {
      metrics.storeErrors.inc()
      storeError = (error as Error).message
      return { flows: observed.flows, channels: observed.channels, open: observed.open }
    }
  }

  const reasons = () => {
    const { flows } = configuration()
    const stateOf = new Map(observed.flows.map(state => [state.flow, state]))
    const isLate = flows.map(flow => flowHealth(flow, stateOf.get(flow.name), observed.at, startedAt) === 'late')
    return [
      ...(storeError === undefined ? [] : [`the store cannot be written: ${storeError}`]),
      ...(isLate.length > 0 && isLate.every(Boolean) ? ['no flow runs in time: all of them are late'] : []),
    ]
  }

  return {
    async look() {
      const at = now()
      const read = await readStore(at)
      observed = { at, startedAt, ...read, sources: sources(), ...(storeError === undefined ? {} : { storeError }) }
      if (storeError === undefined) problemLog.worked('store')
      else problemLog.failed('store', storeError)
      problems = problemsNow(configuration(), observed)
      const ready = reasons().length === 0
      measure(metrics, configuration(), {
        ...observed,
        sources: sources(),
        stats,
        writtenAt,
        workers: workers(),
        ready,
        problems,
      })
    },
    problems: () => problems,
    reasons,
  }
}
