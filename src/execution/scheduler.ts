import { Cron } from 'croner'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { Store } from '../stores/store.ts'
import { openClockDoubt } from './clock-doubt.ts'
import type { Dispatcher } from './dispatcher.ts'
import { flowRange } from './run-flow.ts'

export interface SchedulerParts {
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly now: () => number
  /** A failed run; the flow goes on at its next time. */
  readonly onError: (flow: string, error: unknown) => void
  readonly onDone: (flow: string) => void
  /** The clock was set back by so many ms since the last tick; all flows are scheduled anew. */
  readonly onSetBack?: (ms: number) => void
}

export interface Scheduler {
  /** The flows of the configuration in force; known ones keep their times, but none is later than its schedule would have it. */
  schedule(flows: readonly FlowConfig[]): Promise<void>
  /** Claims what is due and dispatches it; resolves when claimed, not when done. Returns how many were started. */
  tick(signal: AbortSignal): Promise<number>
}

/** When a flow runs next: its cron expression, else the next multiple of `every`. Times that passed are not made up one by one. */
export function nextRunAt(flow: FlowConfig, now: number): number {
  if (flow.cron === undefined) return Math.floor(now / flow.every) * flow.every + flow.every
  return new Cron(flow.cron, { timezone: 'UTC' }).nextRun(new Date(now))?.getTime() ?? now + flow.every
}

export function openScheduler({ store, dispatcher, now, onError, onDone, onSetBack }: SchedulerParts): Scheduler {
  let flows = new Map<string, FlowConfig>()
  const running = new Set<string>()
  const doubt = openClockDoubt()
  let lastTick = -Infinity
  const put = async (list: readonly FlowConfig[]) => {
    const at = now()
    await store.schedule(list.map(flow => ({ flow: flow.name, at, latest: nextRunAt(flow, at) })))
    flows = new Map(list.map(flow => [flow.name, flow]))
  }
  const start = async (flow: FlowConfig, signal: AbortSignal) => {
    running.add(flow.name)
    let latest = Infinity
    try {
      const { watermark = NaN, horizon = NaN } = (await store.flow(flow.name)) ?? {}
      latest = doubt.waitUntil(flow, horizon, now()) ?? Infinity
      if (latest < Infinity) return
      const range = flowRange(flow, watermark, now())
      await dispatcher.dispatch({ flow: flow.name, source: flow.query.source, range, deadline: flow.deadline }, signal)
      onDone(flow.name)
    } catch (error) {
      onError(flow.name, error)
    } finally {
      running.delete(flow.name)
      await store.release(flow.name, Math.min(latest, nextRunAt(flow, now()))).catch(error => onError(flow.name, error))
    }
  }
  return {
    schedule: put,
    async tick(signal) {
      const at = now()
      if (at < lastTick) {
        onSetBack?.(lastTick - at)
        await put([...flows.values()])
      }
      lastTick = at
      const lease = Math.max(60_000, ...[...flows.values()].map(flow => 2 * flow.deadline))
      const claimed = await store.claim(at, lease)
      // A run that waited in the queue for longer than its lease is claimed anew; it still goes on here.
      const due = claimed.flatMap(name => (running.has(name) ? [] : (flows.get(name) ?? [])))
      for (const flow of due) void start(flow, signal)
      return due.length
    },
  }
}
