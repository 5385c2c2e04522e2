import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { size } from './schema.ts'
import { formatSize, parseSize } from './size.ts'

describe('sizes', () => {
  it.each([
    ['17B', 17],
    ['512KiB', 512 * 1024],
    ['64MB', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    ['1.5gib', 1.5 * 2 ** 30],
    ['2TB', 2 ** 41],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', '64', 'MiB', '-1MB', '1e3MB', '1PB', '1iB', '5m'])('%j is no size', text => {
    expect(() => parseSize(text)).toThrow('must be a size with a unit like 512KiB, 64MiB or 1GiB, got ')
  })

  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1 KiB'],
    [64 * 2 ** 20, '64 MiB'],
    [1.55 * 2 ** 30, '1.6 GiB'],
    [2 ** 51, '2048 TiB'],
  ])('%d bytes are printed as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text))

  it('are bytes after the check of a configuration, and more than nothing', () => {
    const schema = z.strictObject({ maxBytes: size() })
    expect(schema.parse({ maxBytes: '1KiB' })).toEqual({ maxBytes: 1024 })
    for (const [given, message] of [
      [1024, 'must be a size with a unit like 64MiB, got 1024'],
      ['much', 'must be a size with a unit like 512KiB, 64MiB or 1GiB, got "much"'],
      ['0B', 'must be more than 0 bytes, got "0B"'],
    ])
      expect(schema.safeParse({ maxBytes: given }).error?.issues[0]?.message).toBe(message)
  })
})
