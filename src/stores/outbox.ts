import { DAY, SECOND } from '../duration.ts'
import type { Change, ChangeKind, Notification, StoredAnomaly } from './store.ts'

/** How long delivered, abandoned and set aside messages of anomalies that are over are kept. */
export const KEEP_MESSAGES = 30 * DAY
/** So many refused contents in a row, with nothing accepted between them, are a failure of the channel and not of one message. */
export const REFUSALS_OF_A_FAILING_CHANNEL = 3
/**
 * When a channel accepts again after it failed for so long, all that failed is due at once. After a shorter failure the waits are short
 * anyway, and a side that refuses one message out of many is not asked for that one after each of the others.
 */
export const FAILED_FOR_A_WHILE = 10 * SECOND

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

/** Order of what channels were told: by time, and for one time always the same. */
export function byTime(a: Notification, b: Notification): number {
  const key = ({ anomaly, channel, kind, state }: Notification) => `${anomaly} ${channel} ${state} ${kind}`
  return a.at - b.at || (key(a) < key(b) ? -1 : 1)
}
