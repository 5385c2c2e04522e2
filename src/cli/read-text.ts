import { closeSync, openSync, readSync } from 'node:fs'
import { formatSize } from '../size.ts'

const CHUNK = 64 * 2 ** 10

/**
 * The text of a file in UTF-8. Reads no more than `maxBytes`, also of what has no end; throws an error whose message says what came instead
 * (`ENOENT`, `EISDIR`, `more than 1 MiB`, `bytes that are no UTF-8`).
 */
export function readText(path: string, maxBytes: number): string {
  const chunks: Buffer[] = []
  let size = 0
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const chunk = Buffer.alloc(CHUNK)
      const read = readSync(file, chunk)
      if (read === 0) break
      size += read
      if (size > maxBytes) throw new Error(`more than ${formatSize(maxBytes)}`)
      chunks.push(chunk.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
  const bytes = Buffer.concat(chunks)
  if (/^(\xff\xfe|\xfe\xff)/.test(bytes.toString('latin1', 0, 2))) throw new Error('text in UTF-16')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Error('bytes that are no UTF-8')
  }
}
