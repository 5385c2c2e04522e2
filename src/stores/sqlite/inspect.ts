import { Worker } from 'node:worker_threads'

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './inspect-worker.ts' : './inspect-worker.js', import.meta.url)

export interface Inspection {
  /** What is wrong with the structure of the file; rejects when it was stopped or could not be read. */
  readonly done: Promise<readonly string[]>
  stop(): void
}

/** Reads the whole file in a thread of its own, so that nothing else waits. */
export function inspectFile(path: string): Inspection {
  const worker = new Worker(WORKER, { workerData: path })
  const done = new Promise<readonly string[]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the inspection of the store must end by itself, got stopped')))
  })
  return { done, stop: () => void worker.terminate() }
}
