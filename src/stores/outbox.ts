import { DAY } from '../duration.ts'
import type { Change, ChangeKind, StoredAnomaly } from './store.ts'

/** How long delivered and abandoned messages of anomalies that are over are kept. */
export const KEEP_MESSAGES = 30 * DAY
/** Runs that are remembered of each flow. */
export const KEEP_RUNS = 200

/**
 * The kind of message that a change means for a channel whose last message about this anomaly was `told`; undefined: nothing to say.
 * An end is told only to those who were told of the beginning, and what is ignored after it was told is taken back.
 */
export function kindToTell({ kind, anomaly }: Change, told: ChangeKind | undefined): ChangeKind | undefined {
  if (anomaly.status === 'withdrawn' || anomaly.ignored !== undefined)
    return told === 'opened' || told === 'resolved' ? 'withdrawn' : undefined
  if (kind === 'resolved') return told === 'opened' ? 'resolved' : undefined
  return anomaly.status === 'open' && told !== 'opened' ? 'opened' : undefined
}

/** The same for one change however often it is sent. */
export function messageKey({ id, version }: StoredAnomaly, kind: ChangeKind): string {
  return `${id}:${version}:${kind}`
}

const STATUS = { opened: 'open', updated: 'open', resolved: 'resolved', withdrawn: 'withdrawn' } as const

/** The anomaly as a message of that kind tells it. */
export function asTold(anomaly: StoredAnomaly, kind: ChangeKind): StoredAnomaly {
  return { ...anomaly, status: STATUS[kind] }
}
