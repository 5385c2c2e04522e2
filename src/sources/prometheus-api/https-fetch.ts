import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { createGunzip } from 'node:zlib'
import { SourceError } from '../../errors.ts'
import { resolvePath } from './authorize.ts'
import type { Options } from './options.ts'

type Tls = NonNullable<Options['tls']>

/**
 * A `fetch` with own certificates, which the built-in one cannot have: text bodies, no redirects. Files are read for each request and a
 * changed certificate opens new connections.
 */
export function httpsFetch(tls: Tls, folder: string): typeof fetch {
  let agent: Agent | undefined
  let material = ''
  const renew = async () => {
    const read = async (option: 'caFile' | 'certFile' | 'keyFile') => {
      const path = tls[option]
      if (!path) return undefined
      try {
        return await readFile(resolvePath(path, folder), 'utf8')
      } catch (error) {
        throw new SourceError(`tls.${option} must be a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}`, {
          retryable: false,
        })
      }
    }
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
  return async (input, init) => {
    const agent = await renew()
    const signal = init?.signal ?? undefined
    return new Promise<Response>((resolve, reject) => {
      const body = init?.body as string | undefined
      const headers: Record<string, string> = {
        ...(init?.headers as Record<string, string>),
        'accept-encoding': 'gzip',
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      }
      const outgoing = request(
        new URL(String(input)),
        { method: init?.method ?? 'GET', headers, agent, ...(signal && { signal }) },
        incoming => {
          const gzipped = incoming.headers['content-encoding'] === 'gzip'
          const stream = gzipped ? incoming.pipe(createGunzip()) : incoming
          const chunks: Buffer[] = []
          incoming.on('error', reject)
          stream.on('data', chunk => chunks.push(chunk))
          stream.on('error', reject)
          stream.on('end', () => {
            const status = incoming.statusCode ?? 0
            const empty = [101, 204, 205, 304].includes(status)
            const answered = new Headers()
            for (const [name, value] of Object.entries(incoming.headers))
              if (value !== undefined) answered.set(name, Array.isArray(value) ? value.join(', ') : value)
            try {
              resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers: answered }))
            } catch (error) {
              reject(error)
            }
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}
