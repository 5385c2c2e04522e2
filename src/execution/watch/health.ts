import { MINUTE } from '../../duration.ts'
import type { FlowConfig } from '../../pipeline/configuration.ts'
import type { ChannelState, FlowState } from '../../stores/store.ts'

export type FlowHealth = 'ok' | 'failing' | 'late' | 'no-data' | 'waiting'
export type ChannelHealth = 'ok' | 'failing' | 'idle'

/**
 * failing: the last run failed. late: it should have run, and did not, for two of its periods and a minute, the time before `startedAt` (the
 * start of the process) not counted. no-data: its last run found no series with data. waiting: it has not run yet.
 */
export function flowHealth(
  flow: Pick<FlowConfig, 'every'>,
  state: FlowState | undefined,
  now: number,
  startedAt = -Infinity,
): FlowHealth {
  if (state && state.failures > 0) return 'failing'
  if (state && now - Math.max(state.nextRunAt, startedAt) > 2 * flow.every + MINUTE) return 'late'
  if (state?.lastRun?.series === 0) return 'no-data'
  return state?.lastRun ? 'ok' : 'waiting'
}

/** failing: it accepts nothing now, be it a first message or a repetition. idle: it was sent nothing yet. */
export function channelHealth(state: ChannelState | undefined): ChannelHealth {
  if (!state) return 'idle'
  if (!Number.isNaN(state.failingSince)) return 'failing'
  return state.delivered + state.pending + state.setAside + state.abandoned > 0 ? 'ok' : 'idle'
}
