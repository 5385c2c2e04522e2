import { createHash } from 'node:crypto'
import { SECOND } from '../../duration.ts'
import { type Configuration, SELF_WATCH } from '../../pipeline/configuration.ts'
import type { OpenCount } from '../../stores/store.ts'
import type { Metrics } from '../metrics.ts'
import type { SourceHealth } from '../source-checks.ts'
import { channelHealth, flowHealth } from './health.ts'
import type { Observed, Problem } from './problems.ts'

/** What metrics are made of, beside what is counted as it happens. */
export interface Measured extends Observed {
  readonly sources: readonly SourceHealth[]
  readonly open: readonly OpenCount[]
  /** Sizes of the store: bytes, and rows by table. */
  readonly stats: Readonly<Record<string, number>>
  /** When the last trial write succeeded. */
  readonly writtenAt: number
  readonly workers: { readonly size: number; readonly busy: number; readonly queued: number }
  readonly ready: boolean
  readonly problems: readonly Problem[]
}

/** Prometheus counts in seconds; a time that never was is 0, so that `time() - x` is large and an alert on it fires. */
const seconds = (time: number) => (Number.isNaN(time) ? 0 : time / SECOND)

/** Sets what is known by looking. Names that are not configured any more leave. */
export function measure(metrics: Metrics, { flows, notifiers }: Configuration, measured: Measured): void {
  const { at, startedAt } = measured
  const stateOf = new Map(measured.flows.map(state => [state.flow, state]))
  for (const metric of [
    metrics.problems,
    metrics.openAnomalies,
    ...ofFlows(metrics),
    ...ofSources(metrics),
    ...ofChannels(metrics),
  ])
    metric.reset()

  metrics.ready.set(measured.ready ? 1 : 0)
  for (const component of ['source', 'flow', 'channel', 'store', 'scheduler'] as const)
    metrics.problems.set({ component }, measured.problems.filter(problem => problem.component === component).length)

  for (const flow of flows) {
    const state = stateOf.get(flow.name)
    const labels = { flow: flow.name }
    metrics.flowFailures.set(labels, state?.failures ?? 0)
    const health = flowHealth(flow, state, at, startedAt)
    metrics.flowLate.set(labels, health === 'late' ? 1 : 0)
    metrics.flowNoData.set(labels, health === 'no-data' ? 1 : 0)
    metrics.flowLag.set(labels, (at - (state?.watermark ?? NaN)) / SECOND)
    metrics.flowSeries.set(labels, state?.lastRun?.series ?? 0)
    metrics.flowLastSuccess.set(labels, seconds(state?.lastSuccessAt ?? NaN))
    metrics.flowNextRun.set(labels, seconds(state?.nextRunAt ?? NaN))
  }
  const isConfigured = new Set([SELF_WATCH, ...flows.map(({ name }) => name)])
  for (const { flow, severity } of flows.map(flow => ({ flow: flow.name, severity: flow.severity })))
    metrics.openAnomalies.set({ flow, severity }, 0)
  for (const { flow, severity, count } of measured.open)
    if (isConfigured.has(flow)) metrics.openAnomalies.set({ flow, severity }, count)

  for (const { name: source, ok, okAt, took } of measured.sources) {
    metrics.sourceUp.set({ source }, ok ? 1 : 0)
    metrics.sourceCheckSeconds.set({ source }, took / SECOND)
    metrics.sourceLastSuccess.set({ source }, seconds(okAt))
  }

  const channels = new Map(measured.channels.map(state => [state.channel, state]))
  for (const channel of Object.keys(notifiers)) {
    const state = channels.get(channel)
    metrics.channelUp.set({ channel }, channelHealth(state) === 'failing' ? 0 : 1)
    metrics.channelPending.set({ channel }, state?.pending ?? 0)
    metrics.channelOldestPending.set({ channel }, state && state.pending > 0 ? (at - state.oldestPendingAt) / SECOND : 0)
    metrics.channelSetAside.set({ channel }, state?.setAside ?? 0)
    metrics.channelAbandoned.inc({ channel }, state?.abandoned ?? 0)
    metrics.channelLastSuccess.set({ channel }, seconds(state?.lastDeliveredAt ?? NaN))
  }

  metrics.storeUp.set(measured.storeError === undefined ? 1 : 0)
  metrics.storeLastWrite.set(seconds(measured.writtenAt))
  const { bytes = NaN, ...rows } = measured.stats
  metrics.storeBytes.set(bytes)
  for (const [table, count] of Object.entries(rows)) metrics.storeRows.set({ table }, count)

  metrics.workers.set(measured.workers.size)
  metrics.workersBusy.set(measured.workers.busy)
  metrics.workersQueued.set(measured.workers.queued)
}

const ofFlows = (metrics: Metrics) => [
  metrics.flowFailures,
  metrics.flowLate,
  metrics.flowNoData,
  metrics.flowLag,
  metrics.flowSeries,
  metrics.flowLastSuccess,
  metrics.flowNextRun,
]
const ofSources = (metrics: Metrics) => [metrics.sourceUp, metrics.sourceCheckSeconds, metrics.sourceLastSuccess]
const ofChannels = (metrics: Metrics) => [
  metrics.channelUp,
  metrics.channelPending,
  metrics.channelOldestPending,
  metrics.channelSetAside,
  metrics.channelAbandoned,
  metrics.channelLastSuccess,
]

/** Counters of what is configured start at 0, and those of what is not any more leave. */
export async function configureCounters(metrics: Metrics, next: Configuration, before?: Configuration): Promise<void> {
  const names = ({ flows, sources, notifiers }: Configuration) => ({
    flow: flows.map(({ name }) => name),
    source: Object.keys(sources),
    channel: Object.keys(notifiers),
  })
  const now = names(next)
  const statuses = ['ok', 'failed'] as const
  for (const flow of now.flow) for (const status of statuses) metrics.runs.inc({ flow, status }, 0)
  for (const flow of now.flow) metrics.duration.zero({ flow })
  for (const source of now.source) for (const status of statuses) metrics.sourceReads.inc({ source, status }, 0)
  for (const channel of now.channel) {
    metrics.channelSent.inc({ channel }, 0)
    metrics.channelFailures.inc({ channel }, 0)
  }
  metrics.configHash.reset()
  metrics.configHash.set({ hash: hashOf(next) }, 1)
  if (!before) return
  const old = names(before)
  const gone = (kind: keyof typeof now) => old[kind].filter(name => !now[kind].includes(name))
  for (const flow of gone('flow')) {
    for (const status of statuses) metrics.runs.remove({ flow, status })
    metrics.duration.remove({ flow })
  }
  for (const source of gone('source')) for (const status of statuses) metrics.sourceReads.remove({ source, status })
  const failed = await metrics.channelFailed.get()
  for (const channel of gone('channel')) {
    for (const { labels } of failed.values) if (labels.channel === channel) metrics.channelFailed.remove(labels)
    metrics.channelSent.remove({ channel })
    metrics.channelFailures.remove({ channel })
  }
}

/** Secrets print as `***`, so that the hash tells nothing of them. */
function hashOf(configuration: Configuration): string {
  return createHash('sha256').update(JSON.stringify(configuration)).digest('hex').slice(0, 16)
}
