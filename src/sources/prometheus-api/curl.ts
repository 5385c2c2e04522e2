import type { Options } from './options.ts'

/** One request of the API: its path below `/api/v1` and its parameters. */
export interface Call {
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly method: 'GET' | 'POST'
}

/** The request as a command to be copied into a shell; secrets are `***`. */
export function printCurl(call: Call, options: Options): string {
  const words = ['curl', '-sS']
  if (call.method === 'GET' && Object.keys(call.params).length > 0) words.push('-G')
  const { basicAuth, tls } = options
  if (basicAuth) words.push('-u', quote(`${basicAuth.username}:***`))
  if (options.bearerToken || options.bearerTokenFile) words.push('-H', quote('Authorization: Bearer ***'))
  for (const name of Object.keys(options.headers)) words.push('-H', quote(`${name}: ***`))
  if (tls?.caFile) words.push('--cacert', quote(tls.caFile))
  if (tls?.certFile && tls.keyFile) words.push('--cert', quote(tls.certFile), '--key', quote(tls.keyFile))
  if (tls?.insecureSkipVerify) words.push('-k')
  words.push(quote(addressOf(call, options)))
  for (const [name, value] of Object.entries(call.params)) words.push('--data-urlencode', quote(`${name}=${value}`))
  return words.join(' ')
}

/** Where the call goes. */
export function addressOf(call: Call, options: Options): string {
  return `${options.url.replace(/\/+$/, '')}/api/v1/${call.path}`
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
