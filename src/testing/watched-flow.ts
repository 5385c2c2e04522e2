import { type Labels, seriesId } from '../anomaly.ts'
import { MINUTE } from '../duration.ts'
import { flowRange, runFlow } from '../execution/run-flow.ts'
import { openReader } from '../execution/store-reader.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import { flowLookback } from '../pipeline/member.ts'
import type { Source, Target } from '../sources/source.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Change, Store } from '../stores/store.ts'

/** A series of the fake world: its value at a minute; undefined where there is no sample, NaN where one is sent that is not a number. */
export interface WatchedSeries {
  readonly labels: Labels
  /** The question that it is an answer to; to any without it. */
  readonly expr?: string
  value(minute: number): number | undefined
}

export interface WatchedWorld {
  readonly series: readonly WatchedSeries[]
  /** What the source knows of scrape targets at a minute; without it the source does not scrape. */
  targets?(minute: number): readonly Target[]
  /** So many minutes after its time a sample can be read; 0 by default. */
  late?(minute: number): number
}

/** What people would hear of: one line for each message, `opened web{pod=a} had no data …`. */
export interface Watched {
  readonly store: Store
  readonly messages: readonly string[]
  readonly changes: readonly Change[]
  /** Questions for targets. */
  readonly asked: { count: number }
  /** Runs the flow every minute, up to that minute. */
  until(minute: number): Promise<void>
  /** The next run is at that minute: the ones between do not happen. */
  skipTo(minute: number): void
  /** As after a restart: nothing but the store is kept. */
  restart(): void
}

const START = Date.UTC(2026, 0, 5)

/** The default flow of a test: one row a minute, missing data only. */
export const watchedFlow: FlowConfig = {
  name: 'web',
  every: MINUTE,
  query: { source: 'world', expr: 'x', step: MINUTE },
  detect: [{ type: 'absence', name: 'absence', rule: { type: 'threshold', limit: 1 } }],
  rule: { type: 'threshold', limit: 8 },
  refine: [{ type: 'merge' }, { type: 'shape' }],
  notify: ['people'],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 5 * MINUTE,
  keep: 60 * MINUTE,
  deadline: 10_000,
  forget: 600 * MINUTE,
}

/** Watches a fake world with one flow, minute by minute from minute 60 on, without threads or clocks. */
export function watch(world: WatchedWorld, config: FlowConfig = watchedFlow): Watched {
  const store = fromMemory()
  const asked = { count: 0 }
  let minute = 60
  const reader = () => openReader({ world: sourceOf(world, config.query.step, () => minute, asked) }, store)
  const pipe = () => flowPipeline(config, flowLookback(config), async (given, input) => computeFlow(given, input))
  let parts = { reader: reader(), pipeline: pipe() }
  const changes: Change[] = []
  const messages: string[] = []
  const { signal } = new AbortController()
  return {
    store,
    messages,
    changes,
    asked,
    skipTo: next => void (minute = next),
    restart: () => void (parts = { reader: reader(), pipeline: pipe() }),
    async until(last) {
      for (; minute <= last; minute++) {
        const now = START + minute * MINUTE
        const { watermark = NaN } = (await store.flow(config.name)) ?? {}
        const whole = { config, store, now: () => now, ...parts, silent: Number.isNaN(watermark) }
        const made = await runFlow(whole, flowRange(config, watermark, now), signal)
        changes.push(...made)
        if (whole.silent) continue
        for (const { kind, anomaly } of made)
          if (kind !== 'updated' && anomaly.ignored === undefined)
            messages.push(`${kind} ${anomaly.sentence ?? seriesId(anomaly.labels)}`)
      }
    },
  }
}

function sourceOf(
  { series, targets, late = () => 0 }: WatchedWorld,
  step: number,
  now: () => number,
  asked: { count: number },
): Source {
  const minuteOf = (time: number) => Math.round((time - START) / MINUTE)
  return {
    async read({ range, expr: asked }) {
      const first = Math.ceil(range.start / step) * step
      const times = Float64Array.from({ length: Math.max(0, Math.ceil((range.end - first) / step)) }, (_, i) => first + i * step)
      const frames = series.flatMap(({ labels, value, expr = asked }): Frame<'value'>[] => {
        const samples = Array.from(times, time =>
          minuteOf(time) + late(minuteOf(time)) <= now() ? value(minuteOf(time)) : undefined,
        )
        if (expr !== asked || samples.every(sample => sample === undefined)) return []
        const notANumber = Uint8Array.from(samples, sample => (Number.isNaN(sample) ? 1 : 0))
        return [
          {
            ...fromValues(
              times,
              samples.map(sample => sample ?? NaN),
              labels,
            ),
            notANumber,
          },
        ]
      })
      return { frames, warnings: [], requests: [] }
    },
    latest: async () => ({ frames: [], warnings: [], requests: [] }),
    names: async () => [],
    check: async () => {},
    ...(targets && {
      targets: async (_: readonly Labels[], time: number) => {
        asked.count++
        return targets(minuteOf(time))
      },
    }),
  }
}
