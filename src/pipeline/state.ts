import { deserialize, serialize } from 'node:v8'
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { State } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'

/** `TWS`, followed by the version of this envelope. */
const MAGIC = [0x54, 0x57, 0x53]
const PLAIN = 1
const COMPRESSED = 2
/** States of fewer bytes stay as they are. */
const SMALL = 1024
/** Takes a third of a millisecond for 100 KB, which then cross threads and are written as 3 to 30 KB. */
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** The magic and a CRC-32 of the rest, big endian. */
const HEADER = 8

/** State as bytes that say what they are: structured clone format, compressed where it is large, with a checksum. The bytes share no memory with the state. */
export function encodeState(state: State): Uint8Array {
  const plain = serialize(state)
  const isSmall = plain.length < SMALL
  const body = isSmall ? plain : zstdCompressSync(plain, FASTEST)
  const bytes = new Uint8Array(HEADER + body.length)
  bytes.set([...MAGIC, isSmall ? PLAIN : COMPRESSED])
  new DataView(bytes.buffer).setUint32(4, crc32(body))
  bytes.set(body, HEADER)
  return bytes
}

/** The state that was encoded, sharing no memory with the bytes, however these are aligned. Throws `StoreError` on anything else. */
export function decodeState(bytes: Uint8Array): State {
  const version = bytes[MAGIC.length]
  const isOurs = bytes.length > HEADER && MAGIC.every((byte, i) => bytes[i] === byte)
  if (!isOurs || (version !== PLAIN && version !== COMPRESSED))
    throw new StoreError(`a state must begin with TWS1 or TWS2, got ${bytes.length} bytes of something else`)
  // A copy, because typed arrays of the state would be views of the bytes they were read from.
  const body = Buffer.from(new Uint8Array(bytes.subarray(HEADER)).buffer)
  const wanted = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4)
  const found = crc32(body)
  if (found !== wanted) throw new StoreError(`a state must have the checksum ${wanted.toString(16)}, got ${found.toString(16)}`)
  const state: unknown = read(body, version === COMPRESSED)
  if (typeof state !== 'object' || state === null || !Number.isInteger((state as State).version))
    throw new StoreError(`a state must be an object with a version, got ${state === null ? 'null' : typeof state}`)
  return state as State
}

/** The state, or why it cannot be read. */
export function readState(
  bytes: Uint8Array,
): { readonly state: State; readonly fault?: never } | { readonly fault: string; readonly state?: never } {
  try {
    return { state: decodeState(bytes) }
  } catch (error) {
    return { fault: (error as Error).message }
  }
}

function read(body: Buffer, isCompressed: boolean): unknown {
  try {
    return deserialize(isCompressed ? zstdDecompressSync(body) : body)
  } catch (cause) {
    throw new StoreError('a state must be in the structured clone format, got something else', { cause })
  }
}
