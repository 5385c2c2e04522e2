import { SECOND } from '../duration.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'

/**
 * Most clocks that go back are corrected soon: a bad answer of a time server, a virtual machine that resumes. A run by such a clock would set aside what
 * is remembered, and withdraw what is open, for nothing. After so long the clock is believed.
 */
export const CLOCK_PATIENCE = 30 * SECOND

export interface ClockDoubt {
  /** Until when the flow must wait, because it has seen rows from after `now`; undefined when it may run. */
  waitUntil(flow: FlowConfig, horizon: number, now: number): number | undefined
}

/** Remembers since when each flow waits for its clock. */
export function openClockDoubt(): ClockDoubt {
  const doubts = new Map<string, number>()
  return {
    waitUntil({ name, query }, horizon, now) {
      if (!(horizon > now + query.step)) {
        doubts.delete(name)
        return undefined
      }
      const since = Math.min(doubts.get(name) ?? now, now)
      doubts.set(name, since)
      return now - since < CLOCK_PATIENCE ? since + CLOCK_PATIENCE : undefined
    },
  }
}
