import type { TimeRange } from '../frame/frame.ts'
import { flowRange, type RunFlowParts, runFlow } from './run-flow.ts'

/**
 * Runs a flow over the past as it would have run then: the same code, with the clock as the argument. Looks at the range in pieces of `every`;
 * what it finds goes to the store handed in, messages included. Returns the number of changes.
 */
export async function replay(
  parts: Omit<RunFlowParts, 'now' | 'silent'>,
  range: TimeRange,
  every: number,
  signal: AbortSignal,
): Promise<number> {
  let changes = 0
  for (let time = range.start; ; time = Math.min(time + every, range.end)) {
    const state = await parts.store.flow(parts.config.name)
    changes += (await runFlow({ ...parts, now: () => time }, flowRange(parts.config, state?.watermark ?? NaN, time), signal))
      .length
    if (time >= range.end) return changes
  }
}
