import { readFileSync } from 'node:fs'
import { InputError } from '../../errors.ts'
import type { ConnectOptions } from './options.ts'
import type { WrittenSource, WrittenText } from './written-source.ts'

/** What an address and its options say, before files are read; `hints` are advice on how they were given. */
export interface ReadFlags {
  readonly source: WrittenSource
  readonly hints: readonly string[]
}

const TLS = ['caFile', 'certFile', 'keyFile', 'serverName', 'insecureSkipVerify'] as const

/** Names of the command line for what messages call by its name in a configuration; the longer first. */
const FLAGS = [
  ['basicAuth.passwordFile', '--basic-auth-password-file'],
  ['bearerTokenFile', '--bearer-token-file'],
  ['tls.caFile', '--ca-file'],
  ['tls.certFile', '--cert-file'],
  ['tls.keyFile', '--key-file'],
  ['tls.serverName', '--server-name'],
  ['headers.', '--header '],
] as const

/** A message about options of a source, in the names of the command line. */
export function nameFlags(message: string): string {
  return FLAGS.reduce((text, [option, flag]) => text.replaceAll(option, flag), message)
}

/** The flags that say who asks, as they were given. */
export function credentialFlags({ bearerTokenFile, basicAuthUser, header, certFile }: ConnectOptions): readonly string[] {
  const given = {
    '--bearer-token-file': bearerTokenFile,
    '--basic-auth-user': basicAuthUser,
    '--header': header,
    '--cert-file': certFile,
  }
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]))
}

/** Reads the address and its options. Throws an `InputError` that names the option and never repeats a secret. */
export function readFlags(address: string, option: string, flags: ConnectOptions): ReadFlags {
  const tls = Object.fromEntries(TLS.flatMap(name => (flags[name] === undefined ? [] : [[name, flags[name]]])))
  const usesTls = Object.keys(tls).length > 0
  const { url, user, password } = readAddress(address, option, usesTls ? 'https' : 'http')
  if (usesTls && !url.startsWith('https:'))
    throw new InputError(`${flagOf(Object.keys(tls)[0]!)} must come with an https address, got ${url}`)
  if ((flags.certFile === undefined) !== (flags.keyFile === undefined))
    throw new InputError('--cert-file and --key-file must come together, got one of them')
  const basicAuth = readBasicAuth(flags, user, password)
  if (basicAuth && flags.bearerTokenFile !== undefined)
    throw new InputError('must have one of a user with password and --bearer-token-file, got both')
  for (const name of ['bearerTokenFile', 'basicAuthPasswordFile', 'caFile', 'certFile', 'keyFile'] as const)
    if (flags[name] !== undefined) readFlagFile(flagOf(name), flags[name])
  const headers = readPairs('--header', flags.header, /^([^\s:]+):\s*(.*)$/s, "'name: value'")
  const params = readPairs('--param', flags.param, /^([^=]+)=(.*)$/s, 'name=value')
  const source: WrittenSource = {
    url,
    ...(basicAuth && { basicAuth }),
    ...(flags.bearerTokenFile !== undefined && { bearerTokenFile: flags.bearerTokenFile }),
    ...(headers && { headers }),
    ...(params && { params }),
    ...(usesTls && { tls }),
  }
  const hint = 'the password in the address stays in the history of the shell; --basic-auth-password-file keeps it out'
  return { source, hints: password === undefined ? [] : [hint] }
}

/** `--ca-file` of `caFile`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}

/** Text of a file that an option names, without the line break at its end. */
export function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new InputError(`${flag} must be a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}`)
  }
}

/** The address without user and password, which are given apart. */
function readAddress(address: string, option: string, scheme: string) {
  const text = /^[a-z][a-z+.-]*:\/\//i.test(address) ? address : `${scheme}://${address}`
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) {
    const shown = JSON.stringify(text.replace(/(?<=:\/\/).*@/s, '***@'))
    throw new InputError(`${option} must be an address like http://127.0.0.1:9090, got ${shown}`)
  }
  if (url.search || url.hash) throw new InputError(`${option} must end with its path, got a query; --param gives parameters`)
  const decode = (part: string) => (part === '' ? undefined : decodeURIComponent(part))
  const user = decode(url.username)
  const password = decode(url.password)
  if (user === undefined && password === undefined) return { url: text, user, password }
  url.username = ''
  url.password = ''
  // The address as it was typed, but for the user.
  return { url: url.pathname === '/' && !text.endsWith('/') ? url.href.slice(0, -1) : url.href, user, password }
}

function readBasicAuth(
  flags: ConnectOptions,
  user: string | undefined,
  password: string | undefined,
): WrittenSource['basicAuth'] {
  const { basicAuthUser, basicAuthPasswordFile: passwordFile } = flags
  if (user !== undefined && basicAuthUser !== undefined)
    throw new InputError('the user must come once, got one in the address and --basic-auth-user')
  if (password !== undefined && passwordFile !== undefined)
    throw new InputError('the password must come once, got one in the address and --basic-auth-password-file')
  const username = basicAuthUser ?? user
  if (username === undefined && password === undefined && passwordFile === undefined) return undefined
  if (username === undefined) throw new InputError('a password must come with a user: --basic-auth-user, got none')
  if (passwordFile !== undefined) return { username, passwordFile }
  if (password !== undefined) return { username, password }
  throw new InputError('a user must come with a password: --basic-auth-password-file, got none')
}

/** Values of names; one that begins with `@` is the name of a file. */
function readPairs(
  flag: string,
  texts: readonly string[] | undefined,
  pattern: RegExp,
  form: string,
): Readonly<Record<string, WrittenText>> | undefined {
  if (texts === undefined) return undefined
  const pairs = texts.map((text): [string, WrittenText] => {
    const [, name, value] = pattern.exec(text) ?? []
    // What was typed in its place may be a secret.
    if (name === undefined || value === undefined) throw new InputError(`${flag} must be like ${form}, got something else`)
    return [name, value.startsWith('@') ? { file: value.slice(1) } : value]
  })
  return Object.fromEntries(pairs)
}
