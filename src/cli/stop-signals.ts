import type { World } from '../execution/world.ts'

/** What ends a process; `process`, or a fake of it. */
export interface Ending {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
  exit(code: number): void
}

/** How long the parts of a server may take to close: well below the 30 s after which Kubernetes kills. */
const CLOSE_WITHIN = 20_000

export interface StopSignals {
  /** Aborts on the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal
  /** Forgets the signals: what was asked to stop has stopped. */
  dispose(): void
}

/**
 * Listens to SIGTERM and SIGINT. The first one asks to stop, and then everything must be closed within twenty seconds; a second one or the end of that time
 * ends the process at once. A store is whole even then: the next start goes on from its last commit.
 */
export function listenToStopSignals(log: World['log'], ending: Ending = process): StopSignals {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const endNow = (why: string) => {
    log('error', `stopped at once: ${why}`)
    ending.exit(1)
  }
  const onSignal = () => {
    if (abort.signal.aborted) return endNow('a second signal came')
    log('info', 'stopping')
    timer = setTimeout(endNow, CLOSE_WITHIN, 'not everything ended within 20s')
    timer.unref()
    abort.abort(new Error('the process is stopping'))
  }
  ending.on('SIGTERM', onSignal)
  ending.on('SIGINT', onSignal)
  return {
    signal: abort.signal,
    dispose() {
      clearTimeout(timer)
      ending.off('SIGTERM', onSignal)
      ending.off('SIGINT', onSignal)
    },
  }
}
