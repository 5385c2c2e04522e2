import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import { fromFrames } from '../sources/memory.ts'
import { fromMemory } from '../stores/memory.ts'
import { replay } from './replay.ts'
import { openReader } from './store-reader.ts'

const START = Date.UTC(2026, 0, 5)
const ROWS = 900
const at = (row: number) => START + row * MINUTE
const rowOf = (time: number) => (time - START) / MINUTE

/** Around 100 with a hole at 640; strange from 500 to 530 and from 700 to 760. */
const frame = fromValues(
  Float64Array.from({ length: ROWS }, (_, i) => at(i)),
  Float64Array.from({ length: ROWS }, (_, i) => {
    if (i >= 640 && i < 644) return NaN
    return (i >= 500 && i < 530) || (i >= 700 && i < 760) ? 900 : 100 + ((i * 7919) % 13)
  }),
  { n: 'a' },
)

const flow = (more: Partial<FlowConfig>): FlowConfig => ({
  name: 'test',
  every: 5 * MINUTE,
  query: { source: 's', expr: '{n="a"}', step: MINUTE },
  detect: [{ type: 'ewma', name: 'ewma' }],
  rule: { type: 'threshold', limit: 8 },
  refine: [{ type: 'merge' }, { type: 'shape' }],
  notify: ['hook'],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 10 * MINUTE,
  keep: 9999 * MINUTE,
  deadline: 10_000,
  forget: 800 * MINUTE,
  ...more,
})

/** All that is stored after a flow ran every five minutes, and the messages of each. */
async function runAll(config: FlowConfig) {
  const store = fromMemory()
  const reader = openReader({ s: fromFrames([frame]) }, store)
  const pipeline = flowPipeline(config, 300 * MINUTE, async (given, input) => computeFlow(given, input))
  const signal = new AbortController().signal
  await replay({ config, pipeline, reader, store }, { start: at(300), end: at(ROWS - 1) }, config.every, signal)
  const stored = await store.anomalies({ flow: config.name, includeIgnored: true })
  return stored
    .filter(({ status }) => status !== 'withdrawn')
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end, status, ignored, sentence }) => ({ from: rowOf(start), to: rowOf(end), status, ignored, sentence }))
}

describe('a flow that runs every five minutes', () => {
  it('with rows that wait for the end of a gap stores each anomaly once, as one run finds it', async () => {
    const config = flow({ transform: [{ type: 'fill', gaps: 'interpolate', limit: '8m' }, { type: 'log' }] })
    const once = computeFlow(config, {
      frames: [frame],
      snapshots: [],
      range: { start: START, end: at(ROWS) },
      keepAll: true,
    }).anomalies
    expect((await runAll(config)).map(({ from, to, status }) => [from, to, status])).toEqual(
      once.map(({ start, end }) => [rowOf(start), rowOf(end), 'resolved']),
    )
    expect(once.length).toBeGreaterThanOrEqual(2)
  })

  it('with longer steps stores each anomaly once', async () => {
    const stored = await runAll(flow({ reexamine: 59 * MINUTE, transform: [{ type: 'resample', step: '10m' }] }))
    expect(stored.map(({ from, status }) => [from, status])).toEqual([
      [500, 'resolved'],
      [700, 'resolved'],
    ])
  })

  it('ignores what an event holds and tells of what outlasts one', async () => {
    const once = (name: string, start: number, end: number) => ({
      type: 'once',
      name,
      start: new Date(at(start)).toISOString(),
      end: new Date(at(end)).toISOString(),
    })
    const stored = await runAll(flow({ calendar: [once('deploy', 495, 540), once('load test', 690, 730)] }))
    expect(stored.map(({ from, ignored, status }) => [from, ignored, status])).toEqual([
      [500, 'during deploy', 'resolved'],
      [700, undefined, 'resolved'],
    ])
    expect(stored[0].to).toBe(530)
    // After the event the level of the fault is learned like any other.
    expect(stored[1].to).toBeGreaterThan(740)
    expect(stored[0].sentence).toMatch(/, during deploy$/)
    expect(stored[1].sentence).toMatch(/, during load test$/)
  })
})
