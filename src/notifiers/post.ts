import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { formatDuration, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import { secret } from '../schema.ts'
import type { Secret } from '../secret.ts'

/** What notifiers that speak HTTP share: addresses, credentials, and one POST whose every failure is a `DeliveryError` without secrets. */

/** An http(s) address, without credentials in it: they would be seen in lists and logs. */
export const address = () =>
  z.string().superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (!url || !/^https?:$/.test(url.protocol))
      context.addIssue({ code: 'custom', message: 'must be an address that begins with http:// or https://' })
    else if (url.username || url.password)
      context.addIssue({ code: 'custom', message: 'must hold no user or password, got some: put them under basicAuth' })
  })

/** A secret that an unset variable cannot make empty. */
export const filledSecret = () => secret().refine(given => given.reveal() !== '', { message: 'must not be empty' })

/** Options for showing the other side who is asking; the names are those of the sources. */
export const credentialOptions = {
  basicAuth: z
    .strictObject({ username: z.string(), password: filledSecret().optional(), passwordFile: z.string().optional() })
    .refine(given => (given.password === undefined) !== (given.passwordFile === undefined), {
      message: 'must have one of password and passwordFile',
    })
    .optional(),
  bearerToken: filledSecret().optional(),
  bearerTokenFile: z.string().optional(),
  headers: z.record(z.string(), secret()).default({}),
}

export interface Credentials {
  readonly basicAuth?:
    | { readonly username: string; readonly password?: Secret | undefined; readonly passwordFile?: string | undefined }
    | undefined
  readonly bearerToken?: Secret | undefined
  readonly bearerTokenFile?: string | undefined
  readonly headers: Readonly<Record<string, Secret>>
}

/** At most one way to say who is asking. */
export function checkCredentials(given: Credentials, context: z.core.$RefinementCtx): void {
  const ways = (['basicAuth', 'bearerToken', 'bearerTokenFile'] as const).filter(name => given[name] !== undefined)
  if (ways.length > 1)
    context.addIssue({
      code: 'custom',
      message: `must have one of basicAuth, bearerToken and bearerTokenFile, got ${ways.join(' and ')}`,
    })
}

export interface Headers {
  readonly headers: Readonly<Record<string, string>>
  /** Texts that must not appear in an error. */
  readonly secrets: readonly string[]
}

/** Reads files each time, so that rotated secrets are used at once. Throws a retryable `DeliveryError` when a file cannot be read. */
export async function credentialHeaders(given: Credentials, folder = '.'): Promise<Headers> {
  const headers: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(given.headers)) {
    headers[name] = value.reveal()
    secrets.push(value.reveal())
  }
  const { basicAuth } = given
  if (basicAuth) {
    const password = basicAuth.password?.reveal() ?? (await readSecret(basicAuth.passwordFile!, folder))
    const pair = Buffer.from(`${basicAuth.username}:${password}`).toString('base64')
    headers.authorization = `Basic ${pair}`
    secrets.push(password, pair)
  }
  const token = given.bearerToken?.reveal() ?? (given.bearerTokenFile && (await readSecret(given.bearerTokenFile, folder)))
  if (token) {
    headers.authorization = `Bearer ${token}`
    secrets.push(token)
  }
  return { headers, secrets }
}

/** The text of a secret's file without the line break at its end. Throws a retryable `DeliveryError` when there is none. */
export async function readSecret(file: string, folder = '.'): Promise<string> {
  let text: string
  try {
    text = (await readFile(resolve(folder, file), 'utf8')).trim()
  } catch (error) {
    throw new DeliveryError(`must be able to read ${file}, got ${(error as NodeJS.ErrnoException).code}`, { retryable: true })
  }
  // Going on without would send unsigned or as nobody.
  if (!text) throw new DeliveryError(`${file} must hold a secret, got an empty file`, { retryable: true })
  return text
}

export interface Post extends Headers {
  readonly url: string
  readonly body: string
  /** ms until an answer must be there. */
  readonly timeout: number
  readonly fetch: typeof fetch
  readonly now: () => number
}

/**
 * Resolves when the answer is 2xx. Network faults, time-outs, 408, 425, 429 and 5xx are retryable; redirects are not followed and, like every
 * other answer, not retryable. Rejects with the signal's reason when aborted from outside.
 */
export async function post(request: Post, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const place = new URL(request.url).origin
  const inTime = AbortSignal.timeout(request.timeout)
  const fail = (text: string, retryable: boolean, retryAfter?: number) =>
    new DeliveryError(redact(`${place} ${text}`, request.secrets), {
      retryable,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  try {
    const response = await request.fetch(request.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'tidewatch', ...request.headers },
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, inTime]),
    })
    if (response.ok) {
      await response.body?.cancel()
      return
    }
    const { status } = response
    const retryable = status === 408 || status === 425 || status === 429 || status >= 500
    const answer = await firstWords(response, request.secrets)
    throw fail(`must answer 2xx, got ${status}${answer && ` ${answer}`}`, retryable, retryAfter(response, request.now()))
  } catch (error) {
    if (error instanceof DeliveryError) throw error
    if (signal.aborted) throw signal.reason
    if (inTime.aborted) throw fail(`must answer within ${formatDuration(request.timeout)}, got nothing`, true)
    // The cause is told, not attached: it may print headers.
    throw fail(`must be reachable, got ${describe(error)}`, true)
  }
}

/** Puts *** wherever one of the secrets stands, also in JSON's spelling. */
export function redact(text: string, secrets: readonly string[]): string {
  // Longest first, so that a secret that holds another one leaves nothing behind.
  const known = secrets
    .flatMap(each => [each, JSON.stringify(each).slice(1, -1)])
    .filter(Boolean)
    .toSorted((a, b) => b.length - a.length)
  return known.reduce((rest, each) => rest.replaceAll(each, '***'), text)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const own = error.message || code || error.name
  return error.cause === undefined ? own : `${own} (${describe(error.cause)})`
}

/** ms that the other side asks to wait, from seconds or an HTTP date; undefined when it does not say. */
function retryAfter(response: Response, now: number): number | undefined {
  const text = response.headers.get('retry-after')
  if (!text) return undefined
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * SECOND : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

const LONGEST_ANSWER = 300

/** The beginning of an answer on one line, for people; a long answer is not read to its end. */
async function firstWords(response: Response, secrets: readonly string[]): Promise<string> {
  if (!response.body) return ''
  // So far that no secret is cut in two and half of it shown.
  const enough = LONGEST_ANSWER + Math.max(0, ...secrets.map(secret => 2 * secret.length))
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > enough) break
  }
  return redact(text, secrets)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_ANSWER)
}
