import { seriesId } from '../anomaly.ts'
import { DAY, formatDuration, HOUR, MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Message, Store } from '../stores/store.ts'

/** Carries messages from the store's outbox to the notifiers: at least once, each with its key, in order per anomaly, each channel by itself. */

export interface Outbox {
  readonly store: Pick<Store, 'outbox' | 'delivered' | 'retry' | 'abandon'>
  /** By the names that flows use. */
  readonly channels: Readonly<Record<string, Notifier>>
  readonly now: () => number
  /** From 0 to 1, for jitter. */
  readonly random: () => number
  /** Told about every failed delivery, and about a store that fails (the channel then waits and goes on). */
  readonly onError?: (channel: string, error: Error) => void
  readonly options?: Partial<OutboxOptions>
}

/** All times in ms. */
export interface OutboxOptions {
  /** Messages of one channel on their way at once. */
  readonly concurrency: number
  /** Messages read at once. */
  readonly batch: number
  /** Wait before the second attempt; doubles with each. */
  readonly firstRetry: number
  readonly longestRetry: number
  /** A message that failed for so long is abandoned; not while it says what is still so and would be sent again anyway. */
  readonly giveUpAfter: number
  /** A sending that takes longer has failed, whatever the notifier thinks. */
  readonly deadline: number
  /** Time between two looks for due messages when nobody calls `wake`. */
  readonly poll: number
}

export const OUTBOX_DEFAULTS: OutboxOptions = {
  concurrency: 4,
  batch: 100,
  firstRetry: 2 * SECOND,
  longestRetry: 5 * MINUTE,
  giveUpAfter: DAY,
  deadline: MINUTE,
  poll: SECOND,
}

/** What one pass did with the messages that were due. */
export interface Delivered {
  readonly delivered: number
  readonly retried: number
  readonly abandoned: number
}

/** Longest wait that the other side may ask for. */
const LONGEST_WISH = HOUR

/** One pass over all channels: each due message is sent once. Rejects when the store fails, after all channels are done. */
export async function deliver(outbox: Outbox & { readonly signal: AbortSignal }): Promise<Delivered> {
  const passes = Object.keys(outbox.channels).map(channel => deliverChannel(outbox, channel, new Map(), outbox.signal))
  const results = await Promise.allSettled(passes)
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return results.reduce(
    (sum, result) => {
      const { delivered, retried, abandoned } = (result as PromiseFulfilledResult<Delivered>).value
      return {
        delivered: sum.delivered + delivered,
        retried: sum.retried + retried,
        abandoned: sum.abandoned + abandoned,
      }
    },
    { delivered: 0, retried: 0, abandoned: 0 },
  )
}

/** The loop over `deliver`: each channel goes at its own pace. `run` resolves when the signal aborts; `wake` says that there is something new. */
export function fromOutbox(outbox: Outbox): { run(signal: AbortSignal): Promise<void>; wake(): void } {
  const { poll } = { ...OUTBOX_DEFAULTS, ...outbox.options }
  let bell = Promise.withResolvers<void>()

  async function runChannel(channel: string, signal: AbortSignal): Promise<void> {
    const accepted: Accepted = new Map()
    while (!signal.aborted) {
      // Taken before looking, so that a call during the pass is not missed.
      const rung = bell.promise
      let busy = false
      try {
        const { delivered, retried, abandoned } = await deliverChannel(outbox, channel, accepted, signal)
        busy = delivered + retried + abandoned > 0
      } catch (error) {
        if (!signal.aborted) outbox.onError?.(channel, toError(error))
        // Not until the bell: a store that fails would be asked without end.
        await waitFor(poll, undefined, signal)
        continue
      }
      if (!busy) await waitFor(poll, rung, signal)
    }
  }

  return {
    async run(signal) {
      await Promise.all(Object.keys(outbox.channels).map(channel => runChannel(channel, signal)))
    },
    wake() {
      bell.resolve()
      bell = Promise.withResolvers<void>()
    },
  }
}

/** Messages that the other side has and the store does not know about yet, because writing failed: they are written, not sent again. */
type Accepted = Map<number, { readonly at: number; readonly again: number | undefined }>

async function deliverChannel(outbox: Outbox, channel: string, accepted: Accepted, signal: AbortSignal): Promise<Delivered> {
  const { store, now } = outbox
  const options = { ...OUTBOX_DEFAULTS, ...outbox.options }
  const notifier = outbox.channels[channel]!
  const done = { delivered: 0, retried: 0, abandoned: 0 }

  const record = async (id: number) => {
    const { at, again } = accepted.get(id)!
    await (again === undefined ? store.delivered(id, at) : store.delivered(id, at, again))
    accepted.delete(id)
    done.delivered++
  }

  const sendOne = async (message: Message): Promise<void> => {
    if (signal.aborted) return
    if (accepted.has(message.id)) return record(message.id)
    try {
      await sendWithin(notifier, message, options.deadline, signal)
    } catch (thrown) {
      // Cut off by us: it stays due, and its key tells the other side if it arrived after all.
      if (signal.aborted) return
      const error = toError(thrown)
      outbox.onError?.(channel, error)
      if (message.deliveredAt !== undefined && nextSending(message, notifier, now()) === undefined) {
        // A repetition that need not be made any more; it was accepted before.
        await store.delivered(message.id, message.deliveredAt)
        done.delivered++
        return
      }
      const next = afterFailure(message, error, notifier, options, now(), outbox.random())
      if (next.abandon) {
        await store.abandon(message.id, now(), next.reason)
        done.abandoned++
      } else {
        await store.retry(message.id, next.at, error.message)
        done.retried++
      }
      return
    }
    const at = now()
    accepted.set(message.id, { at, again: nextSending(message, notifier, at) })
    await record(message.id)
  }

  const due = await store.outbox(channel, now(), options.batch)
  const series = Map.groupBy(due, ({ anomaly }) => `${anomaly.flow} ${anomaly.detector} ${seriesId(anomaly.labels)}`)
  // What is about one series stays in order even across anomalies: the other side may take two of them for the same thing.
  await forEachAtOnce([...series.values()], options.concurrency, async messages => {
    for (const message of messages) await sendOne(message)
  })
  return done
}

/** When to say it again to a side that forgets; undefined: never. */
export function nextSending(message: Message, { resend }: Notifier, at: number): number | undefined {
  if (!resend) return undefined
  const next = at + resend.every
  const ended = message.kind === 'resolved' || message.kind === 'withdrawn'
  return ended && next > message.createdAt + resend.afterEnd ? undefined : next
}

type Next = { readonly abandon: true; readonly reason: string } | { readonly abandon: false; readonly at: number }

function afterFailure(
  message: Message,
  error: Error,
  notifier: Notifier,
  options: OutboxOptions,
  now: number,
  random: number,
): Next {
  // A fault that is not the notifier's word about the message is a fault of ours, and may be mended.
  const refused = error instanceof DeliveryError && error.about === 'message'
  if (refused) return { abandon: true, reason: error.message }

  const stillSo = notifier.resend !== undefined && message.kind === 'opened'
  const failing = now - (message.deliveredAt ?? message.createdAt)
  if (failing >= options.giveUpAfter && !stillSo)
    return { abandon: true, reason: `given up after ${formatDuration(options.giveUpAfter)}: ${error.message}` }

  const wish = error instanceof DeliveryError ? Math.min(error.retryAfter ?? 0, LONGEST_WISH) : 0
  const longest = Math.min(options.longestRetry, notifier.resend?.every ?? Infinity)
  const back = Math.min(longest, options.firstRetry * 2 ** Math.min(message.attempts, 30))
  // Half of the wait is random, so that many messages do not come back at once; never earlier than asked for.
  return { abandon: false, at: now + Math.ceil(Math.max(wish, back / 2) + (random * back) / 2) }
}

/** Sends, and fails when the notifier neither resolves nor rejects in time, even when it does not heed the signal. */
async function sendWithin(notifier: Notifier, message: Message, deadline: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const { promise: cut, reject } = Promise.withResolvers<never>()
  const stop = () => {
    over.abort(signal.reason)
    reject(signal.reason)
  }
  const timer = setTimeout(() => {
    const error = new DeliveryError(`must be sent within ${formatDuration(deadline)}, got no answer`, {
      about: 'channel',
      reason: 'timeout',
    })
    over.abort(error)
    reject(error)
  }, deadline)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const sent = notifier.send(message, over.signal)
    // Whoever loses the race must not become an unhandled rejection.
    sent.catch(() => {})
    await Promise.race([sent, cut])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function forEachAtOnce<Item>(items: readonly Item[], limit: number, work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values()
  const errors: unknown[] = []
  const worker = async () => {
    for (const item of rest) {
      try {
        await work(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (errors.length > 0) throw errors[0]
}

/** Resolves after `ms`, when the bell rings or when the signal aborts, whichever is first. */
async function waitFor(ms: number, rung: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = () => resolve()
  const timer = setTimeout(stop, ms)
  signal.addEventListener('abort', stop, { once: true })
  await (rung ? Promise.race([promise, rung]) : promise)
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
}

const toError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)))
