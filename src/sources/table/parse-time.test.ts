import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoReader, parseIsoTime } from './parse-time.ts'

const read = (text: string) => isoReader()(Buffer.from(text), 0, text.length)

describe('times of files', () => {
  it('are read back as they are printed, from bytes and from text', () => {
    const readMany = isoReader()
    fc.assert(
      fc.property(fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), date => {
        const text = date.toISOString()
        expect(parseIsoTime(text)).toBe(date.getTime())
        expect(readMany(Buffer.from(text), 0, text.length)).toBe(date.getTime())
      }),
    )
  })

  it.each([
    '2026-09-01 10:30:05',
    '2026-09-01T10:30:05.123456',
    '2026-09-01T10:30:05.5Z',
    '2026-09-01T10:30:05+02:00',
    '2026-09-01T10:30',
    '2026-09-01',
    '2026-02-30T10:30:05',
    '2026-13-01T10:30:05',
    '2026-09-01T25:30:05',
    '2026-09-01T10:3x:05',
    '2026-09-0xT10:30:05',
    '2026-09-01T10:30:05.12x',
    '2026-09-01T10:30:60',
    'soon',
  ])('are the same from bytes as from text: %s', text => {
    expect(read(text)).toBe(parseIsoTime(text))
  })

  it('are read in the middle of a file', () => {
    expect(isoReader()(Buffer.from('x,2026-09-01 00:00:01,y'), 2, 21)).toBe(Date.UTC(2026, 8, 1, 0, 0, 1))
  })
})
