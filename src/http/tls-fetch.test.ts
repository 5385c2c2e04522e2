import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create } from '../pipeline/configuration.ts'
import { sources } from '../sources/index.ts'

/** Made for this test only; good for metrics.test, its own authority. */
const CERT = `-----BEGIN CERTIFICATE-----
MIIBaDCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxtZXRyaWNz
LnRlc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDG1ldHJpY3MudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGYn8Ccu
j/iAildZlk2qt6TDolYqaMVgn65kwNAUodoqB2w0oNxyoFaeyFVBoDN9d/i/Ww+J
GijDtFbKwb7oR+mjSDBGMAwGA1UdEwQFMAMBAf8wFwYDVR0RBBAwDoIMbWV0cmlj
cy50ZXN0MB0GA1UdDgQWBBTd9p/ALw0MlnXswrHQ8XfKwftInTAKBggqhkjOPQQD
AgNJADBGAiEAlbxpcfpd6R0dGkxgx+BEgKeAZSQhxJz+xn7lXZfQx9QCIQC7lxoE
0jQhe392fqumevAR4CGNJnBpp82xuLwoRikR6Q==
-----END CERTIFICATE-----
`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4yuEArj+ziwMnNMz
Jvty8v9m6250KyoottxhQ8QXkPWhRANCAARmJ/AnLo/4gIpXWZZNqrekw6JWKmjF
YJ+uZMDQFKHaKgdsNKDccqBWnshVQaAzfXf4v1sPiRoow7RWysG+6Efp
-----END PRIVATE KEY-----
`

const signal = new AbortController().signal
const query = { expr: 'up', range: { start: 0, end: 60_000 }, step: 15_000 }

describe('a source over TLS', () => {
  let server: Server
  let folder: string
  const seen: { method: string | undefined; body: string; client: string | undefined }[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tls-'))
    await writeFile(join(folder, 'cert.pem'), CERT)
    await writeFile(join(folder, 'key.pem'), KEY)
    server = createServer(
      { cert: CERT, key: KEY, ca: CERT, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        let body = ''
        request.on('data', chunk => {
          body += chunk
        })
        request.on('end', () => {
          const peer = (request.socket as TLSSocket).getPeerCertificate()
          seen.push({ method: request.method, body, client: peer.subject?.CN as string | undefined })
          if (body.includes('query=hang')) return
          if (body.includes('query=cut')) return void request.socket.destroy()
          const answer = { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values: [[15, '2']] }] } }
          response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          response.end(gzipSync(JSON.stringify(answer)))
        })
      },
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await rm(folder, { recursive: true })
  })

  const open = (tls: object) => {
    const { port } = server.address() as AddressInfo
    const part = { type: 'prometheus', url: `https://127.0.0.1:${port}`, retries: 0, tls }
    return create(sources, part, { fetch, now: () => 0, sleep: async () => {}, folder })
  }
  const trusted = { caFile: 'cert.pem', serverName: 'metrics.test' }

  it('trusts the given authority for the given name, and posts its form', async () => {
    const { frames, requests } = await open(trusted).read(query, signal)
    expect(Array.from(frames[0].columns.value)).toEqual([NaN, 2, NaN, NaN])
    expect(seen.at(-1)).toMatchObject({ method: 'POST', client: undefined })
    expect(seen.at(-1)?.body).toContain('query=up')
    expect(requests[0]).toContain('--cacert cert.pem')
  })

  it('shows its own certificate', async () => {
    await open({ ...trusted, certFile: 'cert.pem', keyFile: 'key.pem' }).read(query, signal)
    expect(seen.at(-1)?.client).toBe('metrics.test')
  })

  it('refuses a stranger, unless told not to look', async () => {
    await expect(open({}).read(query, signal)).rejects.toThrow(/self-signed certificate/)
    await expect(open({ caFile: 'cert.pem' }).read(query, signal)).rejects.toThrow(/does not match|altnames/)
    expect((await open({ insecureSkipVerify: true }).read(query, signal)).frames).toHaveLength(1)
  })

  it('says which file it cannot read', async () => {
    await expect(open({ caFile: 'none.pem' }).read(query, signal)).rejects.toThrow(
      'tls.caFile must be a readable file, got ENOENT for none.pem',
    )
  })

  it('tells of a broken connection, and stops when it is told to', async () => {
    await expect(open(trusted).read({ ...query, expr: 'cut' }, signal)).rejects.toMatchObject({ retryable: true })
    const reason = new Error('enough')
    const stop = new AbortController()
    setTimeout(() => stop.abort(reason), 20)
    await expect(open(trusted).read({ ...query, expr: 'hang' }, stop.signal)).rejects.toBe(reason)
  })
})
