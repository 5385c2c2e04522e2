import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { StartError } from '../errors.ts'

export interface Listening {
  /** Where it can be reached, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Takes no more requests and ends those that are open, event streams too. */
  close(): Promise<void>
}

/** What answers a request; an app of Hono has it. */
export type Fetch = Parameters<typeof serve>[0]['fetch']

/** Listens; port 0 takes any. Rejects when the address is taken or not ours. */
export function listen(app: { readonly fetch: Fetch }, { host, port }: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(
        new StartError(`server.listen must be a free address of this machine, got ${host}:${port}: ${cause.message}`, { cause }),
      )
    const server = serve({ fetch: app.fetch, createServer, hostname: host, port }, address => {
      server.off('error', refuse)
      resolve({ url: `http://${printHost(address)}:${address.port}`, port: address.port, close: () => closeAll(server) })
    }) as Server
    server.once('error', refuse)
  })
}

/** Requests in the middle get a second to end; streams never would. */
function closeAll(server: Server): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => server.closeAllConnections(), 1000)
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
