import type { Random } from '../../math/random.ts'
import { buildScalarEncoder } from './scalar-encoder.ts'

/** Makes one set of bits of several numbers. */
export interface MultiFieldEncoder {
  /** Bits for all fields together. */
  readonly size: number
  /** Sets the bits of a row, one number for each field, in `into`, from `at` on; clears none. NaN leaves its field empty. */
  encode(row: ArrayLike<number>, into: Uint8Array, at?: number): void
}

export interface MultiFieldEncoderOptions {
  readonly fields: readonly Field[]
  /** Bits for all fields together, at most: a pooler takes memory for each. */
  readonly size: number
  /** Numbers of a field beyond its outermost buckets are encoded as those; building takes the square of it. */
  readonly buckets: number
}

export interface Field {
  /** Numbers this far apart differ in one bit. */
  readonly resolution: number
  /** The number in the middle of the buckets. */
  readonly offset: number
}

/** More tell nothing more apart. */
const MOST_BITS = 400
/** With fewer, two numbers far apart share too much of a block. */
const LEAST_BITS = 64
/** As one field has in the Numenta Anomaly Benchmark. */
const DENSITY = 21 / 400
const LEAST_ACTIVE = 7
/** Share of the bits set by all fields when they have no blocks of their own, but at least three bits for each field. */
const SHARED_DENSITY = 0.15

/**
 * A random distributed scalar encoder for each field (Purdy 2016). Each has a block of its own, 400 bits for the first few fields and fewer for
 * more; when a block would be below 64 bits, all fields set bits all over, a few for each, and may meet by chance.
 */
export function buildMultiFieldEncoder({ fields, size, buckets }: MultiFieldEncoderOptions, random: Random): MultiFieldEncoder {
  if (!(fields.length >= 1)) throw new RangeError('fields must be at least one, got none')
  if (!(size >= LEAST_BITS)) throw new RangeError(`size must be at least ${LEAST_BITS}, got ${size}`)
  const block = Math.min(MOST_BITS, Math.floor(size / fields.length))
  const isShared = block < LEAST_BITS
  const bits = isShared ? size : block
  const active = isShared
    ? Math.max(3, Math.floor((size * SHARED_DENSITY) / fields.length))
    : Math.max(LEAST_ACTIVE, Math.round(block * DENSITY))
  const encoders = fields.map(field => buildScalarEncoder({ ...field, size: bits, active, buckets }, random))
  return {
    size: isShared ? size : block * fields.length,
    encode(row, into, at = 0) {
      for (let f = 0; f < encoders.length; f++) {
        if (!Number.isNaN(row[f])) encoders[f].encode(row[f], into, at + (isShared ? 0 : f * block))
      }
    },
  }
}
