import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { ConfigError } from '../errors.ts'
import { notifiers as notifierFamily } from '../notifiers/index.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import { flowLookback, hasModels } from '../pipeline/compute-flow.ts'
import type { CheckedPart, Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import type { Pipeline, Wanted } from '../pipeline/pipeline.ts'
import { fromOutbox } from '../responding/outbox.ts'
import { sources as sourceFamily } from '../sources/index.ts'
import type { Source } from '../sources/source.ts'
import type { Change, Store } from '../stores/store.ts'
import { openComputePool } from './compute-pool.ts'
import { openInProcessDispatcher } from './in-process-dispatcher.ts'
import { runFlow } from './run-flow.ts'
import { openScheduler } from './scheduler.ts'
import { openReader } from './store-reader.ts'
import { openTrainer, type TrainingLoad } from './trainer.ts'
import { openTrainingPool } from './training-pool.ts'

/** What the service takes from outside. */
export interface World {
  readonly now: () => number
  readonly random: () => number
  readonly fetch: typeof fetch
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void
}

export interface SourceHealth {
  readonly name: string
  readonly type: string
  readonly ok: boolean
  readonly error?: string
  readonly checkedAt: number
}

export interface ServiceHealth {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly startedAt: number
  readonly sources: readonly SourceHealth[]
  readonly workers: { readonly size: number; readonly busy: number; readonly queued: number }
  readonly training: TrainingLoad
}

export interface Service {
  readonly store: Store
  readonly metrics: Registry
  configuration(): Configuration
  health(): ServiceHealth
  /** Puts another configuration in force, all of it or (with an error) none of it. */
  reconfigure(next: Configuration): Promise<void>
  /** Ends running work, keeps the store whole. */
  close(): Promise<void>
}

/** What is made of one configuration; replaced as a whole. */
interface Assembly {
  readonly configuration: Configuration
  readonly sources: Readonly<Record<string, Source>>
  readonly notifiers: Readonly<Record<string, Notifier>>
  readonly flows: ReadonlyMap<string, { readonly config: FlowConfig; readonly pipeline: Pipeline }>
  readonly reader: ReturnType<typeof openReader>
}

const TICK = 200
const SOURCE_CHECK_EVERY = 15_000

/** Runs the flows of a configuration over a store, until closed. Owns the store from here on. */
export async function startService(first: Configuration, store: Store, folder: string, world: World): Promise<Service> {
  const { now, log } = world
  const startedAt = now()
  const stopping = new AbortController()
  const { signal } = stopping
  const pool = openComputePool(first.workers)
  const registry = new Registry()
  const metrics = describeMetrics(registry)
  const trainingPool = openTrainingPool(first.training.threads)
  const trainer = openTrainer({
    store,
    pool: trainingPool,
    now,
    ...first.training,
    log,
    onEnd(outcome, seconds) {
      metrics.fits.inc({ outcome })
      metrics.fitSeconds.observe(seconds)
    },
  })
  describeTraining(registry, trainer.load)

  const assemble = (configuration: Configuration): Assembly => {
    const sources = make(sourceFamily, configuration.sources, { fetch: world.fetch, now, sleep: world.sleep, folder })
    const notifiers = make(notifierFamily, configuration.notifiers, {
      fetch: world.fetch,
      now,
      log: (line: string) => log('info', line),
      externalUrl: configuration.server.externalUrl,
      folder,
    })
    const flows = new Map(
      configuration.flows.map(config => [
        config.name,
        { config, pipeline: flowPipeline(config, flowLookback(config), pool.compute, { models: hasModels(config) }) },
      ]),
    )
    return { configuration, sources, notifiers, flows, reader: openReader(sources, store) }
  }
  let current = assemble(first)

  const makeOutbox = (assembly: Assembly) =>
    fromOutbox({
      store,
      channels: assembly.notifiers,
      now,
      random: world.random,
      onError: (channel, error) => log('warning', `${channel}: ${error.message}`),
    })
  let outboxStop = new AbortController()
  let outbox = makeOutbox(current)
  let outboxDone = outbox.run(outboxStop.signal)

  const dispatcher = openInProcessDispatcher(
    async (job, signal) => {
      const flow = current.flows.get(job.flow)
      if (!flow) return
      const stop = metrics.duration.startTimer()
      const { config, pipeline } = flow
      const onWanted = (wanted: readonly Wanted[]) => {
        // A run that ends after a reload wants what is not configured any more.
        if (current.flows.get(job.flow) === flow) trainer.want(config, wanted)
      }
      const parts = { config, pipeline, reader: current.reader, store, now, onWanted }
      const changes = [...(await firstLook(parts, job.range, signal)), ...(await runFlow(parts, job.range, signal))]
      stop()
      metrics.runs.inc({ status: 'ok' })
      metrics.lastSuccess.set({ flow: job.flow }, now() / 1000)
      for (const { kind } of changes) metrics.changes.inc({ kind })
      if (changes.length > 0) outbox.wake()
    },
    Math.max(2, 2 * first.workers),
  )

  const scheduler = openScheduler({
    store,
    dispatcher,
    now,
    onDone: () => {},
    onError: (flow, error) => {
      if (signal.aborted) return
      metrics.runs.inc({ status: 'failed' })
      log('error', `flow ${flow}: ${error instanceof Error ? error.message : String(error)}`)
    },
  })
  await scheduler.schedule(first.flows)

  const sourceHealth = new Map<string, SourceHealth>()
  const checkSources = async () => {
    const { configuration, sources } = current
    await Promise.all(
      Object.entries(sources).map(async ([name, source]) => {
        const type = configuration.sources[name]!.type
        try {
          await source.check(AbortSignal.any([signal, AbortSignal.timeout(10_000)]))
          sourceHealth.set(name, { name, type, ok: true, checkedAt: now() })
        } catch (error) {
          if (!signal.aborted)
            sourceHealth.set(name, { name, type, ok: false, error: (error as Error).message, checkedAt: now() })
        }
      }),
    )
    for (const name of sourceHealth.keys()) if (!sources[name]) sourceHealth.delete(name)
  }

  const every = async (ms: number, work: () => Promise<unknown>) => {
    while (!signal.aborted) {
      try {
        await work()
      } catch (error) {
        if (!signal.aborted) log('error', (error as Error).message)
      }
      await world.sleep(ms, signal).catch(() => {})
    }
  }
  const loops = Promise.all([every(TICK, () => scheduler.tick(signal)), every(SOURCE_CHECK_EVERY, checkSources)])

  return {
    store,
    metrics: registry,
    configuration: () => current.configuration,
    health() {
      const reasons: string[] = []
      if (signal.aborted) reasons.push('the service is stopping')
      return {
        ready: reasons.length === 0,
        reasons,
        startedAt,
        sources: [...sourceHealth.values()],
        workers: pool.load(),
        training: trainer.load(),
      }
    },
    async reconfigure(next) {
      requireSame(current.configuration, next)
      const assembly = assemble(next)
      await scheduler.schedule(next.flows)
      current = assembly
      trainer.keep(next.flows)
      outboxStop.abort()
      await outboxDone
      outboxStop = new AbortController()
      outbox = makeOutbox(assembly)
      outboxDone = outbox.run(outboxStop.signal)
      void checkSources()
    },
    async close() {
      stopping.abort(new Error('the service is stopping'))
      outboxStop.abort()
      await dispatcher.close()
      await Promise.all([loops, outboxDone, trainer.close()])
      await Promise.all([pool.close(), trainingPool.close()])
      await store.close()
    },
  }
}

/** A flow's first run looks at its history and tells nobody of what is over; what still goes on is told by the run that follows. */
async function firstLook(
  parts: Parameters<typeof runFlow>[0],
  range: { end: number },
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const state = await parts.store.flow(parts.config.name)
  if (state && Number.isFinite(state.watermark)) return []
  const end = range.end - parts.config.reexamine
  return runFlow({ ...parts, silent: true }, { start: end, end }, signal)
}

/** Parts that a running process cannot exchange. */
function requireSame(before: Configuration, after: Configuration): void {
  const faults = (['store', 'server', 'workers', 'training'] as const)
    .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map(path => ({
      file: after.file,
      line: 0,
      column: 0,
      path,
      message: 'must stay as it is while the service runs; restart to change it',
    }))
  if (faults.length > 0) throw new ConfigError(faults)
}

function make<Made, Needs>(
  family: Readonly<Record<string, { create(config: any, needs: Needs): Made }>>,
  parts: Readonly<Record<string, CheckedPart>>,
  needs: Needs,
): Record<string, Made> {
  return Object.fromEntries(Object.entries(parts).map(([name, { type, config }]) => [name, family[type]!.create(config, needs)]))
}

function describeTraining(registry: Registry, load: () => TrainingLoad) {
  const registers = [registry]
  new Gauge({
    name: 'tidewatch_model_fits_waiting',
    help: 'Fits that wait for a thread.',
    registers,
    collect() {
      this.set(load().waiting)
    },
  })
  new Gauge({
    name: 'tidewatch_model_fits_running',
    help: 'Fits that are being made.',
    registers,
    collect() {
      this.set(load().running.length)
    },
  })
}

function describeMetrics(registry: Registry) {
  const registers = [registry]
  return {
    runs: new Counter({ name: 'tidewatch_runs_total', help: 'Runs of flows.', labelNames: ['status'], registers }),
    changes: new Counter({ name: 'tidewatch_changes_total', help: 'Changes of anomalies.', labelNames: ['kind'], registers }),
    lastSuccess: new Gauge({
      name: 'tidewatch_flow_last_success_timestamp_seconds',
      help: 'When a flow last ran to its end.',
      labelNames: ['flow'],
      registers,
    }),
    duration: new Histogram({
      name: 'tidewatch_run_duration_seconds',
      help: 'Time of a run, from its first question to its commit.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    }),
    fits: new Counter({
      name: 'tidewatch_model_fits_total',
      help: 'Fits of models by what became of them: taken, refused (worse than the one in force), failed or cancelled.',
      labelNames: ['outcome'],
      registers,
    }),
    fitSeconds: new Histogram({
      name: 'tidewatch_model_fit_seconds',
      help: 'Time of a fit, from its turn to its end.',
      buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
      registers,
    }),
  }
}
