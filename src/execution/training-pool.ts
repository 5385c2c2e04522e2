import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { FitResult, FitTask } from './training-worker.ts'

/** Where fits are made. */
export interface TrainingPool {
  /** Resolves to undefined when there was too little to learn from; rejects when the fit fails or the signal says so, which ends it at once. */
  fit(task: FitTask, onProgress: (done: number) => void, signal: AbortSignal): Promise<FitResult | undefined>
  close(): Promise<void>
}

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './training-worker.ts' : './training-worker.js', import.meta.url)

/** On Linux a thread has a priority of its own: where all cores are busy, runs go before fits. Elsewhere it would be that of the process. */
const PRIORITY = process.platform === 'linux' ? { niceIncrement: 10 } : {}

/** Worker threads that only fit, so that nothing else waits for them. An abort kills the thread of the fit, even one that hangs. */
export function openTrainingPool(threads: number, worker: URL = WORKER): TrainingPool {
  const pool = new Piscina({ filename: worker.href, minThreads: 0, maxThreads: threads, idleTimeout: 30_000, ...PRIORITY })
  // As in the pool of runs: the late answer to a fit that was cancelled concerns nobody.
  pool.on('error', () => {})
  return {
    async fit(task, onProgress, signal) {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', onProgress)
      try {
        return await pool.run({ ...task, port: port2 }, { signal, transferList: [port2] })
      } catch (error) {
        throw signal.aborted ? signal.reason : error
      } finally {
        port1.close()
      }
    },
    close: () => pool.destroy(),
  }
}
