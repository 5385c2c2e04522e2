import type { Registry } from 'prom-client'
import type { TrainingLoad } from '../execution/trainer.ts'
import type { Tracked } from '../execution/watch/track.ts'
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
  /** Parts of the watch that do not work now. */
  readonly problems: readonly Tracked[]
  readonly workers: { readonly size: number; readonly busy: number; readonly queued: number }
  readonly training: TrainingLoad
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
