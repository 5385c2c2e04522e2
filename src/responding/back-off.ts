import { DAY, HOUR, MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Message } from '../stores/store.ts'

/** When a message is sent again, and when never. Times are ms. */
export interface BackOffOptions {
  /** Wait before the second attempt; doubles with each. */
  readonly firstRetry: number
  readonly longestRetry: number
  /**
   * A message about an anomaly that is over is given up when it still fails this long after the end was found; by then nobody waits for it.
   * A message about an anomaly that is open is never given up.
   */
  readonly giveUpAfter: number
}

export const BACK_OFF_DEFAULTS: BackOffOptions = {
  firstRetry: 2 * SECOND,
  longestRetry: 5 * MINUTE,
  giveUpAfter: 7 * DAY,
}

/** Longest wait that the other side may ask for. */
const LONGEST_RETRY_AFTER = HOUR

export const isEnd = ({ kind }: Pick<Message, 'kind'>) => kind === 'resolved' || kind === 'withdrawn'

/** When to repeat to a side that forgets what it accepted; undefined: never. */
export function nextSending(message: Message, { resend }: Notifier, at: number): number | undefined {
  if (!resend) return undefined
  const next = at + resend.every
  return isEnd(message) && next > message.createdAt + resend.afterEnd ? undefined : next
}

/** What the message says is over, and has been for so long that it is not worth another attempt. */
export function isHopeless({ kind, createdAt, overtakenAt }: Message, { giveUpAfter }: BackOffOptions, now: number): boolean {
  const overSince = overtakenAt ?? (isEnd({ kind }) ? createdAt : undefined)
  return overSince !== undefined && now - overSince >= giveUpAfter
}

/**
 * When to try again after a failure of the channel. A side that forgets is never waited for longer than between two repetitions, even when it
 * asks for it: it would end what it was not told again.
 */
export function nextAttempt(
  { attempts }: Message,
  error: Error,
  { resend }: Notifier,
  options: BackOffOptions,
  now: number,
  random: number,
): number {
  const asked = error instanceof DeliveryError ? Math.min(error.retryAfter ?? 0, LONGEST_RETRY_AFTER) : 0
  const most = resend?.every ?? Infinity
  const back = Math.min(options.longestRetry, most, options.firstRetry * 2 ** Math.min(attempts, 30))
  // Half of the wait is random, so that many messages do not come back at once; never earlier than asked for.
  const wait = Math.max(asked, back / 2) + (random * back) / 2
  return now + Math.ceil(Math.min(wait, most))
}
