import { DeliveryError } from '../errors.ts'
import type { HttpAnswer, HttpClient } from '../http/client.ts'
import { HttpError } from '../http/http-error.ts'
import { readRetryAfter } from '../http/retry-after.ts'

export interface Post {
  readonly url: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Texts that must not appear in an error, beside those of the client's options. */
  readonly secrets?: readonly string[]
}

/** Statuses that speak of the content of a message. All others could be an outage, of which no message may be lost. */
const CONTENT_REFUSED: ReadonlySet<number> = new Set([400, 413, 422])

/**
 * Resolves when the answer is 2xx; every failure is a `DeliveryError` without secrets. Only 400, 413 and 422 are about the message; every
 * other answer, network fault, time-out and unreadable file is about the channel, redirects too, which are not followed. Rejects with the
 * signal's reason when aborted from outside.
 */
export async function post(send: HttpClient, request: Post, now: () => number, signal: AbortSignal): Promise<void> {
  const place = new URL(request.url).origin
  const headers = { 'content-type': 'application/json', 'user-agent': 'tidewatch', ...request.headers }
  try {
    const answer = await send({ ...request, method: 'POST', headers }, signal)
    if (answer.ok) return await answer.discard()
    const { status } = answer
    const words = await firstWords(answer)
    const retryAfter = readRetryAfter(answer.headers, now())
    throw new DeliveryError(`${answer.redact(place)} must answer 2xx, got ${status}${words && ` ${words}`}`, {
      about: CONTENT_REFUSED.has(status) ? 'message' : 'channel',
      reason: String(status),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  } catch (error) {
    throw asDeliveryError(error, place)
  }
}

/** The error for a request to `place` that got no answer, which is about the channel; every other error as it is. */
export function asDeliveryError(error: unknown, place: string): unknown {
  if (!(error instanceof HttpError)) return error
  const message = error.kind === 'setup' ? error.message : `${place} must answer, got ${error.message}`
  return new DeliveryError(message, { about: 'channel', reason: REASONS[error.kind] })
}

const REASONS = { setup: 'credentials', timeout: 'timeout', tls: 'tls', network: 'unreachable' } as const

const LONGEST_ANSWER = 300

/** The beginning of an answer on one line, for people; a long answer is not read to its end. */
async function firstWords(answer: HttpAnswer): Promise<string> {
  // A secret that the limit cut in two would not be known again, so the end of a text that goes on is left out.
  const longest = 3 * answer.longestSecret
  const { bytes, complete } = await answer.read(4 * LONGEST_ANSWER + 2 * longest)
  const text = answer.redact(new TextDecoder().decode(bytes))
  return (complete || longest === 0 ? text : text.slice(0, -longest))
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_ANSWER)
}
