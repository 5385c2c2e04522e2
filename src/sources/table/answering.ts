import { stat } from 'node:fs/promises'
import { InputError } from '../../errors.ts'
import type { SeriesAnswer } from '../source.ts'

/** Reads a file again only when its size or its time of change is another. */
export function rereader<Content>(file: string, read: () => Promise<Content>): () => Promise<Content> {
  let version: string | undefined
  let content: Promise<Content> | undefined
  return async () => {
    const found = await stat(file).then(
      ({ mtimeMs, size }) => `${mtimeMs} ${size}`,
      () => undefined,
    )
    if (!content || found === undefined || found !== version) {
      version = found
      content = read()
    }
    return content
  }
}

/** The promise, or a rejection with the signal's reason when that comes first. */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Returns the step, or throws `InputError` when no grid can be made of it. */
export function checkStep(step: number): number {
  if (!(step > 0 && Number.isFinite(step))) throw new InputError(`step must be a positive number of ms, got ${step}`)
  return step
}

/** Leaves out series that have no value; what `latest` answers. */
export function withoutUnknown(answer: SeriesAnswer): SeriesAnswer {
  return { ...answer, frames: answer.frames.filter(({ columns }) => !Number.isNaN(columns.value[0])) }
}
