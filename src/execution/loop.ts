import type { World } from './world.ts'

/** Does the work again and again, with a pause of `ms` after each time, until the signal aborts. An error is passed on and ends nothing. */
export async function repeat(
  ms: number,
  work: () => Promise<unknown>,
  { sleep, signal, onError }: Pick<World, 'sleep'> & { readonly signal: AbortSignal; readonly onError: (error: Error) => void },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) onError(error instanceof Error ? error : new Error(String(error)))
    }
    await sleep(ms, signal).catch(() => {})
  }
}
