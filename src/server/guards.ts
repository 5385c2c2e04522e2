import type { MiddlewareHandler } from 'hono'
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
 * Refuses names that are not ours while listening on loopback, where a page of another site could otherwise reach us by pointing its own name
 * at 127.0.0.1 (DNS rebinding).
 */
export function onlyOurHosts(listening: string, externalUrl: () => string): MiddlewareHandler {
  return async (c, next) => {
    const host = hostName(c.req.header('host') ?? new URL(c.req.url).host)
    if (isLoopback(listening) && !isLoopback(host) && host !== hostName(urlHost(externalUrl()) ?? 'localhost'))
      throw new Problem(403, 'host', `Host must be a name of this machine or of server.externalUrl, got ${JSON.stringify(host)}`)
    await next()
  }
}

/** Refuses changes asked for by pages of other sites. Callers without `Origin` are not browsers and carry nobody's trust. */
export function onlyOurPages(externalUrl: () => string): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const origin = c.req.header('origin')
      const site = c.req.header('sec-fetch-site')
      const host = c.req.header('host') ?? new URL(c.req.url).host
      const asked = origin === undefined ? host : urlHost(origin)
      const ours = asked !== undefined && [host, urlHost(externalUrl())].includes(asked)
      if (!ours || (site !== undefined && site !== 'same-origin' && site !== 'none'))
        throw new Problem(403, 'origin', `Origin must be this server, got ${JSON.stringify(origin ?? site)}`)
    }
    await next()
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** `[::1]:80` → `::1`, `Name:80` → `name`. */
function hostName(host: string): string {
  return (host.startsWith('[') ? host.slice(1).split(']')[0]! : host.split(':')[0]!).toLowerCase().replace(/\.$/, '')
}

/** Host and port of an address; undefined for what is none, such as the origin `null` or no external address. */
function urlHost(address: string): string | undefined {
  return (URL.canParse(address) && new URL(address).host) || undefined
}
