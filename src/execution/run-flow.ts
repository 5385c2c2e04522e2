import { SourceError } from '../errors.ts'
import type { TimeRange } from '../frame/frame.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { MOST_ROWS_BEHIND } from '../pipeline/flow.ts'
import { mergeGap } from '../pipeline/member.ts'
import type { Pipeline, Reader, Wanted } from '../pipeline/pipeline.ts'
import type { Change, Store } from '../stores/store.ts'

export interface RunFlowParts {
  readonly config: FlowConfig
  readonly pipeline: Pipeline
  readonly reader: Reader
  readonly store: Store
  readonly now: () => number
  /** Write no messages: what is found is history. */
  readonly silent?: boolean
  /** Told of the fits that the run wants, once its snapshots are stored. */
  readonly onWanted?: (wanted: readonly Wanted[]) => void
}

/**
 * Rows that may be looked at now: up to the newest grid time at or before `now - delay`, from the watermark on, but not more of them than one question
 * should ask for: a flow that was away for long, or whose watermark was written by a clock at 1970, would never catch up. One from the future was written before
 * the clock was set back: it says nothing of what comes now.
 */
export function flowRange(config: FlowConfig, watermark: number, now: number): TimeRange {
  const { step } = config.query
  const end = Math.floor((now - config.delay) / step) * step + step
  const isKnown = Number.isFinite(watermark) && watermark <= now + step
  if (!isKnown) return { start: end - config.reexamine, end }
  return { start: Math.max(Math.min(watermark, end), end - MOST_ROWS_BEHIND * step), end }
}

/**
 * Runs a flow once over the range and commits what it found. Which kind of execution it is (test, sandbox, scheduled) depends on the store
 * handed in. A failed run is logged in the store and thrown; nothing else changes.
 */
export async function runFlow(parts: RunFlowParts, range: TimeRange, signal: AbortSignal): Promise<readonly Change[]> {
  const { config, pipeline, reader, store } = parts
  // A clock that is set back after the rows were chosen must not take back what is seen in them: for a run time does not go back.
  const startedAt = Math.max(range.end - config.query.step, parts.now())
  const now = () => Math.max(startedAt, parts.now())
  let done: { readonly changes: readonly Change[]; readonly wanted: readonly Wanted[] }
  try {
    const findings = await pipeline.run({ range, reader, signal, now })
    signal.throwIfAborted()
    const changes = await store.commit({
      flow: config.name,
      range: findings.range,
      startedAt,
      finishedAt: now(),
      anomalies: findings.anomalies,
      mergeGap: mergeGap(config),
      watermark: findings.watermark,
      snapshots: findings.snapshots,
      forgotten: findings.forgotten,
      ...(findings.damaged ? { damaged: findings.damaged } : {}),
      ...(findings.unknown ? { unknown: findings.unknown } : {}),
      points: findings.points,
      keepPoints: config.keep,
      diagnostics: findings.diagnostics,
      detectors: config.detect.map(({ name }) => name),
      channels: config.notify,
      annotations: annotations(config),
      series: findings.series,
      workloads: findings.workloads,
      ...(parts.silent ? { silent: true } : {}),
    })
    done = { changes, wanted: findings.wanted }
  } catch (error) {
    await store.fail({
      flow: config.name,
      startedAt,
      finishedAt: now(),
      range,
      status: 'failed',
      error: describeError(error, signal),
      series: 0,
      anomalies: 0,
      changes: 0,
      diagnostics:
        error instanceof SourceError
          ? error.requests.map(request => ({ level: 'error', message: 'query that failed', request }))
          : [],
    })
    throw error
  }
  parts.onWanted?.(done.wanted)
  return done.changes
}

function annotations(config: FlowConfig): Record<string, string> {
  const all: Record<string, string> = { severity: config.severity }
  if (config.owner !== undefined) all.owner = config.owner
  if (config.runbook !== undefined) all.runbook = config.runbook
  if (config.summary !== undefined) all.summary = config.summary
  for (const [name, value] of Object.entries(config.labels)) all[`label:${name}`] = value
  return all
}

function describeError(error: unknown, signal: AbortSignal): string {
  const reason = signal.aborted && signal.reason instanceof Error ? signal.reason : error
  return reason instanceof Error ? reason.message : String(reason)
}
