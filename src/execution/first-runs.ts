import { MINUTE } from '../duration.ts'
import type { FlowState } from '../stores/store.ts'

/**
 * Flows whose first run since the start of the process is still to come. What the store says of their anomalies is as old as the time that the
 * process was away, so that their messages wait: otherwise an alert would fire for what is over. A run that failed counts too; then the last
 * known state is the best there is, and an alert that nobody repeats would end though its anomaly may be open.
 */
export interface FirstRuns {
  ended(flow: string): void
  waiting(): readonly string[]
}

/** A run that is further away is not waited for, and a run that takes longer either: what is not repeated in time ends at the receiver. */
const LONGEST_WAIT = 5 * MINUTE

export function openFirstRuns(flows: readonly FlowState[], now: () => number): FirstRuns {
  const until = now() + LONGEST_WAIT
  const waiting = new Set(flows.filter(({ nextRunAt }) => nextRunAt <= until).map(({ flow }) => flow))
  return {
    ended: flow => void waiting.delete(flow),
    waiting: () => (now() < until ? [...waiting] : []),
  }
}
