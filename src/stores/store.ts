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

/** Rows of a run of which nothing is known: what was said of them before stays. */
export interface UnknownRows {
  /** No series of the flow has a value from here on, so that the source may not know them yet, or lie. */
  readonly from: number
  /** Detectors that are not concerned by `from`: that there are no values is what they look for. */
  readonly except: readonly string[]
  /** Of single series: start and end of each stretch, one after the other. */
  readonly stretches: readonly { readonly labels: Labels; readonly detector: string; readonly times: Float64Array }[]
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
  /** Absent: all rows of the range are known. */
  readonly unknown?: UnknownRows
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
  /** Names of the flow's detectors: what others found is open no more (see `reconcile`). Absent: nothing is known of others. */
  readonly detectors?: readonly string[]
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
  /** Why it was withdrawn, when that was not because a later look saw no anomaly there: `flow dns is not configured any more`. */
  readonly withdrawnBecause?: string
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
  /** When the newest message about its anomaly was written that waits behind it: what this one says is over. Absent: it is the newest. */
  readonly overtakenAt?: number
  /** The other side refused its content before. */
  readonly isSetAside?: true
  /** What the channel last accepted about its anomaly; absent when nothing. */
  readonly accepted?: Accepted
  /** Of an end: the other open anomalies of its flow and series that the channel was told of, or is about to be. */
  readonly stillOpen?: readonly StoredAnomaly[]
}

/** `identity` is by what the other side knows it, as the notifier said when it was accepted (see `Notifier.send`). */
export interface Accepted {
  readonly kind: ChangeKind
  /** When a message of that kind was first accepted; repetitions do not move it. */
  readonly at: number
  readonly identity?: string
}

/**
 * What a channel was told of an anomaly, or is to be told. accepted: the other side took it, `at` that time. pending: not yet, written `at`.
 * set aside: its content was refused `at` that time; it waits for the next change or repetition of its anomaly.
 */
export interface Notification {
  readonly anomaly: string
  readonly channel: string
  readonly kind: ChangeKind
  readonly state: 'accepted' | 'pending' | 'set aside'
  readonly at: number
  /** Why it was not accepted yet, when it was tried. */
  readonly error?: string
}

export interface FlowState {
  readonly flow: string
  /** NaN before the first run. */
  readonly watermark: number
  /** Latest end of rows that were known to any run; NaN before the first. */
  readonly horizon: number
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
  /** When the oldest of them was written; NaN when there is none. */
  readonly oldestPendingAt: number
  /** Messages whose content was refused, and that wait for the next change or repetition of their anomaly. */
  readonly setAside: number
  readonly delivered: number
  /** Given up for good: about anomalies that had been over for long. */
  readonly abandoned: number
  /** NaN before the first delivery. */
  readonly lastDeliveredAt: number
  /** Of the last attempt, first message or repetition; undefined when it was accepted. */
  readonly lastError: string | undefined
  /** Since when the channel accepts nothing; NaN while it works. Refused contents count from the third in a row on. */
  readonly failingSince: number
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

  /**
   * Makes the flows known, each due at `at` unless it has a time already that is not after `latest`: a later one is from before the clock was set
   * back, or from another schedule. Flows that are not listed are not claimed any more.
   */
  schedule(flows: readonly { readonly flow: string; readonly at: number; readonly latest?: number }[]): Promise<void>
  /** Withdraws all open anomalies of a flow with a reason; every channel that was notified of one hears it. */
  withdraw(flow: string, because: string, at: number): Promise<readonly Change[]>
  /** Flows that are due and not leased, oldest first; leases them until `now + lease`. A lease that ends later is from before the clock was set back, and void. */
  claim(now: number, lease: number, limit?: number): Promise<readonly string[]>
  /** Ends the lease and sets the next time. */
  release(flow: string, nextRunAt: number): Promise<void>

  /** Messages due for the channel, oldest first; per anomaly only the oldest that is undelivered. None of the flows that are `held`. */
  outbox(channel: string, now: number, limit?: number, held?: readonly string[]): Promise<readonly Message[]>
  /**
   * Accepted by the other side. `again`: keep it for re-sending at that time (see `Notifier.resend`). When the channel had been failing for
   * a while, its other messages that failed are due at once.
   */
  delivered(id: number, at: number, again?: number, identity?: string): Promise<void>
  /** The channel failed at `at`: the message is due again at `again`. */
  retry(id: number, at: number, again: number, error: string): Promise<void>
  /** Its content was refused: it is due again at `again`, or else when its anomaly changes; it holds nothing back. */
  setAside(id: number, at: number, again: number | undefined, error: string): Promise<void>
  /** Need not be sent any more, because what it says is over; nothing is lost with it. */
  skip(id: number, at: number): Promise<void>
  /** Will not be sent again; shown to people. */
  abandon(id: number, at: number, error: string): Promise<void>
  channels(): Promise<readonly ChannelState[]>
  /** Nothing that waits for the channel waits longer than until `latest`: times from before the clock was set back are too late. */
  hasten(channel: string, latest: number): Promise<void>
  /**
   * Writes, for a channel that goes, that each open anomaly it was notified of is withdrawn, with a reason. The anomalies themselves stay as they are.
   * Returns how many messages that makes.
   */
  endChannel(channel: string, because: string, at: number): Promise<number>
  /** Abandons what still waits for a channel that is gone, and repeats nothing any more. Returns how many messages were never accepted. */
  dropChannel(channel: string, because: string, at: number): Promise<number>
  /** What channels were told of these anomalies, or are to be told; in order of time. */
  notifications(anomalies: readonly string[]): Promise<readonly Notification[]>

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
