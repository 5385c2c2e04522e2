import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { hashToken, verifyPassword } from '../password.ts'
import { capture } from '../testing/capture.ts'
import { run } from './hash-password.ts'

async function hash(input: string, token = false) {
  const terminal = capture()
  await run({ token }, terminal, Readable.from([Buffer.from(input)]))
  return terminal.outText()
}

describe('hash-password', () => {
  it.each(['correct horse\n', 'correct horse', 'correct horse\r\nanother line\n'])(
    'prints the hash of the first line of %j',
    async input => {
      const text = await hash(input)
      expect(text).not.toContain('correct')
      expect(await verifyPassword('correct horse', text.trim())).toBe(true)
    },
  )
  it('salts each', async () => {
    expect(await hash('correct horse\n')).not.toBe(await hash('correct horse\n'))
  })
  it.each([
    ['short\n', 'the password must have at least 8 characters, got 5'],
    ['', 'the password must have at least 8 characters, got 0'],
    ['x'.repeat(2000), 'the password must have at most 1024 characters, got more'],
  ])('refuses what is no password', async (input, message) => {
    await expect(hash(input)).rejects.toThrow(message)
  })
  it('makes a token with its hash', async () => {
    const [, token, hashed] = /^token: ([\w-]{43})\nhash: {2}(\S+)\n$/.exec(await hash('', true)) ?? []
    expect(hashed).toBe(hashToken(token!))
  })
})
