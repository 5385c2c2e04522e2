import type { Secret } from '../secret.ts'
import type { Connection } from './options.ts'

export interface CurlRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly params: Readonly<Record<string, string | Secret>>
}

/** The request as a command to be copied into a shell; secrets are `***`. */
export function printCurl({ method, url, params }: CurlRequest, connection: Connection): string {
  const words = ['curl', '-sS']
  if (method === 'GET' && Object.keys(params).length > 0) words.push('-G')
  const { basicAuth, tls } = connection
  if (basicAuth) words.push('-u', quote(`${basicAuth.username}:***`))
  if (connection.bearerToken || connection.bearerTokenFile) words.push('-H', quote('Authorization: Bearer ***'))
  for (const name of Object.keys(connection.headers)) words.push('-H', quote(`${name}: ***`))
  if (tls?.caFile) words.push('--cacert', quote(tls.caFile))
  if (tls?.certFile && tls.keyFile) words.push('--cert', quote(tls.certFile), '--key', quote(tls.keyFile))
  if (tls?.insecureSkipVerify) words.push('-k')
  words.push(quote(url))
  for (const [name, value] of Object.entries(params)) words.push('--data-urlencode', quote(`${name}=${value}`))
  return words.join(' ')
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
