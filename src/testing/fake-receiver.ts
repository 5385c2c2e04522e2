import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that a fake receiver got. */
export interface Receipt {
  /** Of the header `Idempotency-Key`; empty when there was none. */
  readonly key: string
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  readonly body: any
  /** The signature fits the body and the receiver's secret; undefined when it has no secret. */
  readonly signed: boolean | undefined
  /** Status that it was answered with; 0 when the connection was cut. */
  readonly status: number
}

export interface FakeReceiver {
  readonly url: string
  readonly port: number
  /** In order of arrival. */
  readonly receipts: readonly Receipt[]
  /** How often each key was accepted (2xx), in order of first acceptance. */
  counts(): ReadonlyMap<string, number>
  /** Resolves when `claim` holds; asked after every request. */
  until(claim: (receipts: readonly Receipt[]) => boolean): Promise<void>
  close(): Promise<void>
}

export interface ReceiverOptions {
  /** Default: any free port. */
  readonly port?: number
  readonly secret?: string
  /** Status to answer with, or `cut` to close the connection without an answer; `index` counts requests from 0. Default: always 200. */
  readonly answer?: (request: Omit<Receipt, 'status'>, index: number) => number | 'cut' | Promise<number | 'cut'>
}

/** A real HTTP server on 127.0.0.1 that accepts webhooks and counts them by key. */
export async function openReceiver(options: ReceiverOptions = {}): Promise<FakeReceiver> {
  const receipts: Receipt[] = []
  const waiting = new Set<{ claim: (receipts: readonly Receipt[]) => boolean; resolve: () => void }>()
  let requests = 0

  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request) pieces.push(piece)
    } catch {
      return // The sender died in the middle of its request; nothing was received.
    }
    const text = Buffer.concat(pieces).toString('utf8')
    const receipt = {
      key: String(request.headers['idempotency-key'] ?? ''),
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      text,
      body: parse(text),
      signed: options.secret === undefined ? undefined : isSigned(request.headers['x-tidewatch-signature'], text, options.secret),
    }
    const status = (await options.answer?.(receipt, requests++)) ?? 200
    receipts.push({ ...receipt, status: status === 'cut' ? 0 : status })
    if (status === 'cut') request.socket.destroy()
    else response.writeHead(status).end()
    for (const each of waiting) if (each.claim(receipts)) each.resolve()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    receipts,
    counts() {
      const counts = new Map<string, number>()
      for (const { key, status } of receipts) if (status >= 200 && status < 300) counts.set(key, (counts.get(key) ?? 0) + 1)
      return counts
    },
    async until(claim) {
      if (claim(receipts)) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const entry = { claim, resolve }
      waiting.add(entry)
      await promise
      waiting.delete(entry)
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Written apart from the sender's code on purpose: it is what a receiver's author reads in the docs. */
function isSigned(header: string | string[] | undefined, text: string, secret: string): boolean {
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header)) ?? []
  return signature !== undefined && createHmac('sha256', secret).update(`${time}.${text}`).digest('hex') === signature
}
