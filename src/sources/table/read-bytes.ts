import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { SourceError } from '../../errors.ts'
import { formatSize } from '../../size.ts'

export interface Bytes {
  /** What the file is called in messages. */
  readonly name: string
  /** Bytes that are read at most, after unzipping. */
  readonly maxBytes: number
  /** What a user changes to read more, for the message: `maxBytes`, `--max-size`. */
  readonly option: string
}

/**
 * All bytes of a file, unzipped when they begin like gzip. Reads as a stream and stops at the limit, because a few MB of gzip can hold many GB.
 * Throws a `SourceError` for a file that is too large, cannot be read, or is damaged.
 */
export async function readBytes(input: string | Uint8Array, limits: Bytes): Promise<Buffer> {
  const { name } = limits
  let unzipped = 0
  try {
    const stream = typeof input === 'string' ? createReadStream(input) : [Buffer.from(input)]
    const [first, all] = await peek(stream)
    const collect = async (chunks: AsyncIterable<Buffer>) => {
      const kept: Buffer[] = []
      for await (const chunk of chunks) {
        unzipped += chunk.length
        if (unzipped > limits.maxBytes) throw tooLarge(limits)
        kept.push(chunk)
      }
      return Buffer.concat(kept, unzipped)
    }
    const zipped = first?.[0] === 0x1f && first[1] === 0x8b
    return await (zipped ? pipeline(all, createGunzip(), collect) : collect(all()))
  } catch (error) {
    if (error instanceof SourceError) throw error
    const { code = '', message } = error as NodeJS.ErrnoException
    const damaged = code.startsWith('Z_')
    throw new SourceError(
      damaged
        ? `${name}: must be a whole gzip file, got ${message} after ${formatSize(unzipped)} of text`
        : `${name}: must be a readable file, got ${code || message}`,
      { retryable: false, cause: error },
    )
  }
}

function tooLarge({ name, maxBytes, option }: Bytes): SourceError {
  return new SourceError(`${name}: must have at most ${formatSize(maxBytes)} (unzipped), got more; ${option} sets the limit`, {
    retryable: false,
    limit: 'maxBytes',
  })
}

/** The first chunk, and a function that gives all chunks. */
async function peek(
  stream: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<[Buffer | undefined, () => AsyncGenerator<Buffer>]> {
  const chunks = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]()
  const first = await chunks.next()
  async function* all() {
    try {
      for (let next = first; !next.done; next = await chunks.next()) yield next.value
    } finally {
      await chunks.return?.()
    }
  }
  return [first.done ? undefined : first.value, all]
}
