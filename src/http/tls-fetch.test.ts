import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createPlainServer } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alertmanager } from '../notifiers/alertmanager.ts'
import type { Notifier, NotifierNeeds } from '../notifiers/notifier.ts'
import { webhook } from '../notifiers/webhook.ts'
import { prometheus } from '../sources/prometheus.ts'
import { AUTHORITY, type Certificate, CLIENT, EXPIRED, RENEWED, SERVER, STRANGER } from '../testing/certificates.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'

const never = new AbortController().signal
const QUERY = { expr: 'up', range: { start: 0, end: 60_000 }, step: 15_000 }

interface Seen {
  readonly method: string | undefined
  readonly body: string
  /** Common name of the certificate that the client showed. */
  readonly client: string | undefined
  readonly socket: TLSSocket
}

/** A server that answers as the API of Prometheus does, zipped, and keeps what it saw. */
async function openServer({ cert, key }: Certificate, clients: 'none' | 'asked' | 'needed') {
  const seen: Seen[] = []
  const held: (() => void)[] = []
  const options = { cert, key, ca: AUTHORITY.cert, requestCert: clients !== 'none', rejectUnauthorized: clients === 'needed' }
  const server: Server = createServer(options, (request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const socket = request.socket as TLSSocket
      seen.push({ method: request.method, body, client: socket.getPeerCertificate().subject?.CN as string | undefined, socket })
      if (body.includes('query=hang')) return
      if (body.includes('query=cut')) return void socket.destroy()
      const answer = { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values: [[15, '2']] }] } }
      const reply = () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        response.end(gzipSync(JSON.stringify(answer)))
      }
      if (body.includes('query=slow')) held.push(reply)
      else reply()
    })
  })
  // Until the client is done with a connection, it stays.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return { url, seen, held, close, [Symbol.asyncDispose]: close }
}

let folder: string
let server: Awaited<ReturnType<typeof openServer>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'))
  const save = (name: string, text: string) => writeFile(join(folder, name), text)
  for (const [name, { cert, key }] of Object.entries({ client: CLIENT, expired: EXPIRED, stranger: STRANGER })) {
    await save(`${name}.pem`, cert)
    await save(`${name}.key`, key)
  }
  await save('ca.pem', AUTHORITY.cert)
  await save('text.pem', 'no certificate')
  server = await openServer(SERVER, 'asked')
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

const TRUSTED = { caFile: 'ca.pem', serverName: 'metrics.test' }
const CLIENT_FILES = { certFile: 'client.pem', keyFile: 'client.key' }

const needs = (): NotifierNeeds & { sleep: () => Promise<void>; folder: string } => ({
  fetch,
  now: () => 0,
  sleep: async () => {},
  log: () => {},
  externalUrl: 'http://tidewatch.example',
  folder,
})
const send = (notifier: Notifier) => () => notifier.send(exampleMessage(), never)

/** Everything that speaks HTTP, over one address. */
const PARTS = {
  prometheus: (url: string, tls?: object) => {
    const source = prometheus.create(prometheus.config.parse({ url, retries: 0, tls }), needs())
    return () => source.read(QUERY, never)
  },
  alertmanager: (url: string, tls?: object) =>
    send(alertmanager.create(alertmanager.config.parse({ urls: [url], tls }), needs())),
  webhook: (url: string, tls?: object) => send(webhook.create(webhook.config.parse({ url, tls }), needs())),
}

describe.each(Object.entries(PARTS))('%s over TLS', (_, open) => {
  it('trusts the given authority for the given name', async () => {
    await open(server.url, TRUSTED)()
    expect(server.seen.at(-1)).toMatchObject({ method: 'POST', client: undefined })
    await open(server.url, { insecureSkipVerify: true })()
  })

  it('shows its own certificate', async () => {
    await open(server.url, { ...TRUSTED, ...CLIENT_FILES })()
    expect(server.seen.at(-1)?.client).toBe('tidewatch')
  })

  it.each([
    ['an authority that is not known', {}, /tls\.caFile must hold the authority that signed the certificate of the server$/],
    ['another authority', { ...TRUSTED, caFile: 'stranger.pem' }, /tls\.caFile must hold the authority/],
    ['another name', { caFile: 'ca.pem' }, /does not match.*; tls\.serverName must be a name that the certificate/],
    ['a file that is missing', { caFile: 'none.pem' }, /^tls\.caFile must be a readable file, got ENOENT for none\.pem$/],
    ['an authority that is none', { caFile: 'text.pem' }, /^tls\.caFile must hold certificates in PEM, got something else$/],
    [
      'a certificate that is none',
      { certFile: 'text.pem', keyFile: 'client.key' },
      /^tls\.certFile must hold a certificate in PEM/,
    ],
    ['a key that is none', { certFile: 'client.pem', keyFile: 'text.pem' }, /^tls\.keyFile must hold a private key in PEM/],
    [
      'the key of another',
      { certFile: 'client.pem', keyFile: 'stranger.key' },
      /^tls\.keyFile must hold the key of the certificate/,
    ],
  ])('names the option at %s', async (_, tls, message) => {
    await expect(open(server.url, tls)()).rejects.toThrow(message)
  })

  it('says when the certificate of the server has expired', async () => {
    await using expired = await openServer(EXPIRED, 'none')
    await expect(open(expired.url, TRUSTED)()).rejects.toThrow(
      'certificate has expired; the certificate of the server must be renewed there',
    )
  })

  it('says when the server asks for a certificate, and is let in with one', async () => {
    await using mutual = await openServer(SERVER, 'needed')
    await expect(open(mutual.url, TRUSTED)()).rejects.toThrow(
      /asks for a certificate that it accepts: tls\.certFile and tls\.keyFile$/,
    )
    await open(mutual.url, { ...TRUSTED, ...CLIENT_FILES })()
    expect(mutual.seen.map(({ client }) => client)).toEqual(['tidewatch'])
  })

  it('takes up certificates that were renewed on disk', async () => {
    const renew = async (cert: Certificate, authority: Certificate) => {
      await writeFile(join(folder, 'mine.pem'), cert.cert)
      await writeFile(join(folder, 'mine.key'), cert.key)
      await writeFile(join(folder, 'theirs.pem'), authority.cert)
    }
    await renew(CLIENT, STRANGER)
    const ask = open(server.url, { ...TRUSTED, caFile: 'theirs.pem', certFile: 'mine.pem', keyFile: 'mine.key' })
    await expect(ask()).rejects.toThrow('tls.caFile')
    await renew(CLIENT, AUTHORITY)
    await ask()
    await renew(RENEWED, AUTHORITY)
    await ask()
    expect(server.seen.slice(-2).map(({ client }) => client)).toEqual(['tidewatch', 'tidewatch-renewed'])
  })

  it('says when the server does not speak TLS', async () => {
    const plain = createPlainServer((_, response) => response.end())
    plain.listen(0, '127.0.0.1')
    await once(plain, 'listening')
    const url = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`
    await expect(open(url, TRUSTED)()).rejects.toThrow('wrong version number; the server does not speak TLS there')
    await expect(open(url)()).rejects.toThrow('wrong version number; the server does not speak TLS there')
    plain.close()
  })

  it('shows no text of a key in an error', async () => {
    const secret = STRANGER.key.split('\n')[1]!
    const error = await open(server.url, { certFile: 'client.pem', keyFile: 'stranger.key' })().catch((error: Error) => error)
    expect(JSON.stringify([error, (error as Error).stack])).not.toContain(secret)
  })

  it('refuses tls with an address that has none', () => {
    expect(() => open('http://127.0.0.1:1', TRUSTED)).toThrow('must have an https url with tls, got http')
    expect(() => open(server.url, { certFile: 'client.pem' })).toThrow('must have certFile and keyFile together')
  })
})

describe('the fetch with certificates', () => {
  const open = (options: object = {}) =>
    prometheus.create(prometheus.config.parse({ url: server.url, retries: 0, tls: TRUSTED, ...options }), needs())

  it('reads zipped answers, and the command names the file of the authority', async () => {
    const { frames, requests } = await open().read(QUERY, never)
    expect(Array.from(frames[0].columns.value)).toEqual([NaN, 2, NaN, NaN])
    expect(server.seen.at(-1)?.body).toContain('query=up')
    expect(requests[0]).toContain('--cacert ca.pem')
  })

  it('keeps its connection for the next request', async () => {
    const source = open()
    await source.read(QUERY, never)
    await source.read(QUERY, never)
    expect(server.seen.at(-1)!.socket).toBe(server.seen.at(-2)!.socket)
  })

  it('lets a request under way end while its certificate is renewed', async () => {
    const renew = async ({ cert, key }: Certificate) => {
      await writeFile(join(folder, 'own.pem'), cert)
      await writeFile(join(folder, 'own.key'), key)
    }
    await renew(CLIENT)
    const source = open({ tls: { ...TRUSTED, certFile: 'own.pem', keyFile: 'own.key' } })
    const slow = source.read({ ...QUERY, expr: 'slow' }, never)
    await expect.poll(() => server.held.length).toBe(1)
    await renew(RENEWED)
    await source.read(QUERY, never)
    expect(server.seen.at(-1)?.client).toBe('tidewatch-renewed')
    server.held[0]!()
    expect((await slow).frames).toHaveLength(1)
  })

  it('reports a broken connection', async () => {
    await expect(open().read({ ...QUERY, expr: 'cut' }, never)).rejects.toMatchObject({ retryable: true })
  })

  it('stops when it is told to', async () => {
    const reason = new Error('enough')
    const stop = new AbortController()
    const asked = open().read({ ...QUERY, expr: 'hang' }, stop.signal)
    await expect.poll(() => server.seen.at(-1)?.body).toContain('query=hang')
    stop.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })

  it('gives up in time', async () => {
    await expect(open({ timeout: '50ms' }).read({ ...QUERY, expr: 'hang' }, never)).rejects.toThrow('no answer within 50ms')
  })
})
