/** Runs at most `size` tasks at once; the others wait in order. A waiting task whose signal aborts rejects without being started. */
export function limiter(size: number): <Value>(task: () => Promise<Value>, signal: AbortSignal) => Promise<Value> {
  let running = 0
  const waiting: (() => void)[] = []
  const enter = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const start = () => {
        signal.removeEventListener('abort', leave)
        running++
        resolve()
      }
      const leave = () => {
        waiting.splice(waiting.indexOf(start), 1)
        reject(signal.reason)
      }
      if (running < size) return start()
      signal.addEventListener('abort', leave, { once: true })
      waiting.push(start)
    })
  return async (task, signal) => {
    await enter(signal)
    try {
      return await task()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}
