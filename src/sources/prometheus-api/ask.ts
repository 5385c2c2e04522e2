import { SECOND } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import { type HttpAnswer, type HttpClient, openClient } from '../../http/client.ts'
import { HttpError } from '../../http/http-error.ts'
import { readRetryAfter } from '../../http/retry-after.ts'
import { formatSize } from '../../size.ts'
import type { SourceNeeds } from '../source.ts'
import { addressOf, type Call, formOf, printCall } from './call.ts'
import { limiter } from './limit.ts'
import { beyond } from './limits.ts'
import type { Options } from './options.ts'
import { parseAnswer } from './parse-answer.ts'
import type { Read, SeriesBlock, Wanted } from './read-answer.ts'

/** What the API said: its data, and what it said beside it. */
export interface Reply {
  /** The JSON under `data`; without the series when they were wanted. */
  readonly data: unknown
  readonly series: SeriesBlock | undefined
  readonly warnings: readonly string[]
  /** The call as a `curl` command. */
  readonly request: string
}

/** Asks the API, as often and as patiently as the options say. */
export type Ask = (path: string, params: Readonly<Record<string, string>>, wanted: Wanted, signal: AbortSignal) => Promise<Reply>

const FIRST_PAUSE = SECOND / 2
const LONGEST_PAUSE = 30 * SECOND
/** A server that wants to be left alone for longer is left alone until the next run. */
const LONGEST_WISH = 120 * SECOND
/** Bytes of an answer that is an error: enough for what it says. */
const ERROR_BYTES = 64 * 1024
/** Characters of an answer that a message shows. */
const SHOWN = 300

/**
 * Makes the door to one API. Forms are posted, and sent as GET once the server answered 405. 429, 5xx and broken connections are tried again
 * after 0.5 s, 1 s, 2 s … 30 s, or when Retry-After says. Rejects with a `SourceError`, or with the reason of the signal.
 */
export function asker(options: Options, needs: SourceNeeds): Ask {
  const send = openClient(options, needs)
  const limited = limiter(options.concurrency)
  let method: Call['method'] = 'POST'

  const attempt = async (call: Call, wanted: Wanted, signal: AbortSignal): Promise<Reply | Refusal> => {
    const exchanged = await exchange(send, call, options, signal)
    if (exchanged instanceof SourceError) return { error: exchanged, wish: undefined }
    const { answer, bytes, complete } = exchanged
    if (!answer.ok) {
      if (answer.status === 405 && call.method === 'POST') return 'wants GET'
      return refuse(answer, textOf(bytes), call, options, needs.now())
    }
    if (!complete) return { error: located(tooLarge(options.maxBytes), call, options), wish: undefined }
    // The text of a message is kept: the bytes may move to another thread.
    const head = textOf(bytes.subarray(0, 4 * (SHOWN + answer.longestSecret)))
    try {
      return understand(await parseAnswer(bytes, wanted, signal), head, call, options, answer)
    } catch (error) {
      if (error instanceof SourceError) return { error: located(error, call, options), wish: undefined }
      throw error
    }
  }

  return async (path, params, wanted, signal) => {
    const all = { ...options.params, ...params }
    for (let attempts = 0; ; attempts++) {
      signal.throwIfAborted()
      // Lists of names are GET only in the older servers.
      const call: Call = { path, params: all, method: path.startsWith('query') ? method : 'GET' }
      const outcome = await limited(() => attempt(call, wanted, signal), signal)
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
  send: HttpClient,
  call: Call,
  options: Options,
  signal: AbortSignal,
): Promise<{ answer: HttpAnswer; bytes: Uint8Array<ArrayBuffer>; complete: boolean } | SourceError> {
  const { method } = call
  const { form, secrets } = formOf(call)
  const address = addressOf(call, options)
  const url = method === 'GET' && form ? `${address}?${form}` : address
  const headers = {
    accept: 'application/json',
    ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
  }
  try {
    const answer = await send({ method, url, headers, secrets, ...(method === 'POST' && { body: form }) }, signal)
    return { answer, ...(await answer.read(answer.ok ? options.maxBytes : ERROR_BYTES)) }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    if (error.kind === 'setup') throw new SourceError(error.message, { retryable: false })
    // Trust does not come back within seconds; the next run asks again.
    return fault(call, options, `must answer, got ${error.message}`, error.kind !== 'tls')
  }
}

function understand(read: Read, text: string, call: Call, options: Options, { redact }: HttpAnswer): Reply | Refusal {
  const body = asBody(read.body)
  if (body === undefined)
    // What begins as an object was cut off on its way; anything else is another kind of server.
    return {
      error: fault(call, options, `must answer in JSON, got ${excerpt(text, redact)}`, /^\s*\{/.test(text)),
      wish: undefined,
    }
  if (body.status !== 'success' || body.data === undefined)
    return {
      error: fault(call, options, `must answer with success, got ${describe(body, text, redact)}`, false),
      wish: undefined,
    }
  if (typeof body.error === 'string' && body.error !== '')
    return {
      error: fault(call, options, `must answer with success or an error, got both: ${describe(body, text, redact)}`, false),
      wish: undefined,
    }
  const { missing, remarks } = sortWarnings(body)
  const told = missing.map(redact)
  if (told.length > 0 && options.partial === 'refuse')
    return {
      error: fault(call, options, `must answer with all data, got a partial answer: ${told.join('; ')}`, true),
      wish: undefined,
    }
  const warnings = [...told.map(text => `partial answer: ${text}`), ...remarks.map(redact)]
  return { data: body.data, series: read.series, warnings, request: printCall(call, options) }
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

function refuse({ status, headers, redact }: HttpAnswer, text: string, call: Call, options: Options, now: number): Refusal {
  const retryable = status === 429 || status >= 500
  const hint =
    status === 401 || status === 403
      ? '; check the credentials'
      : status === 404
        ? '; check url: it must be the address in front of /api/v1'
        : status >= 300 && status < 400
          ? `; redirects are not followed, it points to ${redact(withoutQuery(headers.get('location')))}`
          : ''
  const body = parseJson(text)
  const said = body ? describe(body, text, redact) : text.trim() === '' ? 'nothing more' : excerpt(text, redact)
  return {
    error: fault(call, options, `must answer with success, got ${status} ${said}${hint}`, retryable, status),
    wish: retryable ? readRetryAfter(headers, now) : undefined,
  }
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
    return asBody(JSON.parse(text))
  } catch {
    return undefined
  }
}

function asBody(value: unknown): Body | undefined {
  return typeof value === 'object' && value !== null ? value : undefined
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function describe(body: Body, text: string, redact: HttpAnswer['redact']): string {
  if (typeof body.error !== 'string') return excerpt(text, redact)
  return redact(typeof body.errorType === 'string' ? `${body.errorType}: ${body.error}` : body.error)
}

function excerpt(text: string, redact: HttpAnswer['redact']): string {
  const line = redact(text).replace(/\s+/g, ' ').trim()
  return JSON.stringify(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line)
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function withoutQuery(location: string | null): string {
  return (location ?? 'nowhere').replace(/[?#].*$/, '').replace(/\/\/[^/@]*@/, '//')
}

function fault(call: Call, options: Options, message: string, retryable: boolean, status?: number): SourceError {
  const requests = [printCall(call, options)]
  return new SourceError(`prometheus at ${options.url} ${message}`, { retryable, requests, status })
}

/** The error of an answer, with the source and the request that it came from. */
function located(error: SourceError, call: Call, options: Options): SourceError {
  const { message, retryable, limit } = error
  return new SourceError(`prometheus at ${options.url} ${message}`, { retryable, limit, requests: [printCall(call, options)] })
}

function tooLarge(maxBytes: number): SourceError {
  return beyond('maxBytes', `must answer with at most ${formatSize(maxBytes)}, got more; narrow the query, or raise maxBytes`)
}
