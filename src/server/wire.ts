import { z } from '@hono/zod-openapi'

/** Shapes of the JSON that leaves the server. Times are epoch ms, durations ms; null is unknown. */

const time = () => z.number().openapi({ description: 'epoch ms', example: 1767225600000 })
const maybeTime = () => z.number().nullable().openapi({ description: 'epoch ms; null: never or unknown' })
const maybeNumber = () => z.number().nullable()
const labels = () => z.record(z.string(), z.string())

export const ProblemWire = z
  .object({ error: z.object({ code: z.string(), message: z.string(), faults: z.array(z.unknown()).optional() }) })
  .openapi('Problem')

const kind = () => z.enum(['opened', 'updated', 'resolved', 'withdrawn'])

export const NotifiedWire = z
  .object({ channel: z.string(), kind: kind(), at: time().openapi({ description: 'when it was first accepted' }) })
  .openapi('Notified')

export const UndeliveredWire = z
  .object({
    channel: z.string(),
    kind: kind(),
    state: z.enum(['pending', 'set aside']).openapi({
      description: 'set aside: its content was refused; it is tried again with the next change or repetition of the anomaly',
    }),
    since: time(),
    error: z.string().nullable().openapi({ description: 'of the last attempt; null: it was not tried yet' }),
  })
  .openapi('Undelivered')

export const AnomalyWire = z
  .object({
    id: z.string(),
    version: z.number().int(),
    status: z.enum(['open', 'resolved', 'withdrawn']),
    flow: z.string(),
    detector: z.string(),
    series: z.string().openapi({ description: 'canonical name of the series', example: 'up{job="coredns"}' }),
    labels: labels(),
    sentence: z.string().nullable().openapi({ description: 'what, how far, since when' }),
    shape: z.string().nullable(),
    columns: z
      .array(z.object({ name: z.string(), share: z.number().min(0).max(1), value: maybeNumber(), expected: maybeNumber() }))
      .openapi({
        description:
          'of series that were looked at together: in which of them it lies, the largest share first, with the value at the peak',
      }),
    numbers: z.record(z.string(), maybeNumber()),
    direction: z.enum(['up', 'down', 'none']),
    start: time(),
    end: time(),
    peak: time(),
    duration: z.number(),
    ongoing: z.boolean(),
    current: maybeNumber().openapi({
      description: 'value of the strangest point; null when it is unknown or infinite, which the sentence says',
    }),
    expected: maybeNumber(),
    lower: maybeNumber().openapi({ description: 'lower edge of the band at the strangest point' }),
    upper: maybeNumber(),
    score: maybeNumber(),
    strength: maybeNumber().openapi({ description: 'multiples of the limit: 1 is the limit' }),
    ignored: z.string().nullable().openapi({ description: 'why nobody is told; null: people are told' }),
    withdrawnBecause: z.string().nullable().openapi({
      description: 'why it was withdrawn, when that is because of the configuration or the clock and not of the data',
    }),
    annotations: z.record(z.string(), z.string()),
    notified: z.array(NotifiedWire).openapi({ description: 'what channels accepted, in order of time' }),
    undelivered: z.array(UndeliveredWire).openapi({ description: 'what channels are to be told and did not accept yet' }),
    openedAt: time(),
    updatedAt: time(),
  })
  .openapi('Anomaly')
export type AnomalyWire = z.infer<typeof AnomalyWire>

export const AnomalyListWire = z.object({ anomalies: z.array(AnomalyWire) }).openapi('Anomalies')
export type AnomalyListWire = z.infer<typeof AnomalyListWire>

export const ChartWire = z
  .object({
    id: z.string(),
    start: time(),
    end: time(),
    step: maybeNumber().openapi({ description: 'ms between rows of the flow' }),
    times: z.array(z.number()),
    value: z.array(maybeNumber()),
    expected: z.array(maybeNumber()),
    lower: z.array(maybeNumber()),
    upper: z.array(maybeNumber()),
    score: z.array(maybeNumber()),
    columns: z
      .array(
        z.object({
          name: z.string(),
          share: z.number(),
          times: z.array(z.number()),
          value: z.array(maybeNumber()),
          expected: z.array(maybeNumber()),
          lower: z.array(maybeNumber()),
          upper: z.array(maybeNumber()),
        }),
      )
      .openapi({
        description: 'of series that were looked at together: those that the anomaly lies in, the largest share first',
      }),
  })
  .openapi('Chart')
export type ChartWire = z.infer<typeof ChartWire>

export const DiagnosticWire = z
  .object({ level: z.enum(['info', 'warning', 'error']), message: z.string(), request: z.string().nullable() })
  .openapi('Diagnostic')

export const RunWire = z
  .object({
    flow: z.string(),
    status: z.enum(['ok', 'failed']),
    startedAt: time(),
    finishedAt: time(),
    start: time(),
    end: time(),
    error: z.string().nullable(),
    series: z.number().int(),
    anomalies: z.number().int(),
    changes: z.number().int(),
    diagnostics: z.array(DiagnosticWire),
  })
  .openapi('Run')
export type RunWire = z.infer<typeof RunWire>
export const RunListWire = z.object({ runs: z.array(RunWire) }).openapi('Runs')

export const FlowWire = z
  .object({
    name: z.string(),
    summary: z.string().nullable(),
    owner: z.string().nullable(),
    runbook: z.string().nullable(),
    severity: z.string(),
    source: z.string(),
    expr: z.string(),
    step: z.number(),
    every: z.number(),
    cron: z.string().nullable(),
    detectors: z.array(z.string()),
    notify: z.array(z.string()),
    health: z
      .enum(['ok', 'failing', 'late', 'no-data', 'waiting'])
      .openapi({ description: 'no-data: its last run found no series with data; waiting: has not run yet' }),
    series: z.number().int(),
    failures: z.number().int().openapi({ description: 'failed runs since the last good one' }),
    watermark: maybeTime().openapi({ description: 'everything before it is examined for good' }),
    nextRunAt: maybeTime(),
    lastSuccessAt: maybeTime(),
    lastError: z.string().nullable(),
    lastRun: RunWire.nullable(),
    request: z.string().nullable().openapi({ description: 'the last query, as a command that can be copied' }),
  })
  .openapi('Flow')
export type FlowWire = z.infer<typeof FlowWire>
export const FlowListWire = z.object({ flows: z.array(FlowWire) }).openapi('Flows')

export const SourceWire = z
  .object({ name: z.string(), type: z.string(), ok: z.boolean(), error: z.string().nullable(), checkedAt: maybeTime() })
  .openapi('Source')
export type SourceWire = z.infer<typeof SourceWire>
export const SourceListWire = z.object({ sources: z.array(SourceWire) }).openapi('Sources')

export const ChannelWire = z
  .object({
    name: z.string(),
    type: z.string(),
    health: z.enum(['ok', 'failing', 'idle']).openapi({ description: 'idle: nothing was sent yet' }),
    failingSince: maybeTime().openapi({ description: 'since when it accepts nothing; null: it works' }),
    pending: z.number().int().openapi({ description: 'messages that were not accepted yet' }),
    oldestPendingAt: maybeTime().openapi({ description: 'when the oldest of them was written' }),
    setAside: z.number().int().openapi({
      description: 'messages whose content was refused; each is tried again with the next change or repetition of its anomaly',
    }),
    delivered: z.number().int(),
    abandoned: z.number().int().openapi({ description: 'messages that were given up a week after the end of their anomaly' }),
    lastDeliveredAt: maybeTime(),
    lastError: z.string().nullable().openapi({ description: 'of the last attempt; null: it was accepted' }),
  })
  .openapi('Channel')
export type ChannelWire = z.infer<typeof ChannelWire>
export const ChannelListWire = z.object({ channels: z.array(ChannelWire) }).openapi('Channels')

export const ModelWire = z
  .object({
    flow: z.string(),
    detector: z.string(),
    workload: labels(),
    series: z.string().openapi({ description: 'canonical name of the workload', example: '{job="coredns"}' }),
    version: z.number().int().openapi({ description: 'counts the fits of the workload from 1' }),
    status: z.enum(['in force', 'retired', 'refused']).openapi({ description: 'refused: it was worse than the one in force' }),
    usable: z.boolean().openapi({ description: 'it is of the flow as it is configured now' }),
    reason: z.enum(['first', 'schedule', 'drift']).openapi({ description: 'why it was fitted' }),
    createdAt: time(),
    inForceSince: maybeTime(),
    start: time().openapi({ description: 'of the rows that it learned from' }),
    end: time(),
    rows: z.number().int().openapi({ description: 'how many it learned' }),
    validation: maybeNumber().openapi({ description: 'error on rows that it had not learned; lower is better' }),
    current: maybeNumber().openapi({
      description: 'error on the same rows of the model that was in force; null: there was none',
    }),
    seconds: z.number().openapi({ description: 'how long the fit took' }),
    configuration: z.string().openapi({ description: 'hash of detector, transforms and query' }),
  })
  .openapi('Model')
export type ModelWire = z.infer<typeof ModelWire>
export const ModelListWire = z
  .object({ models: z.array(ModelWire), total: z.number().int().openapi({ description: 'without the limit' }) })
  .openapi('Models')
export type ModelListWire = z.infer<typeof ModelListWire>

export const FitWire = z
  .object({
    flow: z.string(),
    detector: z.string(),
    series: z.string().openapi({ description: 'canonical name of the workload' }),
    reason: z.enum(['first', 'schedule', 'drift']),
    startedAt: time(),
    done: z.number().min(0).max(1).openapi({ description: 'share that is done' }),
  })
  .openapi('Fit')
export type FitWire = z.infer<typeof FitWire>

export const FailedFitWire = z
  .object({
    flow: z.string(),
    detector: z.string(),
    series: z.string().openapi({ description: 'canonical name of the workload' }),
    error: z.string(),
    failures: z.number().int(),
    until: time().openapi({ description: 'it is not tried again before' }),
  })
  .openapi('FailedFit')
export type FailedFitWire = z.infer<typeof FailedFitWire>

export const StatusWire = z
  .object({
    version: z.string(),
    now: time(),
    startedAt: time(),
    ready: z.boolean(),
    reasons: z.array(z.string()).openapi({ description: 'why it is not ready' }),
    problems: z
      .array(z.object({ component: z.string(), name: z.string(), reason: z.string(), since: time() }))
      .openapi({ description: 'parts of the watch that do not work now: what they would have found is not seen' }),
    open: z
      .number()
      .int()
      .openapi({ description: 'open anomalies that people are notified of, without those of the watch itself' }),
    series: z.number().int().openapi({ description: 'series seen by the last run of every flow' }),
    flows: z.object({ total: z.number().int(), failing: z.number().int() }),
    sources: z.object({ total: z.number().int(), failing: z.number().int() }),
    channels: z.object({ total: z.number().int(), failing: z.number().int() }),
    workers: z.object({ size: z.number(), busy: z.number(), queued: z.number() }),
    fits: z
      .object({ waiting: z.number().int(), running: z.array(FitWire), failed: z.array(FailedFitWire) })
      .openapi({ description: 'models that are being fitted, how many wait, and those whose last fit failed' }),
  })
  .openapi('Status')
export type StatusWire = z.infer<typeof StatusWire>

/** A number for JSON: NaN and infinities are null. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
