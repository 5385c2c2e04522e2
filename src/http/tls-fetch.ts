import { createPrivateKey, X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import { readOptionFile } from './authorize.ts'
import { HttpError } from './http-error.ts'
import type { Tls } from './options.ts'

/**
 * A `fetch` with own certificates, which the built-in one cannot have: text bodies, no redirects. Files are read for each request and a
 * changed certificate opens new connections.
 */
export function tlsFetch(tls: Tls, folder: string): typeof fetch {
  let agent: Agent | undefined
  let material = ''
  const renew = async () => {
    const read = async (option: 'caFile' | 'certFile' | 'keyFile') =>
      tls[option] === undefined ? undefined : readOptionFile(`tls.${option}`, tls[option], folder)
    const [ca, cert, key] = await Promise.all([read('caFile'), read('certFile'), read('keyFile')])
    const now = JSON.stringify([ca, cert, key])
    if (agent && now === material) return agent
    checkMaterial({ ca, cert, key })
    if (agent) retire(agent)
    material = now
    agent = new Agent({
      keepAlive: true,
      rejectUnauthorized: !tls.insecureSkipVerify,
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(tls.serverName && { servername: tls.serverName }),
    })
    return agent
  }
  return async (input, init) => send(new URL(String(input)), init ?? {}, await renew())
}

/** Lets requests under way end, and keeps no connection that was made with an older certificate. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

interface Material {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** OpenSSL takes some broken files in silence and names none, so they are checked before. Throws an `HttpError` that names the option. */
function checkMaterial({ ca, cert, key }: Material): void {
  const check = <Value>(option: string, wanted: string, task: () => Value): Value => {
    try {
      return task()
    } catch {
      throw new HttpError(`tls.${option} must hold ${wanted}, got something else`, 'setup')
    }
  }
  if (ca !== undefined) check('caFile', 'certificates in PEM', () => new X509Certificate(ca))
  if (cert === undefined || key === undefined) return
  const certificate = check('certFile', 'a certificate in PEM', () => new X509Certificate(cert))
  const privateKey = check('keyFile', 'a private key in PEM without a passphrase', () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey))
    throw new HttpError('tls.keyFile must hold the key of the certificate in tls.certFile, got that of another', 'setup')
}

function send(url: URL, init: RequestInit, agent: Agent): Promise<Response> {
  const { signal, method = 'GET' } = init
  const body = init.body as string | undefined
  const headers: Record<string, string> = {
    ...(init.headers as Record<string, string>),
    'accept-encoding': 'gzip',
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
  }
  return new Promise<Response>((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent, ...(signal && { signal }) }, incoming => {
      const status = incoming.statusCode ?? 0
      const answered = new Headers()
      for (const [name, value] of Object.entries(incoming.headers))
        if (value !== undefined) answered.set(name, Array.isArray(value) ? value.join(', ') : value)
      let stream: Readable = incoming
      if (incoming.headers['content-encoding'] === 'gzip') {
        const unzipped = createGunzip()
        incoming.on('error', error => unzipped.destroy(error)).pipe(unzipped)
        unzipped.on('close', () => incoming.destroy())
        stream = unzipped
      }
      try {
        const empty = [101, 204, 205, 304].includes(status)
        if (empty) incoming.resume()
        const content = empty ? null : (Readable.toWeb(stream) as ReadableStream<Uint8Array<ArrayBuffer>>)
        resolve(new Response(content, { status, headers: answered }))
      } catch (error) {
        incoming.destroy()
        reject(error)
      }
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
