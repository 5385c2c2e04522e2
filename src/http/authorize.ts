import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HttpError } from './http-error.ts'
import type { Connection } from './options.ts'

/** Headers of a request, and the texts in them that must not be seen. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

/** Reads secrets from their files and makes the headers, in lower case; called for each request, so that a rotated file is taken up. */
export async function authorize(options: Omit<Connection, 'tls'>, folder: string): Promise<Authorization> {
  const headers: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(options.headers)) {
    headers[name.toLowerCase()] = checkHeader(value.reveal(), `headers.${name}`)
    secrets.push(value.reveal())
  }
  const { basicAuth, bearerToken, bearerTokenFile } = options
  if (basicAuth) {
    const password = basicAuth.passwordFile
      ? await readSecret('basicAuth.passwordFile', basicAuth.passwordFile, folder)
      : (basicAuth.password?.reveal() ?? '')
    const encoded = Buffer.from(`${basicAuth.username}:${password}`).toString('base64')
    headers.authorization = `Basic ${encoded}`
    secrets.push(encoded, password)
  }
  const token = bearerTokenFile ? await readSecret('bearerTokenFile', bearerTokenFile, folder) : bearerToken?.reveal()
  if (token !== undefined) {
    headers.authorization = `Bearer ${checkHeader(token, bearerTokenFile ? 'bearerTokenFile' : 'bearerToken')}`
    secrets.push(token)
  }
  return { headers, secrets }
}

/** Text of a file that an option names, relative to `folder`. Throws an `HttpError` that names the option. */
export async function readOptionFile(option: string, path: string, folder: string): Promise<string> {
  try {
    return await readFile(resolve(folder, path), 'utf8')
  } catch (error) {
    throw new HttpError(`${option} must be a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}`, 'setup')
  }
}

/** Text of a file of a secret without white space around it. An empty file is an error: going on would send unsigned or as nobody. */
export async function readSecret(option: string, path: string, folder: string): Promise<string> {
  const text = (await readOptionFile(option, path, folder)).trim()
  if (!text) throw new HttpError(`${option} must hold a secret, got an empty file ${path}`, 'setup')
  return text
}

/** Fetch would repeat a wrong header in its error, so it is refused here without its value. */
function checkHeader(value: string, option: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new HttpError(`${option} must be text that fits in a header, got a line break or a character beyond Latin-1`, 'setup')
  return value
}
