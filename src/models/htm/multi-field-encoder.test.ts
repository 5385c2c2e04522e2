import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { buildMultiFieldEncoder, type MultiFieldEncoder } from './multi-field-encoder.ts'
import { buildScalarEncoder } from './scalar-encoder.ts'

const fieldsOf = (count: number) => Array.from({ length: count }, (_, f) => ({ resolution: 0.1, offset: f }))
const build = (count: number, size = 1500) =>
  buildMultiFieldEncoder({ fields: fieldsOf(count), size, buckets: 60 }, seededRandom(1))
const bitsOf = (encoder: MultiFieldEncoder, row: number[]) => {
  const into = new Uint8Array(encoder.size)
  encoder.encode(row, into)
  return [...into.keys()].filter(bit => into[bit])
}
const middles = (count: number) => Array.from({ length: count }, (_, f) => f)

describe('buildMultiFieldEncoder', () => {
  it.each([
    // fields, bits in all, bits set for each
    [1, 400, 21],
    [3, 1200, 21],
    [5, 1500, 16],
    [10, 1500, 8],
    [23, 1495, 7],
  ])('gives %i fields blocks of their own, in %i bits', (count, size, active) => {
    const encoder = build(count)
    expect(encoder.size).toBe(size)
    const bits = bitsOf(encoder, middles(count))
    expect(bits).toHaveLength(active * count)
    for (let f = 0; f < count; f++) {
      expect(bits.filter(bit => Math.floor(bit / (size / count)) === f)).toHaveLength(active)
    }
  })

  it('is encoders one after the other', () => {
    const random = seededRandom(1)
    const twins = fieldsOf(4).map(field => buildScalarEncoder({ ...field, size: 375, active: 20, buckets: 60 }, random))
    const row = [0.3, 1.7, 1.1, 9]
    const into = new Uint8Array(1500)
    for (const [f, twin] of twins.entries()) twin.encode(row[f], into.subarray(375 * f, 375 * (f + 1)))
    const ours = new Uint8Array(1500)
    build(4).encode(row, ours)
    expect(ours).toEqual(into)
  })

  it.each([24, 75, 200])('lets %i fields share all bits, each with a few', count => {
    const encoder = build(count)
    expect(encoder.size).toBe(1500)
    const all = bitsOf(encoder, middles(count)).length
    expect(all).toBeLessThanOrEqual(Math.max(225, 3 * count))
    expect(all).toBeGreaterThan(0.7 * Math.min(225, 3 * count))
    const alone = Array.from({ length: count }, (_, f) => (f === 7 ? 7 : NaN))
    expect(bitsOf(encoder, alone).length).toBe(Math.max(3, Math.floor(225 / count)))
  })

  it.each([2, 30])('leaves a field without a number empty, among %i', count => {
    const encoder = build(count)
    const known = bitsOf(encoder, middles(count))
    const unknown = bitsOf(encoder, [NaN, ...middles(count).slice(1)])
    expect(unknown.length).toBeLessThan(known.length)
    for (const bit of unknown) expect(known).toContain(bit)
    expect(bitsOf(encoder, middles(count).fill(NaN))).toEqual([])
  })

  it('shares most bits between rows that differ a little in one field', () => {
    const encoder = build(6)
    const bits = new Set(bitsOf(encoder, middles(6)))
    const shared = (row: number[]) => bitsOf(encoder, row).filter(bit => bits.has(bit)).length / bits.size
    expect(shared([0.1, 1, 2, 3, 4, 5])).toBeGreaterThan(0.95)
    expect(shared([2, 1, 2, 3, 4, 5])).toBeGreaterThan(0.8)
    expect(shared([2, 3, 4, 5, 6, 7])).toBeLessThan(0.2)
  })

  it('writes from its place on and clears nothing', () => {
    const encoder = build(2)
    const into = new Uint8Array(encoder.size + 10).fill(1, 0, 10)
    encoder.encode([0, 1], into, 10)
    const shifted = [...into.keys()].filter(bit => into[bit])
    expect(shifted).toEqual([...Array(10).keys(), ...bitsOf(encoder, [0, 1]).map(bit => bit + 10)])
  })

  it('refuses no fields and too few bits', () => {
    expect(() => build(0)).toThrow('fields must be at least one, got none')
    expect(() => build(1, 50)).toThrow('size must be at least 64, got 50')
  })
})
