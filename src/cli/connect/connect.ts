import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { InputError, SourceError } from '../../errors.ts'
import type { World } from '../../execution/world.ts'
import { openClient } from '../../http/client.ts'
import { connectionSchema } from '../../http/options.ts'
import { guess } from '../../nearest.ts'
import { checkSchema } from '../../pipeline/schema-faults.ts'
import { Secret } from '../../secret.ts'
import { sources } from '../../sources/index.ts'
import type { Source } from '../../sources/source.ts'
import { readConfiguration } from '../read-configuration.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { ConnectOptions } from './options.ts'
import { credentialFlags, flagOf, nameFlags, readFlagFile, readFlags } from './read-flags.ts'
import { isSecretParam, readWrittenSource, type WrittenSource, type WrittenText } from './written-source.ts'

/** A source that a command asks. */
export interface Connection {
  readonly source: Source
  /** Its address, without secrets. */
  readonly url: string
  /** Its options as a configuration in `folder` writes them, secrets in plain text. */
  readonly written: WrittenSource
  readonly folder: string
  /** Advice on how it was named. */
  readonly hints: readonly string[]
}

type ConnectWorld = Pick<World, 'fetch' | 'now' | 'sleep'>

/** Opens the source that the options name; asks nothing yet. `addressOption` is what messages call the address. */
export async function connect(
  address: string | undefined,
  addressOption: string,
  options: ConnectOptions,
  world: ConnectWorld,
): Promise<Connection> {
  if (options.source !== undefined) {
    if (address !== undefined) throw new InputError(`must have either ${addressOption} or --source, got both`)
    return connectToConfigured(options.source, options, world)
  }
  if (options.config !== undefined) throw new InputError('--config must come with --source, got none')
  if (address === undefined) throw new InputError(`must have ${addressOption} or --source, got neither`)
  return connectToAddress(address, addressOption, options, world)
}

/** Throws unless the options name a file or a source, and not both. */
export function requireFileOrSource({
  file,
  url,
  source,
}: ConnectOptions & { readonly file?: string; readonly url?: string }): void {
  const given = [file, url ?? source].filter(each => each !== undefined)
  if (given.length !== 1) throw new InputError('must have either FILE or --url (or --source), got both or none')
}

/** Writes the advice of a connection. */
export function printHints(hints: readonly string[], err: Terminal['err']): void {
  for (const hint of hints) err.write(`${paint('yellow', 'hint', err)}: ${hint}\n`)
}

function connectToAddress(address: string, addressOption: string, options: ConnectOptions, world: ConnectWorld): Connection {
  const { source: given, hints } = readFlags(address, addressOption, options)
  const member = sources.prometheus!
  const folder = process.cwd()
  const source = member.create(checkFlags(member.config, readTexts(given)), { ...world, folder })
  return { source: withAdvice(source, adviceOf(options)), url: given.url, written: escape(given) as WrittenSource, folder, hints }
}

/** A client for the API of a running service, with what to say where it refuses. */
export function connectToService(address: string, options: ConnectOptions, fetch: World['fetch'], timeout: number) {
  const { source, hints } = readFlags(address, '--url', options)
  const { url, params: _, ...connection } = readTexts(source)
  const client = openClient({ ...checkFlags(connectionSchema, connection), timeout }, { fetch, folder: process.cwd() })
  return { client, url: url.replace(/\/+$/, ''), hints, advice: adviceOf(options) }
}

function checkFlags<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const checked = checkSchema(schema, given)
  if (checked.ok) return checked.value
  throw new InputError(checked.faults.map(({ path, message }) => nameFlags(`${path.join('.')}: ${message}`)).join('\n'))
}

function adviceOf(options: ConnectOptions): string {
  const used = credentialFlags(options)
  if (used.length > 0) return `check ${used.join(', ')}`
  return "say who asks: --bearer-token-file, --basic-auth-user with --basic-auth-password-file, or --header like 'X-Scope-OrgID: team'"
}

async function connectToConfigured(name: string, options: ConnectOptions, world: ConnectWorld): Promise<Connection> {
  const { source: _, config = 'tidewatch.yaml', ...others } = options
  const more = Object.entries(others).find(([key, value]) => OWN_OPTIONS.has(key) && value !== undefined)
  if (more) throw new InputError(`--source must come without ${flagOf(more[0])}: the configuration says how it is reached`)
  const known = (await readConfiguration(config)).sources
  const names = Object.keys(known)
  const found = Object.hasOwn(known, name) ? known[name] : undefined
  if (!found)
    throw new InputError(
      `--source must be one of ${names.join(', ')} in ${config}, got ${JSON.stringify(name)}${guess(name, names)}`,
    )
  if (found.type !== 'prometheus')
    throw new InputError(`--source must be of the type prometheus, got ${JSON.stringify(name)} of the type ${found.type}`)
  const folder = dirname(resolve(config))
  const source = sources.prometheus!.create(found.config, { ...world, folder })
  const { url } = found.config as { readonly url: string }
  return { source, url, written: readWrittenSource(config, name), folder, hints: [] }
}

const OWN_OPTIONS: ReadonlySet<string> = new Set([
  'bearerTokenFile',
  'basicAuthUser',
  'basicAuthPasswordFile',
  'header',
  'param',
  'caFile',
  'certFile',
  'keyFile',
  'serverName',
  'insecureSkipVerify',
])

/** The options for the schema of the source: texts of files are read, and parameters that are secrets are made so. */
function readTexts({ headers = {}, params = {}, ...others }: WrittenSource) {
  const read = (flag: string, text: WrittenText) => (typeof text === 'string' ? text : readFlagFile(flag, text.file))
  const all = <Value>(texts: Readonly<Record<string, WrittenText>>, make: (name: string, text: WrittenText) => Value) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, make(name, text)]))
  return {
    ...others,
    headers: all(headers, (name, text) => read(`--header ${name}`, text)),
    params: all(params, (name, text) => {
      const value = read(`--param ${name}`, text)
      return typeof text !== 'string' || isSecretParam(name) ? new Secret(value) : value
    }),
  }
}

/** What was typed has no variables of the environment in it. */
function escape(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, escape(inner)]))
}

/** The source, whose errors speak of the options of the command line and say which may help. */
function withAdvice(source: Source, advice: string): Source {
  const explain = async <Value>(answer: Promise<Value>): Promise<Value> => {
    try {
      return await answer
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      const { message, retryable, requests, limit, status } = error
      const isRefused = status === 401 || status === 403
      const text = isRefused ? `${message.replace(/; check the credentials$/, '')}; ${advice}` : nameFlags(message)
      throw new SourceError(text, { retryable, requests, limit, status })
    }
  }
  return {
    read: (query, signal) => explain(source.read(query, signal)),
    latest: (query, signal) => explain(source.latest(query, signal)),
    names: signal => explain(source.names(signal)),
    check: signal => explain(source.check(signal)),
  }
}
