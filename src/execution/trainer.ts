import { type Labels, seriesId } from '../anomaly.ts'
import type { Registry } from '../component.ts'
import type { Detector, FitReason } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { formatDuration, HOUR, MINUTE } from '../duration.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { configurationHash } from '../pipeline/configuration-hash.ts'
import type { Wanted } from '../pipeline/pipeline.ts'
import type { Store } from '../stores/store.ts'
import type { TrainingPool } from './training-pool.ts'

/** taken: in force now. refused: stored, worse than the one in force. failed: tried again later. cancelled: not wanted any more. */
export type FitOutcome = 'taken' | 'refused' | 'failed' | 'cancelled'

export interface RunningFit {
  readonly flow: string
  readonly detector: string
  readonly workload: Labels
  readonly reason: FitReason
  readonly startedAt: number
  /** Share that is done, 0 … 1. */
  readonly done: number
}

/** A workload whose last fit failed; the one in force, if any, goes on. */
export interface FailedFit {
  readonly flow: string
  readonly detector: string
  readonly workload: Labels
  readonly error: string
  /** Since the last fit that did not fail. */
  readonly failures: number
  /** It is not tried again before. */
  readonly until: number
}

export interface TrainingLoad {
  readonly waiting: number
  readonly running: readonly RunningFit[]
  readonly failed: readonly FailedFit[]
}

export interface TrainerParts {
  readonly store: Pick<Store, 'snapshot' | 'modelsInForce' | 'addModel'>
  readonly pool: TrainingPool
  readonly now: () => number
  /** Fits at once. */
  readonly threads: number
  /** ms after which a fit is cancelled and counts as failed. */
  readonly deadline: number
  /** Fits of one flow that wait; the rest say so again. Default 1,000. */
  readonly mostWaiting?: number
  readonly log: (level: 'info' | 'warning', message: string) => void
  readonly onEnd?: (outcome: FitOutcome, seconds: number) => void
  readonly family?: Registry<Detector>
}

/** Fits what workloads want, one after the other. Remembers nothing: who still wants a fit says so again at the next run. */
export interface Trainer {
  /** What a run of the flow wanted. What is under way, waits already, or failed a short time ago is left as it is. */
  want(config: FlowConfig, wanted: readonly Wanted[]): void
  /** The flows of the configuration in force: fits of others, or of other configurations of them, are cancelled. */
  keep(flows: readonly FlowConfig[]): void
  load(): TrainingLoad
  /** Cancels all. Resolves when nothing runs. */
  close(): Promise<void>
}

interface Job {
  readonly id: string
  readonly config: FlowConfig
  readonly wanted: Wanted
  /** Hash of the configuration that the fit is for. */
  readonly configuration: string
}

interface Running extends Job {
  readonly startedAt: number
  readonly stop: AbortController
  readonly ended: Promise<void>
  done: number
}

/** A new model may be so much worse than the one in force, which is noise of the validation. */
const TOLERANCE = 1.01
const MOST_WAITING = 1000
/** Pause after a failure, doubled with each. */
const PAUSE = MINUTE
const LONGEST_PAUSE = HOUR
/** Failures that are shown, the latest. */
const MOST_SHOWN = 20
/** Failures that are remembered; those whose pause is long over go first. */
const MOST_FAILURES = 10_000

export function openTrainer(parts: TrainerParts): Trainer {
  const { store, pool, now, threads, deadline, log, onEnd, mostWaiting = MOST_WAITING, family = detectors } = parts
  /** By flow, the flow that waits longest for a turn first. */
  const waiting = new Map<string, Map<string, Job>>()
  const running = new Map<string, Running>()
  const failed = new Map<string, FailedFit & { readonly configuration: string }>()
  let isClosed = false

  const hashes = new WeakMap<FlowConfig, Map<string, string | undefined>>()
  const hashOf = (config: FlowConfig, name: string) => {
    const known = hashes.get(config) ?? new Map<string, string | undefined>()
    hashes.set(config, known)
    const part = config.detect.find(one => one.name === name)
    if (!known.has(name)) known.set(name, part && configurationHash(config, part, family))
    return known.get(name)
  }

  function start(): void {
    while (!isClosed && running.size < threads) {
      const job = take()
      if (!job) return
      const stop = new AbortController()
      const startedAt = now()
      const ended = Promise.resolve().then(() => run(job, stop, startedAt))
      running.set(job.id, { ...job, startedAt, stop, ended, done: 0 })
    }
  }

  /** The flows take turns; within a flow, first come, first served. */
  function take(): Job | undefined {
    const [flow, jobs] = waiting.entries().next().value ?? []
    if (flow === undefined || !jobs) return undefined
    const [id, job] = jobs.entries().next().value!
    waiting.delete(flow)
    jobs.delete(id)
    if (jobs.size > 0) waiting.set(flow, jobs)
    return job
  }

  async function run(job: Job, stop: AbortController, startedAt: number): Promise<void> {
    const late = setTimeout(() => stop.abort(new TooLong(deadline)), deadline)
    let outcome: FitOutcome | undefined
    try {
      outcome = await fit(job, stop.signal, startedAt)
      failed.delete(job.id)
    } catch (error) {
      outcome = stop.signal.aborted && !(stop.signal.reason instanceof TooLong) ? 'cancelled' : 'failed'
      if (outcome === 'failed') noteFailure(job, error as Error)
    }
    clearTimeout(late)
    running.delete(job.id)
    if (outcome) onEnd?.(outcome, (now() - startedAt) / 1000)
    start()
  }

  /** Undefined when it was not wanted any more when its turn came. */
  async function fit(job: Job, signal: AbortSignal, startedAt: number): Promise<FitOutcome | undefined> {
    const { config, configuration, wanted } = job
    const { detector, workload, labels, reason } = wanted
    const flow = config.name
    const [inForce] = await store.modelsInForce(flow, { detector, workload })
    const model = inForce?.configuration === configuration ? inForce : undefined
    if (!Object.is(model?.tried ?? NaN, wanted.tried)) return undefined
    const snapshot = await store.snapshot(flow, labels, detector)
    if (!snapshot) return undefined
    const result = await pool.fit(
      {
        config,
        detector,
        snapshot: snapshot.state,
        ...(model ? { model: { version: model.version, state: model.state } } : {}),
      },
      done => {
        const one = running.get(job.id)
        if (one) one.done = done
      },
      signal,
    )
    signal.throwIfAborted()
    if (!result) throw new Error('a fit must have enough rows with values, got too few')
    if (!Number.isFinite(result.validation)) throw new Error(`a fit must have a validation error, got ${result.validation}`)
    const [stillInForce] = await store.modelsInForce(flow, { detector, workload })
    // Somebody took another one back in the meantime: this one was not compared with it.
    if (stillInForce?.version !== inForce?.version) return 'cancelled'
    const taken = isNotWorse(result.validation, result.current)
    const { state, range, rows, validation, current } = result
    const added = await store.addModel(
      {
        flow,
        detector,
        workload,
        reason,
        createdAt: now(),
        range,
        rows,
        configuration,
        validation,
        ...(current === undefined ? {} : { current }),
        seconds: (now() - startedAt) / 1000,
        state,
      },
      taken,
    )
    const against = current === undefined ? '' : ` against ${short(current)} of the one in force`
    log(
      'info',
      `flow ${flow}: ${detector} of ${seriesId(workload)}: model ${added.version} ${taken ? 'taken' : 'refused'}, error ${short(validation)}${against} (${reason}, ${rows} rows, ${short(added.seconds)} s)`,
    )
    return taken ? 'taken' : 'refused'
  }

  function noteFailure(job: Job, error: Error): void {
    const { id, config, configuration, wanted } = job
    const { detector, workload } = wanted
    const failures = (failed.get(id)?.failures ?? 0) + 1
    const pause = Math.min(LONGEST_PAUSE, PAUSE * 2 ** (failures - 1))
    const until = now() + pause
    failed.delete(id)
    failed.set(id, { flow: config.name, detector, workload, error: error.message, failures, until, configuration })
    if (failed.size > MOST_FAILURES) failed.delete(failed.keys().next().value!)
    log(
      'warning',
      `flow ${config.name}: ${detector} of ${seriesId(workload)} was not fitted, again in ${pause / MINUTE} min at the earliest: ${error.message}`,
    )
  }

  return {
    want(config, wanted) {
      if (isClosed) return
      const jobs = waiting.get(config.name) ?? new Map<string, Job>()
      for (const one of wanted) {
        const id = `${config.name}\n${one.detector}\n${seriesId(one.workload)}`
        const configuration = hashOf(config, one.detector)
        if (configuration === undefined || running.has(id) || (failed.get(id)?.until ?? -Infinity) > now()) continue
        if (!jobs.has(id) && jobs.size >= mostWaiting) continue
        // One that waits keeps its place, and learns from the series that knows most now.
        jobs.set(id, { id, config, wanted: one, configuration })
      }
      if (jobs.size > 0) waiting.set(config.name, jobs)
      start()
    },
    keep(flows) {
      const isConfigured = (flow: string, detector: string, configuration: string) => {
        const next = flows.find(({ name }) => name === flow)
        return next !== undefined && hashOf(next, detector) === configuration
      }
      const isKept = ({ config, wanted, configuration }: Job) =>
        isConfigured(config.name, wanted.detector, configuration) &&
        JSON.stringify(flows.find(({ name }) => name === config.name)!.replicas) === JSON.stringify(config.replicas)
      for (const [flow, jobs] of waiting) {
        for (const [id, job] of jobs) if (!isKept(job)) jobs.delete(id)
        if (jobs.size === 0) waiting.delete(flow)
      }
      for (const job of running.values()) if (!isKept(job)) job.stop.abort(new Error('the flow is not configured so any more'))
      for (const [id, { flow, detector, configuration }] of failed)
        if (!isConfigured(flow, detector, configuration)) failed.delete(id)
    },
    load: () => ({
      waiting: [...waiting.values()].reduce((sum, jobs) => sum + jobs.size, 0),
      running: [...running.values()].map(({ config, wanted: { detector, workload, reason }, startedAt, done }) => ({
        flow: config.name,
        detector,
        workload,
        reason,
        startedAt,
        done,
      })),
      failed: [...failed.values()].slice(-MOST_SHOWN).map(({ flow, detector, workload, error, failures, until }) => ({
        flow,
        detector,
        workload,
        error,
        failures,
        until,
      })),
    }),
    async close() {
      isClosed = true
      waiting.clear()
      for (const { stop } of running.values()) stop.abort(new Error('the service is stopping'))
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
  }
}

class TooLong extends Error {
  constructor(deadline: number) {
    super(`a fit must end within its deadline of ${formatDuration(deadline)}, got no result`)
  }
}

/** Claims that a new model may take over; also where the one in force has no error, since it cannot judge these rows. */
export function isNotWorse(validation: number, current: number | undefined): boolean {
  return current === undefined || Number.isNaN(current) || validation <= current * TOLERANCE
}

const short = (value: number) => String(Number(value.toPrecision(3)))
