import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { SECOND } from '../duration.ts'
import { StartError } from '../errors.ts'
import { type CertificateFiles, MIN_VERSION, readCertificate, renewCertificate } from './certificate.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** HTTPS with these files, absolute paths; without them HTTP. */
  readonly tls?: CertificateFiles
  /** Connections at a time; one more is closed at once. */
  readonly maxConnections?: number
  /** ms in which the headers of a request must be there. */
  readonly headersTimeout?: number
  /** ms between looks for a renewed certificate. */
  readonly renewEvery?: number
  /** Takes a line when the certificate was renewed, or could not be. */
  readonly log?: (line: string) => void
}

export interface Listening {
  /** Where it can be reached, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Takes no more requests and ends those that are open, event streams too. */
  close(): Promise<void>
}

/** What answers a request; an app of Hono has it. */
export type Fetch = Parameters<typeof serve>[0]['fetch']

const MAX_CONNECTIONS = 1000
const HEADERS_TIMEOUT = 10 * SECOND

/** Who is slower than this sends nothing that is meant: all of the API's bodies are small. */
const limitsOf = (headersTimeout: number) => ({
  headersTimeout,
  requestTimeout: 3 * headersTimeout,
  connectionsCheckingInterval: headersTimeout / 2,
  /** Longer than proxies keep theirs (a minute), so that they never meet a connection that was just closed. */
  keepAliveTimeout: 75 * SECOND,
  maxHeaderSize: 16 * 1024,
})

/** Listens. Rejects when the address is taken or not ours, or the certificate is none. */
export async function listen(app: { readonly fetch: Fetch }, options: ListenOptions): Promise<Listening> {
  const { host, port, tls, maxConnections = MAX_CONNECTIONS, log = () => {} } = options
  const limits = limitsOf(options.headersTimeout ?? HEADERS_TIMEOUT)
  const certificate = tls && (await readCertificate(tls))
  const made = certificate
    ? {
        createServer: createHttpsServer,
        serverOptions: { ...limits, ...certificate, minVersion: MIN_VERSION, handshakeTimeout: 10 * SECOND } as const,
      }
    : { createServer, serverOptions: limits }
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(
        new StartError(`server.listen must be a free address of this machine, got ${host}:${port}: ${cause.message}`, { cause }),
      )
    const server = serve({ fetch: app.fetch, ...made, hostname: host, port }, address => {
      server.off('error', refuse)
      const every = options.renewEvery === undefined ? {} : { every: options.renewEvery }
      const stop = certificate ? renewCertificate(server as HttpsServer, tls!, certificate, { log, ...every }) : () => {}
      const close = () => {
        stop()
        return closeAll(server)
      }
      resolve({ url: `${tls ? 'https' : 'http'}://${printHost(address)}:${address.port}`, port: address.port, close })
    }) as Server
    server.maxConnections = maxConnections
    server.once('error', refuse)
  })
}

/** Requests in the middle get a second to end; streams never would. */
function closeAll(server: Server): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => server.closeAllConnections(), SECOND)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}

function printHost({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost'
  return family === 'IPv6' ? `[${address}]` : address
}
