import { formatDuration } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Message } from '../stores/store.ts'

/** Sends, and fails when the notifier neither resolves nor rejects in time, even when it does not heed the signal. */
export async function sendWithin(
  notifier: Notifier,
  message: Message,
  deadline: number,
  signal: AbortSignal,
): Promise<string | void> {
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
    return await Promise.race([notifier.send(message, over.signal), cut])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
