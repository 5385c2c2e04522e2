import { crc32, deflateSync } from 'node:zlib'

/** Colours of r = −1 and r = 1; between them they fade out to nothing at 0. */
export interface Colours {
  readonly against: readonly [number, number, number]
  readonly together: readonly [number, number, number]
}

/** A picture (PNG as a data address) of one pixel for each cell of a square matrix of correlations, rows and columns in the order given. */
export function heatMap(matrix: ArrayLike<number>, order: readonly number[], { against, together }: Colours): string {
  const size = order.length
  const rows = Buffer.alloc(size * (size + 1))
  for (const [y, i] of order.entries())
    for (const [x, j] of order.entries()) {
      const r = matrix[i * size + j]
      rows[y * (size + 1) + 1 + x] = 128 + Math.round(127 * (Number.isNaN(r) ? 0 : r))
    }
  const colours = Buffer.alloc(256 * 3)
  const opacity = Buffer.alloc(256)
  for (let level = 0; level < 256; level++) {
    const r = (level - 128) / 127
    colours.set(r < 0 ? against : together, level * 3)
    opacity[level] = Math.round(255 * Math.min(1, Math.abs(r)) ** 1.3)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  // Eight bits of a palette.
  header.set([8, 3, 0, 0, 0], 8)
  const png = Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('tRNS', opacity),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
  return `data:image/png;base64,${png.toString('base64')}`
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  out.set(body, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
