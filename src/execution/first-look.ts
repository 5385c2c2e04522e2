import type { TimeRange } from '../frame/frame.ts'
import type { Change } from '../stores/store.ts'
import { type RunFlowParts, runFlow } from './run-flow.ts'

/**
 * Runs a flow, the first time in two steps: it looks at the history without a message, since what is over concerns nobody, and then at the newest rows,
 * so that people are notified of what still goes on.
 */
export async function runWithHistory(parts: RunFlowParts, range: TimeRange, signal: AbortSignal): Promise<readonly Change[]> {
  const state = await parts.store.flow(parts.config.name)
  if (Number.isFinite(state?.watermark)) return runFlow(parts, range, signal)
  const end = range.end - parts.config.reexamine
  const history = await runFlow({ ...parts, silent: true }, { start: end, end }, signal)
  return [...history, ...(await runFlow(parts, range, signal))]
}
