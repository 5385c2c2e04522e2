import type { z } from 'zod'
import type { Registry } from '../component.ts'
import type { Connection } from '../http/options.ts'
import type { Secret } from '../secret.ts'

/** A part as written in a file: its type and its options, not yet checked. Plain data, so that it crosses threads. */
export interface Part {
  readonly type: string
  readonly [option: string]: unknown
}

/** A part whose options are checked and hold ready values (ms, `Secret`); lives in the main thread only. */
export interface CheckedPart {
  readonly type: string
  readonly config: unknown
}

/** What a flow asks: one question, whose series are looked at one by one unless `columns` is given, or several that are looked at together. */
export interface QueryConfig {
  readonly source: string
  /** The one question; there unless there are `queries`. */
  readonly expr?: string
  readonly step: number
  /** Several questions by name, each a column of the frame. */
  readonly queries?: Readonly<Record<string, string>>
  /** With `queries`: labels that tell apart what they are about, each with a frame of its own. */
  readonly by?: readonly string[]
  /** With `expr`: series that differ only in these labels are the columns of one frame. */
  readonly columns?: readonly string[]
}

/** One flow, as people write it, durations in ms. Plain data. */
export interface FlowConfig {
  readonly name: string
  readonly summary?: string
  readonly every: number
  /** Cron expression (UTC) that says when, instead of every multiple of `every`. */
  readonly cron?: string
  readonly query: QueryConfig
  /** What is done to the rows before detectors see them, one after the other; `absence` sees them as they are. */
  readonly transform?: readonly Part[]
  /** When something is to be expected: rows inside an event teach nothing. Files are read already. */
  readonly calendar?: readonly Part[]
  /** Side by side; each keeps its own rule and band. Names are unique in the flow (default: the type). */
  readonly detect: readonly (Part & { readonly name: string })[]
  readonly rule: Part
  readonly refine: readonly Part[]
  readonly notify: readonly string[]
  readonly owner?: string
  readonly runbook?: string
  /** Labels of the flow's alerts, beside those of the series. */
  readonly labels: Readonly<Record<string, string>>
  readonly severity: 'critical' | 'warning' | 'info'
  /** How late data may be: a run looks at rows before `now - delay`. */
  readonly delay: number
  /** How far back each run looks again, for data that came late or changed. */
  readonly reexamine: number
  /** History that a cold start reads; by default what the detectors ask for. */
  readonly lookback?: number
  /** How long scores are kept for charts. */
  readonly keep: number
  readonly deadline: number
  /** A series that is absent for so long is forgotten. */
  readonly forget: number
  /** Labels that tell the series of one workload apart, which share their models; by default those of pods. */
  readonly replicas?: readonly string[]
}

/** Where the service listens, and who may ask it. */
export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly externalUrl: string
  /** Names under which it is asked, beside loopback, `host` and that of `externalUrl`; `*.example.org` for all below one. */
  readonly hosts?: readonly string[]
  /** Anybody who reaches it may ask; only looked at without `auth`. */
  readonly insecure?: boolean
  /** PEM files, relative to the folder of the configuration. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  readonly auth?: AuthConfig
  readonly maxConnections?: number
}

export interface AuthConfig {
  /** Hash of the password by name of the user. */
  readonly basic: Readonly<Record<string, string>>
  /** Hash of the token by its name. */
  readonly bearer: Readonly<Record<string, string>>
  /** A proxy that has asked who it is: its header is believed when it comes from these addresses or networks. */
  readonly proxy?: { readonly header: string; readonly from: readonly string[] }
  /** What anybody may ask. */
  readonly open: readonly ('health' | 'metrics')[]
}

/** The name of the flow by which the watch reports on itself; no flow of a file has it. */
export const SELF_WATCH = 'tidewatch'

/** How the watch reports on itself. */
export interface WatchConfig {
  /** ms that a source, flow or channel fails before people are notified. */
  readonly after: number
  /** Channels that are notified; default all. */
  readonly notify?: readonly string[]
  readonly severity: FlowConfig['severity']
}

/** What feeds a dead man's switch. */
export interface HeartbeatConfig extends Connection {
  /** An address that is asked; it is a secret, since whoever knows it can feed the switch. */
  readonly url?: Secret
  readonly method: 'GET' | 'POST'
  /** ms */
  readonly every: number
  readonly timeout: number
  /** Channels through which an alert fires that must not end. */
  readonly notify: readonly string[]
}

export interface Configuration {
  readonly file: string
  readonly sources: Readonly<Record<string, CheckedPart>>
  readonly notifiers: Readonly<Record<string, CheckedPart>>
  readonly store: CheckedPart
  readonly server: ServerConfig
  readonly workers: number
  /** Threads that fit models, and the time (ms) after which a fit is cancelled. */
  readonly training: { readonly threads: number; readonly deadline: number }
  readonly flows: readonly FlowConfig[]
  /** Absent: the defaults of `execution/watch/self-watch.ts`. */
  readonly watch?: WatchConfig
  readonly heartbeat?: HeartbeatConfig
}

/** Checks the options of a part against its family and makes it. Throws a zod error or `TypeError` for an unknown type. */
export function create<Made, Needs>(family: Registry<Made, Needs>, part: Part, needs: Needs): Made {
  const { type, ...options } = part
  const member = family[type]
  if (!member) throw new TypeError(`type must be one of ${Object.keys(family).join(', ')}, got ${type}`)
  return member.create((member.config as z.ZodType).parse(options), needs)
}
