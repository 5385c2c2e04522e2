import { SECOND } from '../duration.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import { type Configuration, SELF_WATCH } from '../pipeline/configuration.ts'
import { deliver } from '../responding/outbox.ts'
import type { Change, Store } from '../stores/store.ts'
import type { World } from './world.ts'

const FAREWELL_WITHIN = 10 * SECOND

/** Withdraws the open anomalies of flows that are not configured any more; the channels that were notified of them hear it. The watch on itself stays. */
export async function withdrawRemovedFlows(store: Store, { flows }: Configuration, at: number): Promise<readonly Change[]> {
  const configured = new Set([SELF_WATCH, ...flows.map(({ name }) => name)])
  const open = await store.anomalies({ status: 'open', includeIgnored: true, limit: Infinity })
  const removed = new Set(open.map(({ flow }) => flow).filter(flow => !configured.has(flow)))
  const changes: Change[] = []
  for (const flow of removed) changes.push(...(await store.withdraw(flow, `flow ${flow} is not configured any more`, at)))
  return changes
}

export interface FarewellParts extends Pick<World, 'now' | 'random' | 'log'> {
  readonly store: Store
  /** Ends it early. */
  readonly signal: AbortSignal
  /** ms that a channel may take to hear the end of what it was notified of; default ten seconds. */
  readonly within?: number
}

/**
 * Ends channels that are not configured any more: those that can still be reached, in `before`, hear in a bounded time that what they were notified of
 * is withdrawn; whatever then waits is abandoned and said in the log. Never rejects.
 */
export async function removeChannels(
  parts: FarewellParts,
  { notifiers }: Configuration,
  before: Readonly<Record<string, Notifier>>,
): Promise<void> {
  const { store, log } = parts
  try {
    const known = new Set([...(await store.channels()).map(({ channel }) => channel), ...Object.keys(before)])
    const removed = [...known].filter(channel => !notifiers[channel])
    await Promise.all(removed.map(channel => removeChannel(parts, channel, before[channel])))
  } catch (error) {
    log('error', `channels that are not configured any more could not be ended: ${(error as Error).message}`)
  }
}

async function removeChannel(parts: FarewellParts, channel: string, notifier: Notifier | undefined): Promise<void> {
  const { store, now, log } = parts
  const because = `channel ${channel} is not configured any more`
  if (notifier) {
    await store.endChannel(channel, because, now())
    await sayFarewell(parts, channel, notifier)
  }
  const abandoned = await store.dropChannel(channel, because, now())
  if (abandoned > 0) log('warning', `${because}: ${abandoned} of its messages were never accepted`)
}

/** Delivers what is due for one channel, until nothing is or the time is over. */
async function sayFarewell(parts: FarewellParts, channel: string, notifier: Notifier): Promise<void> {
  const { store, now, random, log } = parts
  const signal = AbortSignal.any([parts.signal, AbortSignal.timeout(parts.within ?? FAREWELL_WITHIN)])
  const onError = (name: string, error: Error) => log('warning', `${name}: ${error.message}`)
  while (!signal.aborted) {
    const { delivered } = await deliver({ store, channels: { [channel]: notifier }, now, random, onError, signal })
    if (delivered === 0) return
  }
}
