import { describe, expect, it } from 'vitest'
import { hashPassword, hashToken, isPasswordHash, isSame, isTokenHash, verifyPassword } from './password.ts'

const SALT = Buffer.from('0123456789abcdef')

describe('password hashes', () => {
  it('are of scrypt, with cost and salt, and know their password only', async () => {
    const hash = await hashPassword('correct horse', SALT)
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$MDEyMzQ1Njc4OWFiY2RlZg\$[\w+/]{43}$/)
    expect(isPasswordHash(hash)).toBe(true)
    expect(await verifyPassword('correct horse', hash)).toBe(true)
    expect(await verifyPassword('correct horsE', hash)).toBe(false)
    expect(await verifyPassword('', hash)).toBe(false)
  })

  it('are the same for a letter that is typed in two ways', async () => {
    expect(await verifyPassword('Gr\u00f6\u00dfe-9', await hashPassword('Gro\u0308\u00dfe-9', SALT))).toBe(true)
  })

  it('agree with RFC 7914', async () => {
    // Section 12, the third vector, cut to 32 bytes: N = 16384, r = 8, p = 1.
    const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex')
    const hash = `$scrypt$ln=14,r=8,p=1$${Buffer.from('SodiumChloride').toString('base64').replaceAll('=', '')}$${key.toString('base64').replaceAll('=', '')}`
    expect(await verifyPassword('pleaseletmein', hash)).toBe(true)
  })

  it.each(['', 'hunter2', '$scrypt$ln=30,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$x', '$2y$10$abcdefghijklmnopqrstuv'])(
    'are not %j, which no password fits',
    async text => {
      expect(isPasswordHash(text)).toBe(false)
      expect(await verifyPassword(text, text)).toBe(false)
    },
  )
})

it('a token is kept as its hash', () => {
  expect(hashToken('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(isTokenHash(hashToken('abc'))).toBe(true)
  expect(isTokenHash('abc')).toBe(false)
  expect([isSame('a', 'a'), isSame('a', 'b'), isSame('a', 'aa')]).toEqual([true, false, false])
})
