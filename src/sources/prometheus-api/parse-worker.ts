import { move, transferableSymbol, valueSymbol } from 'piscina'
import { SourceError } from '../../errors.ts'
import { type Read, readAnswer, type Wanted } from './read-answer.ts'

/** What a thread says of an answer: what it read, or the error of the answer as plain data. */
export type Parsed =
  | { readonly read: Read }
  | { readonly error: { readonly message: string; readonly limit: string | undefined } }

/** Entry of a worker thread. */
export default function parse({ bytes, wanted }: { bytes: Uint8Array; wanted: Wanted }): unknown {
  try {
    const read = readAnswer(bytes, wanted)
    return moved({ read }, read.series ? [read.series.values.buffer, read.series.notANumber?.buffer] : [])
  } catch (error) {
    if (error instanceof SourceError) return { error: { message: error.message, limit: error.limit } } satisfies Parsed
    throw error
  }
}

function moved(value: Parsed, buffers: readonly (ArrayBuffer | undefined)[]): unknown {
  return move({ [transferableSymbol]: buffers.filter(Boolean), [valueSymbol]: value } as never)
}
