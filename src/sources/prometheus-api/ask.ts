import { formatDuration, SECOND } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import type { SourceNeeds } from '../source.ts'
import { authorize, blot } from './authorize.ts'
import { addressOf, type Call, printCurl } from './curl.ts'
import { httpsFetch } from './https-fetch.ts'
import { limiter } from './limit.ts'
import type { Options } from './options.ts'

/** What the API said: its data, and what it said beside it. */
export interface Reply {
  readonly data: unknown
  readonly warnings: readonly string[]
  /** The call as a `curl` command. */
  readonly request: string
}

/** Asks the API, as often and as patiently as the options say. */
export type Ask = (path: string, params: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Reply>

const FIRST_PAUSE = SECOND / 2
const LONGEST_PAUSE = 30 * SECOND
/** A server that wants to be left alone for longer is left alone until the next run. */
const LONGEST_WISH = 120 * SECOND

/**
 * Makes the door to one API. Forms are posted, and sent as GET once the server answered 405. 429, 5xx and broken connections are tried again
 * after 0.5 s, 1 s, 2 s … 30 s, or when Retry-After says. Rejects with a `SourceError`, or with the reason of the signal.
 */
export function asker(options: Options, needs: SourceNeeds): Ask {
  const send = options.tls ? httpsFetch(options.tls, needs.folder) : needs.fetch
  const limited = limiter(options.concurrency)
  let method: Call['method'] = 'POST'

  const attempt = async (call: Call, signal: AbortSignal): Promise<Reply | Refusal> => {
    const { headers, secrets } = await authorize(options, needs.folder)
    const answer = await exchange(send, call, options, headers, secrets, signal)
    if (answer instanceof SourceError) return { error: answer, wish: undefined }
    const { response, text } = answer
    if (response.ok) return understand(text, call, options, secrets)
    if (response.status === 405 && call.method === 'POST') return 'wants GET'
    return refuse(response, text, call, options, secrets, needs.now)
  }

  return async (path, params, signal) => {
    const all = { ...options.params, ...params }
    for (let attempts = 0; ; attempts++) {
      signal.throwIfAborted()
      // Lists of names are GET only in the older servers.
      const call: Call = { path, params: all, method: path.startsWith('query') ? method : 'GET' }
      const outcome = await limited(() => attempt(call, signal), signal)
      if (outcome === 'wants GET') {
        method = 'GET'
        attempts--
        continue
      }
      if (!('error' in outcome)) return outcome
      const { error, wish } = outcome
      if (!error.retryable || attempts >= options.retries || (wish ?? 0) > LONGEST_WISH) throw error
      await needs.sleep(wish ?? Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempts), signal)
    }
  }
}

type Refusal = 'wants GET' | { readonly error: SourceError; readonly wish: number | undefined }

async function exchange(
  send: typeof fetch,
  call: Call,
  options: Options,
  headers: Readonly<Record<string, string>>,
  secrets: readonly string[],
  signal: AbortSignal,
): Promise<{ response: Response; text: string } | SourceError> {
  const form = new URLSearchParams(call.params).toString()
  const address = addressOf(call, options)
  const late = AbortSignal.timeout(options.timeout)
  try {
    const response = await send(call.method === 'GET' && form ? `${address}?${form}` : address, {
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(call.method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(call.method === 'POST' && { body: form }),
      // A redirect would carry our headers to an address that nobody configured.
      redirect: 'manual',
      signal: AbortSignal.any([signal, late]),
    })
    return { response, text: await response.text() }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof SourceError) throw error
    const reason = late.aborted ? `no answer within ${formatDuration(options.timeout)}` : blot(reasonOf(error), secrets)
    return fault(call, options, `must answer, got ${reason}`, true)
  }
}

function understand(text: string, call: Call, options: Options, secrets: readonly string[]): Reply | Refusal {
  const body = parseJson(text)
  if (body === undefined)
    // What begins as an object was cut off on its way; anything else is another kind of server.
    return {
      error: fault(call, options, `must answer in JSON, got ${excerpt(text, secrets)}`, /^\s*\{/.test(text)),
      wish: undefined,
    }
  if (body.status !== 'success' || body.data === undefined)
    return {
      error: fault(call, options, `must answer with success, got ${describe(body, text, secrets)}`, false),
      wish: undefined,
    }
  const { missing, remarks } = sortWarnings(body)
  const told = missing.map(text => blot(text, secrets))
  if (told.length > 0 && options.partial === 'refuse')
    return {
      error: fault(call, options, `must answer with all data, got a partial answer: ${told.join('; ')}`, true),
      wish: undefined,
    }
  const warnings = [...told.map(text => `partial answer: ${text}`), ...remarks.map(text => blot(text, secrets))]
  return { data: body.data, warnings, request: printCurl(call, options) }
}

/**
 * Remarks on the query begin with `PromQL`; every other warning (a store of Thanos that is down, remote read, a limit that cut) tells of
 * data that is not there. VictoriaMetrics says `isPartial`.
 */
function sortWarnings(body: Body): { missing: string[]; remarks: string[] } {
  const missing: string[] = []
  const remarks: string[] = []
  for (const text of listOf(body.warnings)) (/^PromQL (warning|info)\b/i.test(text) ? remarks : missing).push(text)
  remarks.push(...listOf(body.infos))
  if (body.isPartial === true) missing.push('isPartial: some storage nodes did not answer')
  return { missing, remarks }
}

function refuse(
  response: Response,
  text: string,
  call: Call,
  options: Options,
  secrets: readonly string[],
  now: () => number,
): Refusal {
  const { status } = response
  const retryable = status === 429 || status >= 500
  const hint =
    status === 401 || status === 403
      ? '; check the credentials'
      : status === 404
        ? '; check url: it must be the address in front of /api/v1'
        : status >= 300 && status < 400
          ? `; redirects are not followed, it points to ${blot(withoutQuery(response.headers.get('location')), secrets)}`
          : ''
  const body = parseJson(text)
  const said = body ? describe(body, text, secrets) : text.trim() === '' ? 'nothing more' : excerpt(text, secrets)
  return {
    error: fault(call, options, `must answer with success, got ${status} ${said}${hint}`, retryable),
    wish: retryable ? parseRetryAfter(response.headers.get('retry-after'), now) : undefined,
  }
}

/** ms until a time given as seconds or as a date of HTTP; undefined when it is neither. */
export function parseRetryAfter(text: string | null, now: () => number): number | undefined {
  if (text === null || text.trim() === '') return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * SECOND
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now())
}

interface Body {
  readonly status?: unknown
  readonly data?: unknown
  readonly errorType?: unknown
  readonly error?: unknown
  readonly warnings?: unknown
  readonly infos?: unknown
  readonly isPartial?: unknown
}

function parseJson(text: string): Body | undefined {
  try {
    const body = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

function describe(body: Body, text: string, secrets: readonly string[]): string {
  if (typeof body.error !== 'string') return excerpt(text, secrets)
  return blot(typeof body.errorType === 'string' ? `${body.errorType}: ${body.error}` : body.error, secrets)
}

function excerpt(text: string, secrets: readonly string[]): string {
  const line = blot(text, secrets).replace(/\s+/g, ' ').trim()
  return JSON.stringify(line.length > 300 ? `${line.slice(0, 300)}…` : line)
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function withoutQuery(location: string | null): string {
  return (location ?? 'nowhere').replace(/[?#].*$/, '').replace(/\/\/[^/@]*@/, '//')
}

/** The innermost cause says most: fetch itself only says that it failed. */
function reasonOf(error: unknown): string {
  let inner = error as { message?: string; code?: string; cause?: unknown; errors?: unknown[] }
  for (let depth = 0; depth < 5; depth++) {
    const next = inner.cause ?? inner.errors?.[0]
    if (typeof next !== 'object' || next === null) break
    inner = next
  }
  const message = inner.message || String(inner)
  return inner.code && !message.includes(inner.code) ? `${inner.code} ${message}` : message
}

function fault(call: Call, options: Options, message: string, retryable: boolean): SourceError {
  return new SourceError(`prometheus at ${options.url} ${message}`, { retryable, requests: [printCurl(call, options)] })
}
