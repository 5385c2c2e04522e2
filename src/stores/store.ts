import type { Anomaly, Labels } from '../anomaly.ts'
import type { FitReason, Scores } from '../detectors/detector.ts'
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
  /** Snapshots that could not be read: they are set aside, so that their series start cold. */
  readonly damaged?: readonly { readonly labels: Labels; readonly detector: string; readonly reason: string }[]
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
  /** The workloads of its series, by learned detector: models that no run uses for 30 days are deleted. */
  readonly workloads?: readonly { readonly detector: string; readonly workload: Labels }[]
}

/** Series of one flow that share a model. */
export interface ModelKey {
  readonly flow: string
  /** Name of the detector, as the flow calls it. */
  readonly detector: string
  /** Labels that all series of the workload have in common; see `pipeline/workload.ts`. */
  readonly workload: Labels
}

/** A fit that is done, to be stored. */
export interface NewModel extends ModelKey {
  /** Why it was made. */
  readonly reason: FitReason
  readonly createdAt: number
  /** Times of the rows that it learned, and how many. */
  readonly range: TimeRange
  readonly rows: number
  /** Hash of all that must be the same for the model to be of use; see `pipeline/configuration-hash.ts`. */
  readonly configuration: string
  /** Error on rows that it had not learned; lower is better. `current`: of the model that was in force, absent when there was none. */
  readonly validation: number
  readonly current?: number
  /** How long the fit took. */
  readonly seconds: number
  /** Encoded by `pipeline/state.ts`; opaque to the store. */
  readonly state: Uint8Array
}

/** in force: what series judge with. retired: was in force before. refused: was worse than the one in force. One of a workload is in force. */
export type ModelStatus = 'in force' | 'retired' | 'refused'

/** What is told of a stored model; all but its state. */
export interface ModelRecord extends Omit<NewModel, 'state'> {
  /** Counts the fits of the workload from 1. */
  readonly version: number
  readonly status: ModelStatus
  /** When it last came into force; NaN when it never did. */
  readonly inForceSince: number
}

/** A model in force. `tried`: up to when the newest fit of the workload had seen rows, or an operator had, who took a model back. */
export interface StoredModel extends ModelRecord {
  readonly state: Uint8Array
  readonly tried: number
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

/** How many anomalies of one flow and severity are open. */
export interface OpenCount {
  readonly flow: string
  /** Of the annotations; empty when they have none. */
  readonly severity: string
  readonly count: number
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
  /** Those that are open and not ignored, in order of flow and severity. */
  openCounts(): Promise<readonly OpenCount[]>
  points(flow: string, labels: Labels, detector: string, range: TimeRange): Promise<Scores | undefined>
  snapshots(flow: string): Promise<readonly Snapshot[]>
  snapshot(flow: string, labels: Labels, detector: string): Promise<Snapshot | undefined>
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

  /**
   * Stores a fit under the next version of its workload. Taken: it is in force from now on, and the one before it retires; else it is refused. Keeps
   * the newest five of a workload, the one in force and the one before it.
   */
  addModel(fit: NewModel, taken: boolean): Promise<ModelRecord>
  /** Of each workload the one in force; of one detector and workload when asked so. In order of detector and workload. */
  modelsInForce(flow: string, of?: { readonly detector: string; readonly workload: Labels }): Promise<readonly StoredModel[]>
  /** Newest first, then by flow, detector and workload. */
  models(flow?: string): Promise<readonly ModelRecord[]>
  /**
   * Puts a version in force again, whether it is retired or was refused; the one in force retires. `tried`: rows before it call for no other
   * fit. Undefined when there is no such version; nothing changes when it is in force already.
   */
  restoreModel(key: ModelKey, version: number, at: number, tried: number): Promise<ModelRecord | undefined>

  /**
   * Reads all of the file in a thread of its own. Rejects when its structure is damaged, with what to do; rows that cannot be read are found when
   * they are used.
   */
  inspect(): Promise<void>
  /** Bytes on disk, rows … for /metrics. */
  stats(): Promise<Readonly<Record<string, number>>>
  /** Writes a trifle; throws `StoreError` when nothing can be written, or when what is written goes to a file that is not there any more. */
  probe(): Promise<void>
  close(): Promise<void>
}

/** What a store is made with: the folder that relative paths start from, and the clock. */
export interface StoreNeeds {
  readonly folder: string
  readonly now: () => number
  /** Hears what people should know of the store: a row that was set aside, data that made room. */
  readonly log?: (level: Level, message: string) => void
}
