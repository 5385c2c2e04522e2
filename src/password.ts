import { createHash, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(
  (password: string, salt: Buffer, ln: number, r: number, p: number, done: (error: Error | null, key: Buffer) => void) =>
    scrypt(password, salt, KEY_BYTES, { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r }, done),
)

const KEY_BYTES = 32
/** Cost (RFC 7914): 32 MiB and some 50 ms for one guess. */
const COST = { ln: 15, r: 8, p: 1 }
/** A hash as `tidewatch hash-password` prints it; its cost is bounded, because each attempt to log in pays it. */
const PASSWORD_HASH = /^\$scrypt\$ln=(1[0-7]),r=([1-9]|1[0-6]),p=([1-4])\$([\w+/]{16,86})\$([\w+/]{43})$/
const TOKEN_HASH = /^sha256:[0-9a-f]{64}$/

export function isPasswordHash(text: string): boolean {
  return PASSWORD_HASH.test(text)
}

export function isTokenHash(text: string): boolean {
  return TOKEN_HASH.test(text)
}

/** `$scrypt$ln=15,r=8,p=1$salt$hash`; the salt is 16 random bytes. */
export async function hashPassword(password: string, salt: Buffer): Promise<string> {
  const { ln, r, p } = COST
  const key = await derive(password.normalize('NFC'), salt, ln, r, p)
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`
}

/** Is this the password of the hash? Takes the same time whatever the answer is. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, ln, r, p, salt, key] = PASSWORD_HASH.exec(hash) ?? []
  if (key === undefined) return false
  const found = await derive(password.normalize('NFC'), Buffer.from(salt!, 'base64'), Number(ln), Number(r), Number(p))
  return timingSafeEqual(found, Buffer.from(key, 'base64'))
}

/** A token is random and long, so that a plain hash keeps it. */
export function hashToken(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`
}

/** Compares in a time that says nothing of how much was right. */
export function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
