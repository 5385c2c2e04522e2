import { seriesId } from '../anomaly.ts'
import { formatDuration, MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Message, Store } from '../stores/store.ts'
import { BACK_OFF_DEFAULTS, type BackOffOptions, isHopeless, nextAttempt, nextSending } from './back-off.ts'
import { sendWithin } from './send-within.ts'

/**
 * Carries messages from the store's outbox to the notifiers: at least once, each with its key, in order per anomaly, each channel by itself.
 * A message about an anomaly that is open is tried until it is accepted, however long the channel fails and whatever it answers.
 */

export interface Outbox {
  readonly store: Pick<Store, 'outbox' | 'hasten' | 'delivered' | 'retry' | 'setAside' | 'skip' | 'abandon'>
  /** By the names that flows use. */
  readonly channels: Readonly<Record<string, Notifier>>
  readonly now: () => number
  /** From 0 to 1, for jitter. */
  readonly random: () => number
  /** Flows whose messages wait, because what the store says of them may be long over; default none. */
  readonly held?: () => readonly string[]
  /** Hears what became of every attempt, first message or repetition. */
  readonly onAttempt?: (channel: string, attempt: Attempt) => void
  /** Hears of a store that fails; the channel then waits and goes on. */
  readonly onError?: (channel: string, error: Error) => void
  readonly options?: Partial<OutboxOptions>
}

/** set aside: the content was refused. abandoned: it failed once more, and is about something that has been over for long. */
export type Attempt =
  | { readonly outcome: 'accepted'; readonly message: Message }
  | {
      readonly outcome: 'failed' | 'set aside' | 'abandoned'
      readonly message: Message
      readonly error: Error
      readonly reason: string
    }

/** All times in ms. */
export interface OutboxOptions extends BackOffOptions {
  /** Messages of one channel on their way at once. */
  readonly concurrency: number
  /** Messages read at once. */
  readonly batch: number
  /** A sending that takes longer has failed, whatever the notifier thinks. */
  readonly deadline: number
  /** Time between two looks for due messages when nobody calls `wake`. */
  readonly poll: number
}

export const OUTBOX_DEFAULTS: OutboxOptions = {
  ...BACK_OFF_DEFAULTS,
  concurrency: 4,
  batch: 100,
  deadline: MINUTE,
  poll: SECOND,
}

/** What one pass did with the messages that were due. */
export interface Delivered {
  readonly delivered: number
  readonly retried: number
  readonly setAside: number
  /** Not sent, because a newer message about the same anomaly waits behind it. */
  readonly skipped: number
  readonly abandoned: number
}

const NOTHING: Delivered = { delivered: 0, retried: 0, setAside: 0, skipped: 0, abandoned: 0 }

/** One pass over all channels. Rejects when the store fails, after all channels are done. */
export async function deliver(outbox: Outbox & { readonly signal: AbortSignal }): Promise<Delivered> {
  const passes = Object.keys(outbox.channels).map(channel =>
    deliverChannel(outbox, channel, { accepted: new Map(), isProbing: false }, outbox.signal),
  )
  const results = await Promise.allSettled(passes)
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  return results.map(result => (result as PromiseFulfilledResult<Delivered>).value).reduce(add, NOTHING)
}

/** The loop over `deliver`: each channel goes at its own pace. `run` resolves when the signal aborts; `wake` says that there is something new. */
export function fromOutbox(outbox: Outbox): { run(signal: AbortSignal): Promise<void>; wake(): void } {
  const { poll, longestRetry } = { ...OUTBOX_DEFAULTS, ...outbox.options }
  let bell = Promise.withResolvers<void>()

  async function runChannel(channel: string, signal: AbortSignal): Promise<void> {
    const memory: ChannelMemory = { accepted: new Map(), isProbing: false }
    const longestWait = Math.max(longestRetry, outbox.channels[channel]!.resend?.every ?? 0)
    let before: number | undefined
    while (!signal.aborted) {
      // Taken before looking, so that a call during the pass is not missed.
      const rung = bell.promise
      try {
        // Times that were written before the clock was set back, now or while nothing ran, would be waited for in vain.
        const at = outbox.now()
        if (before === undefined || at < before) await outbox.store.hasten(channel, before === undefined ? at + longestWait : at)
        before = at
        const done = await deliverChannel(outbox, channel, memory, signal)
        // Not until the bell: a channel that fails would be asked without end.
        if (memory.isProbing) await waitFor(poll, undefined, signal)
        else if (Object.values(done).every(count => count === 0)) await waitFor(poll, rung, signal)
      } catch (error) {
        if (!signal.aborted) outbox.onError?.(channel, toError(error))
        await waitFor(poll, undefined, signal)
      }
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

interface ChannelMemory {
  /** Messages that the other side has and the store does not know about yet, because writing failed: they are written, not sent again. */
  readonly accepted: Map<
    number,
    { readonly at: number; readonly again: number | undefined; readonly identity: string | undefined }
  >
  /** The channel failed in the last pass: the next one sends one message at a time, to see whether it works again. */
  isProbing: boolean
}

async function deliverChannel(outbox: Outbox, channel: string, memory: ChannelMemory, signal: AbortSignal): Promise<Delivered> {
  const { store, now } = outbox
  const options = { ...OUTBOX_DEFAULTS, ...outbox.options }
  const notifier = outbox.channels[channel]!
  const done = { ...NOTHING } as { -readonly [Name in keyof Delivered]: number }
  let hasFailed = false

  const record = async (message: Message) => {
    const { at, again, identity } = memory.accepted.get(message.id)!
    await store.delivered(message.id, at, again, identity)
    memory.accepted.delete(message.id)
    done.delivered++
    outbox.onAttempt?.(channel, { outcome: 'accepted', message })
  }

  const recordFailure = async (message: Message, error: Error) => {
    const at = now()
    const { about, reason } = error instanceof DeliveryError ? error : { about: 'channel', reason: 'other' }
    const heard = { message, error, reason }
    if (about === 'message') {
      await store.setAside(message.id, at, nextSending(message, notifier, at), error.message)
      done.setAside++
      outbox.onAttempt?.(channel, { ...heard, outcome: 'set aside' })
      return
    }
    hasFailed = true
    if (isHopeless(message, options, at)) {
      const { accepted } = message
      // A repetition of what was accepted: nobody misses it.
      if (accepted?.kind === message.kind && accepted.at >= message.createdAt) {
        await store.skip(message.id, at)
        done.skipped++
        return
      }
      await store.abandon(message.id, at, `given up ${formatDuration(options.giveUpAfter)} after the end: ${error.message}`)
      done.abandoned++
      outbox.onAttempt?.(channel, { ...heard, outcome: 'abandoned' })
      return
    }
    await store.retry(message.id, at, nextAttempt(message, error, notifier, options, at, outbox.random()), error.message)
    done.retried++
    outbox.onAttempt?.(channel, { ...heard, outcome: 'failed' })
  }

  const sendOne = async (message: Message): Promise<void> => {
    if (memory.accepted.has(message.id)) return record(message)
    if (notifier.resend && message.overtakenAt !== undefined) {
      // A side that keeps a state needs the newest one only: what is over would fire, and what is open would end, for a moment.
      await store.skip(message.id, now())
      done.skipped++
      return
    }
    let identity: string | void
    try {
      identity = await sendWithin(notifier, message, options.deadline, signal)
    } catch (thrown) {
      // Cut off by us: it stays due, and its key tells the other side if it arrived after all.
      if (!signal.aborted) await recordFailure(message, toError(thrown))
      return
    }
    const at = now()
    memory.accepted.set(message.id, { at, again: nextSending(message, notifier, at), identity: identity ?? undefined })
    await record(message)
  }

  const due = await store.outbox(channel, now(), options.batch, outbox.held?.())
  const series = Map.groupBy(due, ({ anomaly }) => `${anomaly.flow} ${seriesId(anomaly.labels)}`)
  // What is about one series stays in order even across anomalies: the other side may take two of them for the same thing.
  await forEachAtOnce([...series.values()], memory.isProbing ? 1 : options.concurrency, async messages => {
    // What was not tried stays due, so that during an outage few messages are tried, and after it all of them at once.
    for (const message of messages) if (!signal.aborted && !hasFailed) await sendOne(message)
  })
  memory.isProbing = hasFailed
  return done
}

function add(a: Delivered, b: Delivered): Delivered {
  return {
    delivered: a.delivered + b.delivered,
    retried: a.retried + b.retried,
    setAside: a.setAside + b.setAside,
    skipped: a.skipped + b.skipped,
    abandoned: a.abandoned + b.abandoned,
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
