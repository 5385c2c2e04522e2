import { serialize } from 'node:v8'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { State } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'
import { decodeState, encodeState, readState } from './state.ts'

const state: State = {
  version: 3,
  level: Float64Array.of(1, NaN, -0, 1e300),
  slots: Float32Array.of(1.5, 2.5),
  inner: { version: 1, text: 'Gezeiten', list: [1, 2, [3]], none: undefined },
}

describe('state', () => {
  it('comes back as it was', () => {
    expect(decodeState(encodeState(state))).toEqual(state)
  })

  it('comes back from bytes at every alignment, sharing no memory with them', () => {
    const bytes = encodeState(state)
    for (let offset = 0; offset < 9; offset++) {
      const buffer = new Uint8Array(bytes.length + offset)
      buffer.set(bytes, offset)
      const decoded = decodeState(buffer.subarray(offset))
      buffer.fill(0xff)
      expect(decoded).toEqual(state)
      const other = decodeState(bytes)
      ;(decoded.level as Float64Array).fill(7)
      expect(other).toEqual(state)
    }
  })

  it('of many bytes is compressed, and comes back from bytes that were not', () => {
    const large: State = { version: 1, slots: new Float64Array(10_000).fill(NaN), level: Float64Array.of(1, NaN, -0) }
    expect(encodeState(large).length).toBeLessThan(1000)
    expect(decodeState(encodeState(large))).toEqual(large)
    const body = serialize(large)
    const before = new Uint8Array(8 + body.length)
    before.set([0x54, 0x57, 0x53, 1])
    new DataView(before.buffer).setUint32(4, crc32(body))
    before.set(body, 8)
    expect(decodeState(before)).toEqual(large)
  })

  it('is copied when encoded', () => {
    const level = Float64Array.of(1, 2)
    const bytes = encodeState({ version: 1, level })
    level.fill(9)
    expect(decodeState(bytes)).toEqual({ version: 1, level: Float64Array.of(1, 2) })
  })

  it('of few bytes adds 8 to the structured clone', () => {
    expect(encodeState(state).length).toBe(serialize(state).length + 8)
  })

  it('writes only the part of a buffer that a view shows', () => {
    const view = new Float64Array(100_000).subarray(10, 12)
    expect(encodeState({ version: 1, view }).length).toBeLessThan(200)
  })

  const bytes = encodeState(state)
  const changed = (at: number, value: number) => {
    const other = bytes.slice()
    other[at] = value
    return other
  }
  /** An envelope, with the right checksum, around what is no state. */
  const around = (version: number, ...body: number[]) => {
    const all = new Uint8Array(8 + body.length)
    all.set([0x54, 0x57, 0x53, version])
    new DataView(all.buffer).setUint32(4, crc32(Uint8Array.from(body)))
    all.set(body, 8)
    return all
  }
  const noEnvelope = /^a state must begin with TWS1 or TWS2, got \d+ bytes of something else$/
  const noState = (what: string) => `a state must be an object with a version, got ${what}`
  const noClone = 'a state must be in the structured clone format, got something else'
  it.each<[string, Uint8Array, string | RegExp]>([
    ['nothing', new Uint8Array(), noEnvelope],
    ['text', new TextEncoder().encode('{"version":1,"level":[1,2,3]}'), noEnvelope],
    ['structured clone without an envelope', new Uint8Array(serialize(state)), noEnvelope],
    ['an envelope without anything in it', bytes.slice(0, 8), noEnvelope],
    ['another first letter', changed(0, 0x55), noEnvelope],
    ['another last letter', changed(2, 0x55), noEnvelope],
    ['a version of the envelope that is none', changed(3, 3), noEnvelope],
    ['a part', bytes.slice(0, -1), /^a state must have the checksum [0-9a-f]+, got [0-9a-f]+$/],
    ['one flipped bit', changed(20, bytes[20]! ^ 1), /^a state must have the checksum/],
    ['a checksum of other bytes', changed(7, bytes[7]! ^ 1), /^a state must have the checksum/],
    ['what is no structured clone', around(1, 1, 2, 3), noClone],
    ['what is not compressed', around(2, 1, 2, 3), noClone],
    ['no object', encodeState(5 as unknown as State), noState('number')],
    ['null', encodeState(null as unknown as State), noState('null')],
    ['an object without a version', encodeState({ a: 1 } as unknown as State), noState('object')],
  ])('refuses %s', (_, garbage, reason) => {
    expect(() => decodeState(garbage)).toThrow(StoreError)
    expect(() => decodeState(garbage)).toThrow(reason)
    expect(readState(garbage)).toEqual({ fault: expect.stringMatching(reason) })
  })

  it('is read, or said why it cannot be', () => {
    expect(readState(bytes)).toEqual({ state })
  })
})
