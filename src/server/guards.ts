import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '../http/loopback.ts'
import type { ServerConfig } from '../pipeline/configuration.ts'
import type { Refused } from './auth.ts'
import { Problem } from './problem.ts'

/**
 * What every answer carries. Everything comes from this server: `'self'` is all that the page may load, and `connect-src` lets it speak to
 * the API and to nobody else.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

export function secureHeaders(): MiddlewareHandler {
  return async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value)
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
  }
}

/**
 * Refuses names that are not ours: a page of another site could point its own name at our address, and the browser would let it read all
 * (DNS rebinding). Such a page has a name; beyond loopback a bare address is therefore as good as ours, and what probes and scrapers ask by.
 */
export function onlyOurHosts(server: () => ServerConfig, listening: string, refused: Refused): MiddlewareHandler {
  return async (c, next) => {
    const host = hostName(c.req.header('host') ?? new URL(c.req.url).host)
    if (!isOurs(host, server(), listening)) {
      refused('host')
      throw new Problem(
        403,
        'host',
        `Host must be loopback, the address that is listened on, that of server.externalUrl or one of server.hosts, got ${JSON.stringify(host.slice(0, 200))}`,
      )
    }
    await next()
  }
}

function isOurs(host: string, { externalUrl, hosts = [] }: ServerConfig, listening: string): boolean {
  if (isLoopback(host) || host === listening.toLowerCase() || host === hostName(urlHost(externalUrl) ?? 'localhost')) return true
  if (!isLoopback(listening) && isIP(host) !== 0) return true
  return hosts.some(known =>
    known.startsWith('*.') ? host.endsWith(known.slice(1).toLowerCase()) : host === known.toLowerCase(),
  )
}

/** Refuses changes asked for by pages of other sites. Callers without `Origin` are not browsers and carry nobody's trust. */
export function onlyOurPages(externalUrl: () => string, refused: Refused): MiddlewareHandler {
  return async (c, next) => {
    if (!['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) {
      const origin = c.req.header('origin')
      const site = c.req.header('sec-fetch-site')
      const host = c.req.header('host') ?? new URL(c.req.url).host
      const asked = origin === undefined ? host : urlHost(origin)
      const ours = asked !== undefined && [host, urlHost(externalUrl())].includes(asked)
      if (!ours || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
        refused('origin')
        throw new Problem(403, 'origin', `Origin must be this server, got ${JSON.stringify(origin ?? site)}`)
      }
    }
    await next()
  }
}

/** `[::1]:80` → `::1`, `Name:80` → `name`. */
function hostName(host: string): string {
  return (host.startsWith('[') ? host.slice(1).split(']')[0]! : host.split(':')[0]!).toLowerCase().replace(/\.$/, '')
}

/** Host and port of an address; undefined for what is none, such as the origin `null` or no external address. */
function urlHost(address: string): string | undefined {
  return (URL.canParse(address) && new URL(address).host) || undefined
}
