import { signal } from '@preact/signals'
import type { AnomalyWire, ChannelWire, FlowWire, ModelWire, SourceWire, StatusWire } from './api.ts'

/** All that was read from the server last, in one piece, so that no part of the page contradicts another. */
export interface Picture {
  readonly status: StatusWire
  readonly open: readonly AnomalyWire[]
  readonly recent: readonly AnomalyWire[]
  readonly flows: readonly FlowWire[]
  readonly sources: readonly SourceWire[]
  readonly channels: readonly ChannelWire[]
  readonly models: readonly ModelWire[]
}

/** The flow by which the watch reports on itself. */
export const SELF_WATCH = 'tidewatch'

/** Undefined until the first answer. */
export const picture = signal<Picture | undefined>(undefined)

/** live: told of changes. polling: asks now and then. refused: answers with an error. down: does not answer. */
export const connection = signal<'loading' | 'live' | 'polling' | 'refused' | 'down'>('loading')

/** The error of the last answer, while the connection is `refused`. */
export const refusal = signal<{ readonly status: number; readonly message: string } | undefined>(undefined)

/** Epoch ms by the clock of the server, which may replay the past; moves every few seconds. */
export const now = signal(Date.now())

/** The anomaly that the address names. */
export const linkedId = signal<string | undefined>(undefined)
/** That anomaly when it is in no list, or why it cannot be shown. */
export const linked = signal<AnomalyWire | { readonly missing: string } | undefined>(undefined)
