import { isLoopback } from '../http/loopback.ts'
import { hashToken } from '../password.ts'
import type { AuthConfig, ServerConfig } from './configuration.ts'
import { checkSchema } from './schema-faults.ts'
import { type ServerText, serverSchema } from './server-schema.ts'

type Fault = (path: readonly (string | number)[], message: string, at?: 'key' | 'value') => void
type ReadFile = ((path: string) => string) | undefined

/** A token that somebody could guess is none. */
const SHORTEST_TOKEN = 16

/** Host without brackets and port; undefined when the text is not `host:port`. */
export function parseListen(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host, digits] = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  return host === undefined || port > 65535 ? undefined : { host: host.replace(/^\[|\]$/g, ''), port }
}

/** The `server` section with its defaults; undefined after a fault. Tokens in files become hashes here. */
export function readServer(value: unknown, readFile: ReadFile, fault: Fault): ServerConfig | undefined {
  const result = checkSchema(serverSchema, value ?? {})
  if (!result.ok) {
    for (const { path, message, at } of result.faults) fault(['server', ...path], message, at)
    return undefined
  }
  const { listen = '127.0.0.1:9797', externalUrl, auth, insecure, tls, hosts, maxConnections } = result.value
  const place = parseListen(listen)
  if (!place) {
    fault(['server', 'listen'], `must be host:port like 127.0.0.1:9797, got ${JSON.stringify(listen)}`)
    return undefined
  }
  let good = true
  const told: Fault = (path, message) => {
    good = false
    fault(['server', ...path], message)
  }
  if (!isLoopback(place.host) && !auth && insecure !== true)
    told(
      ['listen'],
      `must be an address of this machine only, like 127.0.0.1:9797, unless there is server.auth; got ${JSON.stringify(listen)} (insecure: true lets anybody ask)`,
    )
  if (tls && readFile) for (const name of ['certFile', 'keyFile'] as const) tryRead(tls[name], readFile, ['tls', name], told)
  const read = auth && readAuth(auth, readFile, told)
  if (!good) return undefined
  const reachable = ['0.0.0.0', '::'].includes(place.host) ? 'localhost' : printHost(place.host)
  return {
    ...place,
    externalUrl: (externalUrl ?? `${tls ? 'https' : 'http'}://${reachable}:${place.port}`).replace(/\/+$/, ''),
    ...(hosts ? { hosts } : {}),
    ...(insecure === undefined ? {} : { insecure }),
    ...(tls ? { tls } : {}),
    ...(read ? { auth: read } : {}),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  }
}

function readAuth(
  { basic = {}, bearer = {}, proxy, open }: NonNullable<ServerText['auth']>,
  readFile: ReadFile,
  fault: Fault,
): AuthConfig {
  if (Object.keys(basic).length + Object.keys(bearer).length === 0 && !proxy)
    fault(['auth'], 'must have users under basic, tokens under bearer or a proxy, got none')
  const tokens = Object.entries(bearer).flatMap(([name, given]) => {
    if (typeof given === 'string') return [[name, given] as const]
    if (!readFile) return []
    const token = tryRead(given.file, readFile, ['auth', 'bearer', name, 'file'], fault)?.trim()
    if (token === undefined) return []
    if (token.length < SHORTEST_TOKEN || /\s/.test(token))
      fault(['auth', 'bearer', name, 'file'], `must have one token of at least ${SHORTEST_TOKEN} characters, got ${token.length}`)
    return [[name, hashToken(token)] as const]
  })
  return { basic, bearer: Object.fromEntries(tokens), ...(proxy ? { proxy } : {}), open: open ?? ['health'] }
}

function tryRead(file: string, readFile: (path: string) => string, path: readonly string[], fault: Fault): string | undefined {
  try {
    return readFile(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    fault(path, `must be a file that can be read, got ${JSON.stringify(file)} (${code ?? message})`)
    return undefined
  }
}

function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
