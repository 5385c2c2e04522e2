import type { Dispatcher, Job } from './dispatcher.ts'

/** Does one job; what it throws rejects the dispatch. */
export type Handler = (job: Job, signal: AbortSignal) => Promise<void>

/** Runs jobs in this process, at most `concurrency` at once. A job of a flow that is still running is refused with an error. */
export function openInProcessDispatcher(handler: Handler, concurrency: number): Dispatcher {
  const running = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  const closing = new AbortController()
  let free = Math.max(1, concurrency)

  const take = async () => {
    if (free > 0) free--
    else await new Promise<void>(resolve => waiting.push(resolve))
  }
  const give = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  const work = async (job: Job, signal: AbortSignal) => {
    await take()
    const timer = new AbortController()
    const timeout = setTimeout(
      () => timer.abort(new Error(`run must end within its deadline of ${job.deadline} ms, got no result`)),
      job.deadline,
    )
    try {
      const all = AbortSignal.any([signal, closing.signal, timer.signal])
      all.throwIfAborted()
      await handler(job, all)
    } finally {
      clearTimeout(timeout)
      give()
    }
  }
  return {
    async dispatch(job, signal) {
      if (running.has(job.flow)) throw new Error(`flow ${job.flow} must not run twice at once`)
      const done = work(job, signal).finally(() => running.delete(job.flow))
      running.set(job.flow, done)
      await done
    },
    async close() {
      closing.abort(new Error('the service is stopping'))
      await Promise.allSettled(running.values())
    },
  }
}
