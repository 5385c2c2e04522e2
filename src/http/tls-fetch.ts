import { Agent, request } from 'node:https'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import { readOptionFile } from './authorize.ts'
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
    agent?.destroy()
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
