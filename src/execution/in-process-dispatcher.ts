import { formatDuration } from '../duration.ts'
import type { Dispatcher, Job } from './dispatcher.ts'
import { openFairQueue } from './fair-queue.ts'

/** Does one job; what it throws rejects the dispatch. */
export type Handler = (job: Job, signal: AbortSignal) => Promise<void>

/**
 * Runs jobs in this process: of one source at most `concurrency` at once, and one more of another source, so that a source which does not answer
 * takes nobody else's place. A deadline begins when its job does. A job of a flow that is still running is refused with an error.
 */
export function openInProcessDispatcher(handler: Handler, concurrency: number): Dispatcher {
  const running = new Map<string, { readonly done: Promise<void>; readonly cancel: AbortController }>()
  const closing = new AbortController()
  const most = Math.max(1, concurrency)
  const queue = openFairQueue(most + 1, most)

  const work = async (job: Job, signal: AbortSignal) => {
    const timer = new AbortController()
    const timeout = setTimeout(
      () => timer.abort(new Error(`run must end within its deadline of ${formatDuration(job.deadline)}, got no result`)),
      job.deadline,
    )
    try {
      await handler(job, AbortSignal.any([signal, timer.signal]))
    } finally {
      clearTimeout(timeout)
    }
  }
  return {
    async dispatch(job, signal) {
      if (running.has(job.flow)) throw new Error(`flow ${job.flow} must not run twice at once`)
      const cancel = new AbortController()
      const any = AbortSignal.any([signal, closing.signal, cancel.signal])
      const done = queue.run(job.source, () => work(job, any), any).finally(() => running.delete(job.flow))
      running.set(job.flow, { done, cancel })
      await done
    },
    async cancel(flow, reason) {
      const run = running.get(flow)
      run?.cancel.abort(reason)
      await Promise.allSettled([run?.done])
    },
    async close() {
      closing.abort(new Error('the service is stopping'))
      await Promise.allSettled([...running.values()].map(({ done }) => done))
    },
  }
}
