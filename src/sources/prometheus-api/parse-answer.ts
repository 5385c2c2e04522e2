import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { SECOND } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import type { Parsed } from './parse-worker.ts'
import { type Read, readAnswer, type Wanted } from './read-answer.ts'

/** Bytes that are parsed here, in a few ms: moving them to a thread would cost as much. */
const SMALL = 256 * 1024
/** Answers that are parsed at once; further ones wait. */
const THREADS = 2
/** Memory of a thread for the objects of one series at a time. */
const HEAP_MIB = 256

let pool: Piscina | undefined

/**
 * Reads an answer, large ones in another thread so that this one goes on serving; `bytes` are gone then. An answer that takes too much memory
 * ends that thread alone. Rejects with a `SourceError`, or with the reason of the signal.
 */
export async function parseAnswer(bytes: Uint8Array<ArrayBuffer>, wanted: Wanted, signal: AbortSignal): Promise<Read> {
  if (bytes.length <= SMALL) return readAnswer(bytes, wanted)
  pool ??= openPool()
  try {
    const parsed: Parsed = await pool.run({ bytes, wanted }, { signal, transferList: [bytes.buffer] })
    if ('read' in parsed) return parsed.read
    throw new SourceError(parsed.error.message, { retryable: false, limit: parsed.error.limit })
  } catch (error) {
    signal.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    throw new SourceError(`must answer with series that fit in ${HEAP_MIB} MiB each, got one that does not`, {
      retryable: false,
      limit: 'memory',
      cause: error,
    })
  }
}

/** For all sources together; its threads end when nothing was large for a while, and keep no process alive. */
function openPool(): Piscina {
  const worker = import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.js'
  return new Piscina({
    filename: fileURLToPath(new URL(worker, import.meta.url)),
    minThreads: 0,
    maxThreads: THREADS,
    idleTimeout: 10 * SECOND,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  })
}
