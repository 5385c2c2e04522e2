import type { Anomaly, Labels } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import type { TimeRange } from '../frame/frame.ts'

/** State of one stream (detector and rule) of one series, as of `time`: all rows before `time` are learned. */
export interface Snapshot {
  readonly labels: Labels
  readonly detector: string
  readonly time: number
  /** Encoded by `pipeline/state.ts`; opaque to the store. */
  readonly state: Uint8Array
}

export type Level = 'info' | 'warning' | 'error'
export interface Diagnostic {
  readonly level: Level
  readonly message: string
  /** A request that can be copied, when one helps. */
  readonly request?: string
}

/** All that one run of a flow says about its range. */
export interface Run {
  readonly flow: string
  readonly range: TimeRange
  readonly startedAt: number
  readonly finishedAt: number
  readonly anomalies: readonly Anomaly[]
  /** Gap (ms) across which a new anomaly continues a stored one of the same series and detector. */
  readonly mergeGap: number
  /** Everything before it is examined for good; the next run starts from the snapshots of this time. NaN: keep the old one. */
  readonly watermark: number
  /** Replaces the snapshot of the same (labels, detector). */
  readonly snapshots: readonly Snapshot[]
  /** Series not seen for so long that they are forgotten: their snapshots are deleted. */
  readonly forgotten: readonly { readonly labels: Labels; readonly detector: string }[]
  /** Scores to keep for charts; replaces stored rows of the same (labels, detector) in the range. */
  readonly points: readonly { readonly detector: string; readonly scores: Scores }[]
  /** ms of points to keep. */
  readonly keepPoints: number
  readonly diagnostics: readonly Diagnostic[]
  /** Channels to tell about each change. */
  readonly channels: readonly string[]
  /** What travels with each message: owner, runbook, … of the flow. */
  readonly annotations: Readonly<Record<string, string>>
  readonly series: number
  /** Changes are stored and nobody is told of them: the first run over history. */
  readonly silent?: boolean
}

/** A stored anomaly. `id` stays through updates and merges; `version` counts changes from 1. */
export interface StoredAnomaly extends Anomaly {
  readonly id: string
  readonly version: number
  readonly flow: string
  readonly status: 'open' | 'resolved' | 'withdrawn'
  readonly openedAt: number
  readonly updatedAt: number
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * opened: new and worth telling. updated: numbers moved (not sent as a message of its own). resolved: it has ended.
 * withdrawn: looking again, it was none, or it is part of another one now. ignored anomalies give changes too, but no messages.
 */
export type ChangeKind = 'opened' | 'updated' | 'resolved' | 'withdrawn'
export interface Change {
  readonly kind: ChangeKind
  readonly anomaly: StoredAnomaly
}

/** One message of the outbox: a change for one channel. `key` is the same however often it is sent. */
export interface Message {
  readonly id: number
  readonly key: string
  readonly channel: string
  readonly kind: ChangeKind
  readonly anomaly: StoredAnomaly
  readonly createdAt: number
  /** Failed attempts since it was written or last accepted; `delivered` sets it to 0. */
  readonly attempts: number
  /** When the other side last accepted it; absent before the first time. Present on what is sent again (`delivered(…, again)`). */
  readonly deliveredAt?: number
}

export interface FlowState {
  readonly flow: string
  /** NaN before the first run. */
  readonly watermark: number
  /** NaN when never scheduled. */
  readonly nextRunAt: number
  readonly lastRun: RunLog | undefined
  /** NaN before the first success. */
  readonly lastSuccessAt: number
  /** Failures since the last success. */
  readonly failures: number
}

export interface RunLog {
  readonly flow: string
  readonly startedAt: number
  readonly finishedAt: number
  readonly range: TimeRange
  readonly status: 'ok' | 'failed'
  readonly error?: string
  readonly series: number
  readonly anomalies: number
  readonly changes: number
  readonly diagnostics: readonly Diagnostic[]
}

export interface ChannelState {
  readonly channel: string
  /** Not yet accepted for the first time. */
  readonly pending: number
  readonly delivered: number
  readonly abandoned: number
  /** NaN before the first delivery. */
  readonly lastDeliveredAt: number
  /** Of the last attempt; undefined when it was accepted. */
  readonly lastError: string | undefined
}

export interface AnomalyFilter {
  readonly flow?: string
  /** Default: open and resolved. Withdrawn ones are given only when asked for. */
  readonly status?: StoredAnomaly['status']
  /** Overlaps the range. */
  readonly range?: TimeRange
  /** Newest start first, then by id; default 100. */
  readonly limit?: number
  readonly includeIgnored?: boolean
}

/**
 * All that is remembered. Every method is one transaction. A commit replaces all that the flow said about the range, and says what changed;
 * saying it twice changes nothing. In the same transaction it writes snapshots, watermark, run log, points and outbox rows.
 */
export interface Store {
  commit(run: Run): Promise<readonly Change[]>
  /** Writes a failed run to the log and counts the failure; nothing else changes. */
  fail(run: RunLog): Promise<void>

  anomalies(filter?: AnomalyFilter): Promise<readonly StoredAnomaly[]>
  anomaly(id: string): Promise<StoredAnomaly | undefined>
  points(flow: string, labels: Labels, detector: string, range: TimeRange): Promise<Scores | undefined>
  snapshots(flow: string): Promise<readonly Snapshot[]>
  flow(flow: string): Promise<FlowState | undefined>
  /** All that are scheduled, or were never scheduled but have run; in order of name. */
  flows(): Promise<readonly FlowState[]>
  /** Newest first; default 20. */
  runs(flow: string, limit?: number): Promise<readonly RunLog[]>

  /** Makes the flows known, each due at `at` unless a row exists; rows of flows that are not listed are not claimed any more. */
  schedule(flows: readonly { readonly flow: string; readonly at: number }[]): Promise<void>
  /** Flows that are due and not leased, oldest first; leases them until `now + lease`. */
  claim(now: number, lease: number, limit?: number): Promise<readonly string[]>
  /** Ends the lease and sets the next time. */
  release(flow: string, nextRunAt: number): Promise<void>

  /** Messages due for the channel, oldest first; per anomaly only the oldest that is undelivered. */
  outbox(channel: string, now: number, limit?: number): Promise<readonly Message[]>
  /** Accepted by the other side. `again`: keep it for re-sending at that time (see `Notifier.resend`). */
  delivered(id: number, at: number, again?: number): Promise<void>
  retry(id: number, at: number, error: string): Promise<void>
  /** Will not be sent again; shown to people. */
  abandon(id: number, at: number, error: string): Promise<void>
  channels(): Promise<readonly ChannelState[]>

  /** Bytes on disk, rows … for /metrics. */
  stats(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** What a store is made with: the folder that relative paths start from, and the clock. */
export interface StoreNeeds {
  readonly folder: string
  readonly now: () => number
}
