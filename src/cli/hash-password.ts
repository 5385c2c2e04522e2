import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { InputError } from '../errors.ts'
import { hashPassword, hashToken } from '../password.ts'
import type { Terminal } from './terminal.ts'

const MAX_LENGTH = 1024
const SHORTEST_PASSWORD = 8

/**
 * `tidewatch hash-password`: reads a password from the input (never from the command line, where others see it) and prints its hash for
 * `server.auth.basic`; with `--token` it makes a random token, and prints it with its hash for `server.auth.bearer`.
 */
export async function run(
  { token }: { readonly token: boolean },
  { out, err }: Terminal,
  input: Readable = process.stdin,
): Promise<void> {
  if (token) {
    const made = randomBytes(32).toString('base64url')
    err.write('The token is shown once; the hash is for server.auth.bearer:\n')
    out.write(`token: ${made}\nhash:  ${hashToken(made)}\n`)
    return
  }
  if ((input as { isTTY?: boolean }).isTTY) err.write('Password, then Enter (it is shown while you type): ')
  const password = await readLine(input)
  if (password.length < SHORTEST_PASSWORD)
    throw new InputError(`the password must have at least ${SHORTEST_PASSWORD} characters, got ${password.length}`)
  out.write(`${await hashPassword(password, randomBytes(16))}\n`)
}

/** The first line, without its end. */
async function readLine(input: Readable): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk
    if (text.includes('\n')) break
    if (text.length > MAX_LENGTH) break
  }
  const line = text.split(/\r?\n/)[0]!
  if (line.length > MAX_LENGTH) throw new InputError(`the password must have at most ${MAX_LENGTH} characters, got more`)
  return line
}
