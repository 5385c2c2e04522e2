import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { SourceError } from '../../errors.ts'
import type { Options } from './options.ts'

/** Headers of a request, and the texts in them that must not be seen. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

/** Reads secrets from their files and makes the headers; asked for each request, so that a rotated file is taken up. */
export async function authorize(options: Options, folder: string): Promise<Authorization> {
  const headers: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(options.headers)) {
    headers[name.toLowerCase()] = checkHeader(value.reveal(), `headers.${name}`)
    // Short values are names of tenants rather than secrets, and blotting them out would spoil every message.
    if (value.reveal().length >= 8) secrets.push(value.reveal())
  }
  const { basicAuth, bearerToken, bearerTokenFile } = options
  if (basicAuth) {
    const password = basicAuth.passwordFile
      ? await readSecret(basicAuth.passwordFile, folder, 'basicAuth.passwordFile')
      : (basicAuth.password?.reveal() ?? '')
    const encoded = Buffer.from(`${basicAuth.username}:${password}`).toString('base64')
    headers.authorization = `Basic ${encoded}`
    secrets.push(encoded, password)
  }
  const token = bearerTokenFile ? await readSecret(bearerTokenFile, folder, 'bearerTokenFile') : bearerToken?.reveal()
  if (token !== undefined) {
    headers.authorization = `Bearer ${checkHeader(token, bearerTokenFile ? 'bearerTokenFile' : 'bearerToken')}`
    secrets.push(token)
  }
  return { headers, secrets: secrets.filter(text => text !== '').sort((a, b) => b.length - a.length) }
}

/** The text with every secret blotted out; other people's messages may repeat what we sent. */
export function blot(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}

/** Path of a file named in the configuration. */
export function resolvePath(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path)
}

async function readSecret(path: string, folder: string, option: string): Promise<string> {
  try {
    return (await readFile(resolvePath(path, folder), 'utf8')).trim()
  } catch (error) {
    throw new SourceError(`${option} must be a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}`, {
      retryable: false,
    })
  }
}

/** Fetch would repeat a wrong header in its error, so it is refused here without its value. */
function checkHeader(value: string, option: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new SourceError(`${option} must be text that fits in a header, got a line break or a character beyond Latin-1`, {
      retryable: false,
    })
  return value
}
