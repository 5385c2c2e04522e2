import { readFileSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { parseDocument } from 'yaml'

/** A text of a configuration as it is written: itself, or where it comes from. */
export type WrittenText = string | { readonly file: string }

/** The options of a prometheus source as a configuration writes them. */
export interface WrittenSource {
  readonly url: string
  readonly basicAuth?: { readonly username: string; readonly password?: WrittenText; readonly passwordFile?: string }
  readonly bearerToken?: WrittenText
  readonly headers?: Readonly<Record<string, WrittenText>>
  readonly params?: Readonly<Record<string, WrittenText>>
  readonly [option: string]: unknown
}

/** What a starter says about its source. */
export interface StarterSource {
  /** The part for the configuration, with references in place of secrets. */
  readonly part: Readonly<Record<string, unknown>>
  /** Variables of the environment that it refers to and that must be set before it is used. */
  readonly unset: readonly string[]
}

/** Names of tenants are no secrets, and a starter is used at once when they stand in it. */
const TENANTS = /^(x-scope-orgid|thanos-tenant|x-tenant|x-org-id)$/i
const SECRET_PARAM = /token|secret|passw|auth|key|signature|credential/i
/** A variable is recognised by its value only where the value is long enough not to be there by chance. */
const SHORTEST_KNOWN = 6

/** The name of a parameter says that its value is a secret. */
export function isSecretParam(name: string): boolean {
  return SECRET_PARAM.test(name)
}

/**
 * The source for a starter in the folder `to`: files by their path from there, and secrets that came from no file as variables of the
 * environment: the one that holds the value now, or one to be set. Nothing secret stands in the result.
 */
export function toStarterSource(
  source: WrittenSource,
  from: string,
  to: string,
  env: Readonly<Record<string, string | undefined>>,
): StarterSource {
  const unset: string[] = []
  const refer = (text: WrittenText | undefined, name: string): WrittenText | undefined => {
    if (typeof text !== 'string' || /^\$\{[A-Za-z_]\w*\}$/.test(text)) return text
    const plain = text.replaceAll('$${', () => '${')
    const known = Object.keys(env).find(key => plain.length >= SHORTEST_KNOWN && env[key] === plain && /^[A-Za-z]\w*$/.test(key))
    const variable = known ?? `TIDEWATCH_${name.toUpperCase().replace(/\W+/g, '_')}`
    if (known === undefined) unset.push(variable)
    return `\${${variable}}`
  }
  const referAll = (texts: Readonly<Record<string, WrittenText>>, isSecret: (name: string) => boolean, prefix = '') =>
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, isSecret(name) ? refer(text, `${prefix}${name}`) : text]),
    )
  const { basicAuth, bearerToken, headers, params } = source
  const part = {
    ...source,
    ...(basicAuth?.password && { basicAuth: { ...basicAuth, password: refer(basicAuth.password, 'password') } }),
    ...(bearerToken && { bearerToken: refer(bearerToken, 'token') }),
    ...(headers && { headers: referAll(headers, name => !TENANTS.test(name), 'header ') }),
    ...(params && { params: referAll(params, isSecretParam, 'param ') }),
  }
  return { part: movePaths(part, from, to) as StarterSource['part'], unset }
}

/** Relative paths of files, as they are from another folder. */
function movePaths(value: unknown, from: string, to: string, key = ''): unknown {
  if (typeof value === 'string') {
    const isPath = key === 'file' || /[a-z]File$/.test(key)
    return !isPath || isAbsolute(value) || value.includes('${') ? value : relative(to, resolve(from, value))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, movePaths(inner, from, to, name)]))
}

/** The options of a source as a configuration that loads without a fault writes them. */
export function readWrittenSource(config: string, name: string): WrittenSource {
  const value = parseDocument(readFileSync(config, 'utf8'), { merge: true }).toJS({ maxAliasCount: -1 }) as {
    sources: Record<string, WrittenSource & { readonly type: string }>
  }
  const { type: _, ...source } = value.sources[name]!
  return source as WrittenSource
}
