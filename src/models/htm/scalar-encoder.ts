import type { Random } from '../../math/random.ts'

/** Makes sets of bits of numbers: near numbers share bits, far ones hardly any. */
export interface ScalarEncoder {
  readonly size: number
  /** Sets the bits of a known number in `into`, from `at` on; clears none. */
  encode(value: number, into: Uint8Array, at?: number): void
}

export interface ScalarEncoderOptions {
  readonly size: number
  /** Bits set for each number. */
  readonly active: number
  /** Numbers this far apart differ in one bit. */
  readonly resolution: number
  /** The number in the middle of the buckets. */
  readonly offset: number
  /** Numbers beyond the outermost buckets are encoded as those. */
  readonly buckets: number
}

/** Bits that two buckets with no common stretch may share, while another draw avoids it. */
const SHARED_LIMIT = 2
const TRIES = 8

/**
 * Random distributed scalar encoder (Purdy 2016, "Encoding Data for Hierarchical Temporal Memory (HTM) Systems"): bucket k + 1 is
 * bucket k with one bit, its oldest, replaced by a random one. Of `TRIES` draws the first that keeps far buckets apart is taken, else the best.
 */
export function buildScalarEncoder(options: ScalarEncoderOptions, random: Random): ScalarEncoder {
  const { size, active, resolution, offset, buckets } = options
  if (!(size > 2 * active)) throw new RangeError(`size must be more than twice active, got ${size} and ${active}`)
  if (!(resolution > 0)) throw new RangeError(`resolution must be above 0, got ${resolution}`)
  // Bucket k is bits[k] … bits[k + active − 1].
  const bits = new Uint16Array(buckets + active - 1)
  const memberOf = new Uint8Array(buckets * size)
  const shared = new Uint16Array(buckets)
  const isUsed = new Uint8Array(size)

  for (let i = 0; i < bits.length; i++) {
    if (i >= active) isUsed[bits[i - active]] = 0
    const bucket = i - active + 1
    const far = bucket - active + 1
    for (let j = 0; j < far; j++) {
      shared[j] = 0
      for (let k = bucket; k < i; k++) shared[j] += memberOf[j * size + bits[k]]
    }
    let best = -1
    let least = Infinity
    for (let tries = 0; tries < TRIES && least > SHARED_LIMIT; tries++) {
      let bit = Math.floor(random.next() * size)
      while (isUsed[bit]) bit = Math.floor(random.next() * size)
      let most = 0
      for (let j = 0; j < far; j++) most = Math.max(most, shared[j] + memberOf[j * size + bit])
      if (most < least) {
        least = most
        best = bit
      }
    }
    bits[i] = best
    isUsed[best] = 1
    if (bucket >= 0) for (let k = bucket; k <= i; k++) memberOf[bucket * size + bits[k]] = 1
  }

  return {
    size,
    encode(value, into, at = 0) {
      if (Number.isNaN(value)) throw new RangeError('value must be known, got NaN')
      const bucket = Math.round((value - offset) / resolution) + (buckets >> 1)
      const first = Math.max(0, Math.min(buckets - 1, bucket))
      for (let k = first; k < first + active; k++) into[at + bits[k]] = 1
    },
  }
}
