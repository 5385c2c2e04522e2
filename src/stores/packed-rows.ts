import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Scores } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'
import { COLUMNS, fromColumns } from './points.ts'

/**
 * Rows of scores as bytes.
 *
 *     0  version, 1
 *     1  1 when what follows the header is deflated
 *     2  rows, 16 bits
 *     4  CRC-32 of the bytes before and after it
 *     8  body: times, then the five columns
 *
 * Times on a grid are the first and the step; others are written out. Of a column that is the same throughout (NaN mostly) one value is written.
 * Other values are written with the first bytes of all of them together, then the second bytes …: neighbours are alike there, so that deflate
 * makes a fifth of it. All is big endian.
 */
const VERSION = 1
const HEADER = 8
const GRID = 0
const LISTED = 1
const SAME = 2

/** Rows `from` to `to` (at most 65,535) as bytes; `deflated` where they will hardly be written again. */
export function packRows({ times, columns }: Scores, from: number, to: number, deflated: boolean): Uint8Array {
  const rows = to - from
  const parts = [packTimes(times.subarray(from, to)), ...COLUMNS.map(name => packColumn(columns[name].subarray(from, to)))]
  const plain = Buffer.concat(parts)
  const body = deflated ? deflateRawSync(plain) : plain
  const out = Buffer.alloc(HEADER + body.length)
  out[0] = VERSION
  out[1] = deflated ? 1 : 0
  out.writeUInt16BE(rows, 2)
  body.copy(out, HEADER)
  out.writeUInt32BE(checksum(out), 4)
  return out
}

/** How many rows were packed. */
export function packedRows(bytes: Uint8Array): number {
  return bytes.length < HEADER ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint16(2)
}

/** The rows, sharing no memory with the bytes. Throws `StoreError` when the bytes are not what was packed. */
export function unpackRows(labels: Scores['labels'], packed: Uint8Array): Scores {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  if (bytes.length <= HEADER || bytes[0] !== VERSION || bytes[1] > 1)
    throw new StoreError(`points must begin with version ${VERSION}, got ${bytes.length} bytes of something else`)
  if (checksum(bytes) !== bytes.readUInt32BE(4))
    throw new StoreError('points must have the checksum they were written with, got another')
  const rows = bytes.readUInt16BE(2)
  const stored = bytes.subarray(HEADER)
  const body = bytes[1] === 1 ? inflateRawSync(stored) : stored
  let at = 0
  const next = () => {
    const { values, length } = unpackColumn(body.subarray(at), rows)
    at += length
    return values
  }
  return { labels, times: next(), columns: fromColumns(next) }
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(HEADER), crc32(bytes.subarray(0, 4)))
}

function packTimes(times: Float64Array): Buffer {
  const step = times.length > 1 ? times[1] - times[0] : 1
  if (!times.every((time, i) => time === times[0] + i * step)) return packColumn(times)
  const out = Buffer.alloc(17)
  out[0] = GRID
  out.writeDoubleBE(times[0], 1)
  out.writeDoubleBE(step, 9)
  return out
}

function packColumn(values: Float64Array): Buffer {
  if (values.every(value => Object.is(value, values[0]))) {
    const out = Buffer.alloc(9)
    out[0] = SAME
    out.writeDoubleBE(values[0], 1)
    return out
  }
  const { length } = values
  const plain = Buffer.alloc(8 * length)
  for (let i = 0; i < length; i++) plain.writeDoubleBE(values[i], 8 * i)
  const out = Buffer.alloc(1 + 8 * length)
  out[0] = LISTED
  for (let i = 0; i < length; i++) for (let k = 0; k < 8; k++) out[1 + k * length + i] = plain[8 * i + k]
  return out
}

function unpackColumn(bytes: Buffer, rows: number): { values: Float64Array; length: number } {
  const values = new Float64Array(rows)
  if (bytes[0] === SAME) return { values: values.fill(bytes.readDoubleBE(1)), length: 9 }
  if (bytes[0] === GRID) {
    const [first, step] = [bytes.readDoubleBE(1), bytes.readDoubleBE(9)]
    for (let i = 0; i < rows; i++) values[i] = first + i * step
    return { values, length: 17 }
  }
  const plain = Buffer.alloc(8 * rows)
  for (let i = 0; i < rows; i++) for (let k = 0; k < 8; k++) plain[8 * i + k] = bytes[1 + k * rows + i]
  for (let i = 0; i < rows; i++) values[i] = plain.readDoubleBE(8 * i)
  return { values, length: 1 + 8 * rows }
}
