import type { Registry } from 'prom-client'
import type { Labels } from '../anomaly.ts'
import type { FitReason } from '../detectors/detector.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import type { Store } from '../stores/store.ts'

/** What was last seen of one source. `error` is absent while it answers. Times are epoch ms, NaN: not checked yet. */
export interface SourceHealth {
  readonly name: string
  readonly type: string
  readonly ok: boolean
  readonly error?: string
  readonly checkedAt: number
}

/** How the program is now. `reasons` say, for people, why it is not ready; empty when it is. */
export interface Health {
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** Epoch ms. */
  readonly startedAt: number
  readonly sources: readonly SourceHealth[]
  readonly workers: { readonly size: number; readonly busy: number; readonly queued: number }
  readonly training: { readonly waiting: number; readonly running: readonly Fit[]; readonly failed: readonly FailedFit[] }
}

/** A fit that is being made. */
export interface Fit {
  readonly flow: string
  readonly detector: string
  readonly workload: Labels
  readonly reason: FitReason
  readonly startedAt: number
  /** Share that is done, 0 … 1. */
  readonly done: number
}

/** A workload whose last fit failed. */
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

/** What the server is made with, so that tests own the world. It only reads, but for `reload` and models that are taken back. */
export interface ServerParts {
  readonly store: Store
  /** The configuration in force. */
  readonly configuration: () => Configuration
  readonly health: () => Health
  /** Loads the configuration again; throws `ConfigError` and keeps the old one when it is wrong. */
  readonly reload: () => Promise<void>
  readonly metrics: Registry
  readonly now: () => number
  readonly version: string
  /** Takes one line for each request that failed inside; nothing is written without it. */
  readonly log?: (line: string) => void
}
