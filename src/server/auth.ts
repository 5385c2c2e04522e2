import { createHmac, randomBytes } from 'node:crypto'
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import { SECOND } from '../duration.ts'
import { hashToken, isSame, verifyPassword } from '../password.ts'
import type { AuthConfig } from '../pipeline/configuration.ts'
import { Attempts } from './attempts.ts'
import { networkMatcher, plainAddress } from './networks.ts'
import { lockedPage } from './page.ts'
import type { ServerParts } from './parts.ts'
import { Problem, printProblem } from './problem.ts'

const HEALTH = ['/-/healthy', '/-/ready']
/** Passwords that were right lately: checking one takes 50 ms and 32 MiB, and a page asks every few seconds. */
const MAX_VERIFIED = 1000
/** Passwords that are checked at a time; more wait. */
const MAX_CHECKS = 2
/** Requests that wait for a check; one more is sent away. */
const MAX_WAITING = 50
/** Compared with when the user is unknown, so that the time does not say so. No password has this hash. */
const NOBODY = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

type Reason = 'credentials' | 'rate' | 'host' | 'origin'
export type Refused = (reason: Reason) => void

/** Asks who it is: basic, bearer or the header of a trusted proxy. Without `server.auth` anybody may ask. */
export function onlyOurUsers({ configuration, now }: ServerParts, refused: Refused): MiddlewareHandler {
  const attempts = new Attempts(now)
  const passwords = openPasswords()
  /** Hashes of tokens that were right: somebody who guesses from the same address must not lock out a scraper. */
  const tokens = new Set<string>()
  return async (c, next) => {
    const { auth } = configuration().server
    if (!auth || isOpen(auth, c.req.path)) return next()
    const address = addressOf(c)
    if (isFromProxy(auth, c, address)) return next()
    const [scheme = '', given = ''] = (c.req.header('authorization') ?? '').split(/ +(.*)/s)
    const basic = scheme.toLowerCase() === 'basic'
    const token = scheme.toLowerCase() === 'bearer' && isToken(given, auth) ? hashToken(given) : undefined
    const known = basic ? passwords.isKnown(given, auth) : token !== undefined && tokens.has(token)
    if (known) return next()
    const wait = attempts.wait(address)
    if (wait > 0) {
      refused('rate')
      c.header('Retry-After', String(Math.ceil(wait / SECOND)))
      return printProblem(c, 429, 'too-many-attempts', `must wait ${Math.ceil(wait / SECOND)} s after wrong credentials`)
    }
    if (basic ? await passwords.check(given, auth) : token !== undefined) {
      if (token !== undefined) tokens.add(token)
      attempts.succeed(address)
      return next()
    }
    // A browser asks without credentials first; that is no attempt.
    if (given !== '') attempts.fail(address)
    refused('credentials')
    c.header('WWW-Authenticate', challenge(auth))
    // What a person sees who has no password, or was not asked for one.
    if (c.req.path === '/' && c.req.header('accept')?.includes('text/html')) return c.html(lockedPage(auth), 401)
    return printProblem(c, 401, 'credentials', 'must have the credentials of server.auth')
  }
}

function isOpen({ open }: AuthConfig, path: string): boolean {
  return (open.includes('health') && HEALTH.includes(path)) || (open.includes('metrics') && path === '/metrics')
}

/** The socket's address; what headers say of it can be made up. */
export function addressOf(c: Context): string {
  return plainAddress((c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.remoteAddress)
}

function isFromProxy({ proxy }: AuthConfig, c: Context, address: string): boolean {
  return proxy !== undefined && (c.req.header(proxy.header) ?? '') !== '' && networkMatcher(proxy.from)(address)
}

function isToken(token: string, { bearer }: AuthConfig): boolean {
  const hash = hashToken(token)
  // All are compared, so that the time does not say which came near.
  return Object.values(bearer).filter(known => isSame(known, hash)).length > 0
}

function challenge({ basic, bearer }: AuthConfig): string {
  const schemes = [
    ...(Object.keys(basic).length > 0 ? ['Basic realm="Tidewatch", charset="UTF-8"'] : []),
    ...(Object.keys(bearer).length > 0 ? ['Bearer realm="Tidewatch"'] : []),
  ]
  return schemes.join(', ') || 'Proxy realm="Tidewatch"'
}

function openPasswords() {
  const secret = randomBytes(32)
  const verified = new Set<string>()
  let running = 0
  const waiting: (() => void)[] = []

  /** What was right is remembered without the password, and forgotten when the user's hash is another. */
  const keyOf = (given: string, { user, hash }: { user: string; hash: string }) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([given, user, hash]))
      .digest('hex')

  return {
    isKnown(given: string, auth: AuthConfig): boolean {
      const asked = readBasic(given, auth)
      return asked !== undefined && verified.has(keyOf(given, asked))
    },
    async check(given: string, auth: AuthConfig): Promise<boolean> {
      const asked = readBasic(given, auth)
      if (!asked) return false
      if (waiting.length >= MAX_WAITING)
        throw new Problem(503, 'busy', `passwords to check must be at most ${MAX_WAITING}; ask again later`)
      if (running >= MAX_CHECKS) await new Promise<void>(resolve => waiting.push(resolve))
      running++
      try {
        const good = await verifyPassword(asked.password, asked.hash)
        if (good) verified.add(keyOf(given, asked))
        if (verified.size > MAX_VERIFIED) verified.delete(verified.values().next().value!)
        return good
      } finally {
        running--
        waiting.shift()?.()
      }
    },
  }
}

/** User and password of a header, with the hash to compare with; undefined for what is no such header. */
function readBasic(given: string, { basic }: AuthConfig): { user: string; password: string; hash: string } | undefined {
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(given, 'base64').toString('utf8')) ?? []
  if (user === undefined || password === undefined) return undefined
  return { user, password, hash: Object.hasOwn(basic, user) ? basic[user]! : NOBODY }
}
