import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StartError } from '../errors.ts'
import { AUTHORITY, CLIENT, EXPIRED, SERVER } from '../testing/certificates.ts'
import { calmWorld, fakeServerParts } from '../testing/fake-server-parts.ts'
import { makeApp } from './app.ts'
import { type Listening, type ListenOptions, listen } from './listen.ts'

let folder: string
let tls: { certFile: string; keyFile: string }
let server: Listening | undefined
const lines: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'listen-'))
  tls = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(async () => {
  await server?.close()
  server = undefined
})

const write = ({ cert, key }: { cert: string; key: string }) =>
  Promise.all([writeFile(tls.certFile, cert), writeFile(tls.keyFile, key)])
const open = async (some: Partial<ListenOptions> = {}) => {
  server = await listen(makeApp(fakeServerParts(calmWorld())), {
    host: '127.0.0.1',
    port: 0,
    log: line => lines.push(line),
    ...some,
  })
  return server
}
const get = async (url: string) => {
  const [response] = await once(request(url, { ca: AUTHORITY.cert, servername: 'metrics.test', agent: false }).end(), 'response')
  response.resume()
  return response.statusCode
}
/** Serial number of the certificate that a new connection is shown. */
async function serial(port: number): Promise<string> {
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

describe('HTTPS', () => {
  it('is spoken from TLS 1.2 on, with the certificate of the configuration', async () => {
    await write(SERVER)
    const { url, port } = await open({ tls })
    expect(url).toMatch(/^https:/)
    expect(await get(`${url}/-/healthy`)).toBe(200)
    const old = connectTls({
      host: '127.0.0.1',
      port,
      ca: AUTHORITY.cert,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    const [error] = await once(old, 'error')
    expect(error.code).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|ECONNRESET/)
  })

  it('takes a renewed certificate without a restart, and keeps the old one while the new is wrong', async () => {
    await write(SERVER)
    const { port } = await open({ tls, renewEvery: 5 })
    const first = await serial(port)
    lines.length = 0
    await writeFile(tls.keyFile, CLIENT.key)
    await expect.poll(() => lines.join('\n')).toContain('the certificate stays the old one: server.tls must be')
    expect(await serial(port)).toBe(first)
    // Another certificate of a server; nobody looks at its dates here.
    await write(EXPIRED)
    await expect.poll(() => lines.at(-1)).toBe('server.tls: the certificate was renewed')
    expect(await serial(port)).not.toBe(first)
  })

  it.each([
    ['a key of another certificate', { cert: SERVER.cert, key: CLIENT.key }],
    ['no PEM', { cert: 'cert', key: 'key' }],
    ['an empty file', { cert: '', key: SERVER.key }],
  ])('does not start with %s', async (_, pair) => {
    await write(pair)
    await expect(open({ tls })).rejects.toThrow(StartError)
    await expect(open({ tls })).rejects.toThrow(
      /^server\.tls must be a certificate and its key in PEM, got .*cert\.pem and .*key\.pem: /,
    )
  })
})

describe('requests that are no good', () => {
  /** Answer to some bytes. */
  async function send(text: string): Promise<string> {
    const { port } = await open()
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', chunk => (answer += chunk))
    // Who is sent more than he reads may cut the connection after his answer.
    socket.on('error', () => {})
    socket.end(text)
    await once(socket, 'close')
    return answer
  }
  it.each([
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'a query without end',
      `GET /api/v1/anomalies?flow=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ['no HTTP', '\x16\x03\x01\x02\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two lengths',
      'POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      /^HTTP\/1\.1 400 /,
    ],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 (400|405|501) /],
  ])('are answered: %s', async (_, text, answer) => {
    expect(await send(text)).toMatch(answer)
  })

  it('are given up when they never come to an end', async () => {
    const { port } = await open({ headersTimeout: 40 })
    const slow = connect(port, '127.0.0.1')
    slow.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
    let answer = ''
    for await (const chunk of slow.setEncoding('utf8')) answer += chunk
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('beyond the most connections are closed', async () => {
    const { port, url } = await open({ maxConnections: 1 })
    const first = connect(port, '127.0.0.1')
    await once(first, 'connect')
    // Until the server has seen the first, the second may be the first.
    first.write('GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(first, 'data')
    const [error] = await once(httpRequest(`${url}/-/healthy`, { agent: false }).end(), 'error')
    expect(error.code).toMatch(/ECONNRESET|EPIPE/)
    first.destroy()
  })
})
