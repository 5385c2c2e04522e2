/** Runs tasks side by side on a number of places, so that none who asks for many keeps the others waiting. */
export interface FairQueue {
  /** Runs the task when it is its turn. A waiting task whose signal aborts rejects with its reason and is never started. */
  run<Value>(owner: string, task: () => Promise<Value>, signal: AbortSignal): Promise<Value>
  load(): { readonly running: number; readonly waiting: number }
}

/**
 * Owners take turns: each place that becomes free goes to the owner whose last turn is the longest ago, new ones first. One owner has at most
 * `mostOfOne` places; when that is fewer than `places`, there is always one for somebody else.
 */
export function openFairQueue(places: number, mostOfOne: number): FairQueue {
  const waiting = new Map<string, (() => void)[]>()
  const running = new Map<string, number>()
  /** Number of the last turn of each owner that ever had one. */
  const turns = new Map<string, number>()
  let turn = 0
  let taken = 0

  const nextOwner = (): string | undefined => {
    let next: string | undefined
    for (const owner of waiting.keys())
      if ((running.get(owner) ?? 0) < mostOfOne && (next === undefined || (turns.get(owner) ?? 0) < (turns.get(next) ?? 0)))
        next = owner
    return next
  }
  const startNext = () => {
    const owner = taken < places ? nextOwner() : undefined
    if (owner === undefined) return
    const tasks = waiting.get(owner)!
    const start = tasks.shift()!
    if (tasks.length === 0) waiting.delete(owner)
    running.set(owner, (running.get(owner) ?? 0) + 1)
    turns.set(owner, ++turn)
    taken++
    start()
  }
  const leave = (owner: string) => {
    taken--
    running.set(owner, running.get(owner)! - 1)
    startNext()
  }
  const enter = (owner: string, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const tasks = waiting.get(owner) ?? []
      const start = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        const own = waiting.get(owner)!
        own.splice(own.indexOf(start), 1)
        if (own.length === 0) waiting.delete(owner)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      tasks.push(start)
      waiting.set(owner, tasks)
      startNext()
    })

  return {
    async run(owner, task, signal) {
      signal.throwIfAborted()
      await enter(owner, signal)
      try {
        signal.throwIfAborted()
        return await task()
      } finally {
        leave(owner)
      }
    },
    load: () => ({ running: taken, waiting: [...waiting.values()].reduce((sum, tasks) => sum + tasks.length, 0) }),
  }
}
