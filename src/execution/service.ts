import { Registry } from 'prom-client'
import { DAY, formatDuration } from '../duration.ts'
import { SourceError } from '../errors.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import type { Wanted } from '../pipeline/pipeline.ts'
import { fromOutbox } from '../responding/outbox.ts'
import type { Store } from '../stores/store.ts'
import { type Assembly, assemble, requireSame } from './assembly.ts'
import { CLOCK_PATIENCE } from './clock-doubt.ts'
import { openComputePool } from './compute-pool.ts'
import { runWithHistory } from './first-look.ts'
import { openFirstRuns } from './first-runs.ts'
import { openInProcessDispatcher } from './in-process-dispatcher.ts'
import { repeat } from './loop.ts'
import { describeMetrics, describeTraining } from './metrics.ts'
import { removeChannels, withdrawRemovedFlows } from './retire.ts'
import { openScheduler } from './scheduler.ts'
import { openSourceChecks, type SourceHealth } from './source-checks.ts'
import { openTrainer, type TrainingLoad } from './trainer.ts'
import { openTrainingPool } from './training-pool.ts'
import { openDeliveryLog } from './watch/delivery-log.ts'
import { configureCounters } from './watch/measure.ts'
import { openWatch } from './watch/open-watch.ts'
import { openProblemLog } from './watch/problem-log.ts'
import { WATCH_DEFAULTS } from './watch/self-watch.ts'
import type { Tracked } from './watch/track.ts'
import type { World } from './world.ts'

export interface ServiceHealth {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly startedAt: number
  readonly sources: readonly SourceHealth[]
  /** Parts of the watch that do not work now. */
  readonly problems: readonly Tracked[]
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
  /** Reads a configuration and puts it in force; rejects, and counts, when it is wrong or cannot be had. */
  reload(read: () => Promise<Configuration>): Promise<void>
  /** Ends running work, keeps the store whole. */
  close(): Promise<void>
}

const TICK = 200
/** The whole file of the store is read so often. */
const INSPECT_EVERY = DAY
/** A heartbeat is late by at most so much. */
const HEARTBEAT_TICK = 1000
/** What health and metrics show is at most so old; less when problems are to be reported sooner. */
const LOOK_EVERY = 5000
const SOURCE_CHECK_EVERY = 15_000
const within = (ms: number, { watch = WATCH_DEFAULTS }: Configuration) => Math.max(TICK, Math.min(ms, watch.after / 4))

/** Runs the flows of a configuration over a store, until closed. Owns the store from here on; when the start fails, all is closed. */
export async function startService(first: Configuration, store: Store, folder: string, world: World): Promise<Service> {
  const opened = new AsyncDisposableStack()
  try {
    opened.defer(() => store.close())
    return await openService(first, store, folder, world, opened)
  } catch (error) {
    await opened.disposeAsync().catch(() => {})
    throw error
  }
}

/** What it opens is added to `opened`, whose end is the end of the service. */
async function openService(
  first: Configuration,
  store: Store,
  folder: string,
  world: World,
  opened: AsyncDisposableStack,
): Promise<Service> {
  const { now, log } = world
  const startedAt = now()
  const stopping = new AbortController()
  const { signal } = stopping
  const pool = openComputePool(first.workers)
  opened.defer(() => pool.close())
  const registry = new Registry()
  const problemLog = openProblemLog(world)
  const deliveryLog = openDeliveryLog(world, problemLog)
  const metrics = describeMetrics(registry, { version: world.version ?? 'unknown' })
  const trainingPool = openTrainingPool(first.training.threads)
  opened.defer(() => trainingPool.close())
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
  opened.defer(() => trainer.close())
  describeTraining(registry, trainer.load)

  const sourceChecks = openSourceChecks({ now, signal, problemLog })
  const checkSources = () => sourceChecks.check(current)
  await configureCounters(metrics, first)
  metrics.reloadOk.set(1)
  metrics.reloadLastSuccess.set(now() / 1000)
  const watch = await openWatch({
    store,
    metrics,
    problemLog,
    now,
    configuration: () => current.configuration,
    sources: sourceChecks.health,
    pool,
  })

  const parts = {
    world,
    store,
    folder,
    compute: pool.compute,
    metrics,
    problemLog,
    tracked: watch.problems,
    whyNotWorking: watch.whyNotWorking,
  }
  let current = assemble(first, parts)
  // Whatever cannot be had must fail here, before anybody is notified of anything.
  await store.probe()
  await pool.ready()
  // What was removed from the configuration while nothing ran.
  const withdrawRemoved = async (configuration: Configuration) => {
    for (const { kind } of await withdrawRemovedFlows(store, configuration, now())) metrics.changes.inc({ kind })
  }
  await withdrawRemoved(first)
  let farewell = removeChannels({ store, now, random: world.random, log, signal }, first, {})
  opened.defer(() => farewell)

  const makeOutbox = (assembly: Assembly) =>
    fromOutbox({
      store,
      channels: assembly.notifiers,
      now,
      random: world.random,
      held: () => firstRuns.waiting(),
      onAttempt: deliveryLog.attempted,
      onError: (_channel, error) => {
        metrics.storeErrors.inc()
        deliveryLog.storeFailed(error)
      },
    })
  let outboxStop = new AbortController()
  let outbox = makeOutbox(current)
  let outboxDone = Promise.resolve()
  opened.defer(async () => {
    outboxStop.abort()
    await outboxDone
  })

  /** A run may end after its flow was removed. */
  const countRun = (flow: string, status: 'ok' | 'failed') => {
    if (current.flows.has(flow)) metrics.runs.inc({ flow, status })
  }
  const dispatcher = openInProcessDispatcher(
    async (job, signal) => {
      const flow = current.flows.get(job.flow)
      if (!flow) return
      const stop = metrics.duration.startTimer({ flow: job.flow })
      const { config, pipeline } = flow
      const onWanted = (wanted: readonly Wanted[]) => {
        // A run that ends after a reload wants what is not configured any more.
        if (current.flows.get(job.flow) === flow) trainer.want(config, wanted)
      }
      const runParts = { config, pipeline, reader: current.reader, store, now, onWanted }
      const changes = await runWithHistory(runParts, job.range, signal)
      countRun(job.flow, 'ok')
      if (current.flows.has(job.flow)) stop()
      for (const { kind } of changes) metrics.changes.inc({ kind })
      if (changes.length > 0) outbox.wake()
    },
    Math.max(2, 2 * first.workers),
  )
  opened.defer(() => dispatcher.close())

  /** A flow that fails because its source is down has no line of its own: that of the source says it for all of its flows. */
  const logFailure = async (flow: string, error: unknown) => {
    const { source } = current.flows.get(flow)!.config.query
    if (error instanceof SourceError) await checkSources()
    const isDown = sourceChecks.health().some(({ name, ok }) => name === source && !ok)
    if (!isDown) problemLog.failed(`flow ${flow}`, error instanceof Error ? error.message : String(error))
  }
  const scheduler = openScheduler({
    store,
    dispatcher,
    now,
    onSetBack: ms =>
      log(
        'warning',
        `the clock was set back by ${formatDuration(ms)}: unless it is corrected within ${formatDuration(CLOCK_PATIENCE)}, what was stored for later times is set aside`,
      ),
    onDone: flow => {
      firstRuns.ended(flow)
      watch.wrote(flow)
      problemLog.worked(`flow ${flow}`)
    },
    onError: (flow, error) => {
      // What was cancelled by a stop or a reload has not failed.
      if (signal.aborted || !current.flows.has(flow)) return
      firstRuns.ended(flow)
      countRun(flow, 'failed')
      watch.wrote(flow, error)
      if (error instanceof SourceError && error.limit) metrics.limits.inc({ limit: error.limit })
      void logFailure(flow, error)
    },
  })
  await scheduler.schedule(configsOf(current))
  const firstRuns = openFirstRuns(await store.flows(), now)
  outboxDone = outbox.run(outboxStop.signal)

  const loop = (subject: string, ms: number, work: () => Promise<unknown>) =>
    repeat(ms, () => work().then(() => problemLog.worked(subject)), {
      sleep: world.sleep,
      signal,
      onError: error => problemLog.failed(subject, error.message),
    })
  const inspect = async () => {
    try {
      await store.inspect()
      watch.inspected()
    } catch (error) {
      watch.inspected(error)
      throw error
    }
  }
  const loops = Promise.all([
    loop('scheduler', TICK, () => scheduler.tick(signal)),
    loop('check of sources', within(SOURCE_CHECK_EVERY, first), checkSources),
    loop('watch', within(LOOK_EVERY, first), watch.look),
    loop('pace of the heartbeat', HEARTBEAT_TICK, async () => current.heartbeat?.beat(signal)),
    loop('structure of the store', INSPECT_EVERY, inspect),
  ])

  async function putInForce(next: Configuration): Promise<void> {
    requireSame(current.configuration, next)
    const assembly = assemble(next, parts)
    await farewell
    // From here on nothing of a flow that is gone is started any more.
    await scheduler.schedule(configsOf(assembly))
    await configureCounters(metrics, next, current.configuration)
    const before = current
    current = assembly
    trainer.keep(next.flows)
    problemLog.keep(next)
    for (const name of before.flows.keys()) {
      if (assembly.flows.has(name)) continue
      await dispatcher.cancel(name, new Error(`flow ${name} is not configured any more`))
      // Its messages wait for no run any more.
      firstRuns.ended(name)
      watch.wrote(name)
    }
    outboxStop.abort()
    await outboxDone
    try {
      await withdrawRemoved(next)
      farewell = removeChannels({ store, now, random: world.random, log, signal }, next, before.notifiers)
    } catch (error) {
      log(
        'error',
        `what is not configured any more could not be ended, and will be at the next start: ${(error as Error).message}`,
      )
    }
    outboxStop = new AbortController()
    outbox = makeOutbox(assembly)
    outboxDone = outbox.run(outboxStop.signal)
    void checkSources()
    void watch.look()
  }
  let reconfiguring: Promise<void> = Promise.resolve()
  const reconfigure = (next: Configuration): Promise<void> => {
    reconfiguring = reconfiguring.catch(() => {}).then(() => putInForce(next))
    return reconfiguring
  }

  return {
    store,
    metrics: registry,
    configuration: () => current.configuration,
    health() {
      const reasons = [...(signal.aborted ? ['the service is stopping'] : []), ...watch.reasons()]
      return {
        ready: reasons.length === 0,
        reasons,
        startedAt,
        sources: sourceChecks.health(),
        problems: watch.problems(),
        workers: pool.load(),
        training: trainer.load(),
      }
    },
    reconfigure,
    async reload(read) {
      try {
        await reconfigure(await read())
      } catch (error) {
        metrics.reloads.inc({ status: 'failed' })
        metrics.reloadOk.set(0)
        throw error
      }
      metrics.reloads.inc({ status: 'ok' })
      metrics.reloadOk.set(1)
      metrics.reloadLastSuccess.set(now() / 1000)
    },
    async close() {
      stopping.abort(new Error('the service is stopping'))
      await loops
      await opened.disposeAsync()
    },
  }
}

const configsOf = ({ flows }: Assembly) => [...flows.values()].map(({ config }) => config)
