import { formatDuration } from '../duration.ts'
import { authorize } from './authorize.ts'
import { HttpError } from './http-error.ts'
import { fromNetworkError } from './network-error.ts'
import type { Connection } from './options.ts'
import { redact } from './redact.ts'
import { tlsFetch } from './tls-fetch.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Texts of this request that must not be seen, beside those of the options. */
  readonly secrets?: readonly string[]
}

export interface HttpAnswer {
  readonly status: number
  readonly ok: boolean
  readonly headers: Headers
  /** The first `limit` bytes of the body, the rest is not read; `complete` says whether there is no rest. */
  read(limit?: number): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly complete: boolean }>
  /** Leaves the body unread. */
  discard(): Promise<void>
  /** Text of the other side without what we sent it in confidence. */
  redact(text: string): string
  /** Length of the longest secret, for those who cut a text before they redact it. */
  readonly longestSecret: number
}

/** Sends one request. Rejects with an `HttpError`, or with the reason of the signal. */
export type HttpClient = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>

export interface HttpNeeds {
  readonly fetch: typeof fetch
  /** Folder that relative file names of the options start from. */
  readonly folder: string
}

/**
 * Makes the one way to send requests: with credentials and certificates as the files hold them now, without following redirects, which
 * would carry our headers to an address that nobody configured. `timeout` (ms) includes the reading of the body.
 */
export function openClient(options: Connection & { readonly timeout: number }, needs: HttpNeeds): HttpClient {
  const send = options.tls ? tlsFetch(options.tls, needs.folder) : needs.fetch
  return async ({ method, url, headers, body, secrets: more = [] }, signal) => {
    signal.throwIfAborted()
    const given = await authorize(options, needs.folder)
    signal.throwIfAborted()
    const secrets = [...given.secrets, ...more]
    const late = AbortSignal.timeout(options.timeout)
    const guard = async <Value>(task: () => Promise<Value>): Promise<Value> => {
      try {
        return await task()
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof HttpError) throw error
        if (late.aborted) throw new HttpError(`no answer within ${formatDuration(options.timeout)}`, 'timeout')
        // The cause is described, not attached: it may print headers.
        throw fromNetworkError(error, text => redact(text, secrets))
      }
    }
    const response = await guard(() =>
      send(url, {
        method,
        headers: { ...headers, ...given.headers },
        ...(body !== undefined && { body }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, late]),
      }),
    )
    return {
      status: response.status,
      ok: response.ok,
      headers: response.headers,
      read: (limit = Infinity) => guard(() => readBody(response, limit)),
      async discard() {
        // The answer is known by its status; that the rest of it was cut off does not change it.
        await response.body?.cancel().catch(() => {})
      },
      redact: text => redact(text, secrets),
      longestSecret: Math.max(0, ...secrets.map(secret => secret.length)),
    }
  }
}

/** Room for a body whose length nobody said, and the most that is believed of one that was said. */
const FIRST_ROOM = 64 * 1024
const MOST_ROOM = 32 * 1024 * 1024

/** Copies chunk by chunk into room that doubles, so that the thread is never kept for the length of a large body. */
async function readBody(response: Response, limit: number) {
  const said = Number(response.headers.get('content-length')) || FIRST_ROOM
  let room = new Uint8Array(Math.min(limit, said, MOST_ROOM))
  let length = 0
  for await (const chunk of response.body ?? []) {
    const part = chunk.subarray(0, limit - length)
    if (length + part.length > room.length) {
      const grown = new Uint8Array(Math.min(limit, Math.max(2 * room.length, length + part.length)))
      grown.set(room.subarray(0, length))
      room = grown
    }
    room.set(part, length)
    length += part.length
    if (part.length < chunk.length) return { bytes: room.subarray(0, length), complete: false }
  }
  return { bytes: room.subarray(0, length), complete: true }
}
