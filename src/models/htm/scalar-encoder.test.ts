import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { buildScalarEncoder } from './scalar-encoder.ts'

const options = { size: 200, active: 11, resolution: 0.5, offset: 10, buckets: 100 }
const bitsOf = (encoder: { size: number; encode(value: number, into: Uint8Array): void }, value: number) => {
  const into = new Uint8Array(encoder.size)
  encoder.encode(value, into)
  return new Set([...into.keys()].filter(bit => into[bit]))
}

const sharedBy = (a: Set<number>, b: Set<number>) => [...a].filter(bit => b.has(bit)).length

/** Buckets as sets, one after the other, with every overlap counted anew. */
function naiveBuckets({ size, active, buckets }: typeof options, random: () => number): Set<number>[] {
  const order: number[] = []
  const made: Set<number>[] = []
  while (made.length < buckets) {
    const kept = order.slice(Math.max(0, order.length - active + 1))
    const far = made.slice(0, Math.max(0, made.length - active + 1))
    let best = { bit: -1, most: Infinity }
    for (let tries = 0; tries < 8 && best.most > 2; tries++) {
      let bit = Math.floor(random() * size)
      while (kept.includes(bit)) bit = Math.floor(random() * size)
      const set = new Set([...kept, bit])
      const most = order.length < active - 1 ? 0 : Math.max(0, ...far.map(other => sharedBy(other, set)))
      if (most < best.most) best = { bit, most }
    }
    order.push(best.bit)
    if (order.length >= active) made.push(new Set(order.slice(-active)))
  }
  return made
}

describe('buildScalarEncoder', () => {
  const encoder = buildScalarEncoder(options, seededRandom(1))

  it('agrees with a naive twin', () => {
    const twin = naiveBuckets(options, seededRandom(1).next)
    for (let k = 0; k < 100; k++) expect(bitsOf(encoder, 10 + (k - 50) * 0.5)).toEqual(twin[k])
  })

  it('shares a bit less for each step between two numbers, and few between far ones', () => {
    for (let k = 0; k < 60; k++) {
      for (let j = 0; j <= 30; j++) {
        const shared = sharedBy(bitsOf(encoder, k * 0.5), bitsOf(encoder, (k + j) * 0.5))
        if (j < 11) expect(shared).toBeGreaterThanOrEqual(11 - j)
        else expect(shared).toBeLessThanOrEqual(4)
      }
    }
  })

  it('keeps numbers beyond its buckets in the outermost ones', () => {
    expect(bitsOf(encoder, 1e9)).toEqual(bitsOf(encoder, 10 + 49 * 0.5))
    expect(bitsOf(encoder, -Infinity)).toEqual(bitsOf(encoder, 10 - 50 * 0.5))
    expect(bitsOf(encoder, 1e9).size).toBe(11)
  })

  it('refuses what is not known, and sizes that cannot hold', () => {
    expect(() => bitsOf(encoder, NaN)).toThrow('must be known, got NaN')
    expect(() => buildScalarEncoder({ ...options, size: 20 }, seededRandom(1))).toThrow('size must be more than twice active')
    expect(() => buildScalarEncoder({ ...options, resolution: 0 }, seededRandom(1))).toThrow('resolution must be above 0, got 0')
  })
})
