import { expect, it } from 'vitest'
import { HOUR, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { computeFlow } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import { flowPipeline } from './flow.ts'
import type { Findings, Reader } from './pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const LOOKBACK = 3 * HOUR
const flow = (...names: string[]): FlowConfig =>
  toyFlow({}, { detect: names.map(name => ({ type: 'ewma', name })), rule: { type: 'threshold', limit: 8 } })

/** Runs a flow at a time, with what another run left behind. */
function run(config: FlowConfig, end: number, before?: Findings) {
  const asked: number[] = []
  const reader = {
    async read(query: { kind: string; range: { start: number; end: number } }) {
      if (query.kind === 'snapshots') return before?.snapshots ?? []
      asked.push(query.range.start)
      const times = Float64Array.from(
        { length: (query.range.end - query.range.start) / MINUTE },
        (_, i) => query.range.start + i * MINUTE,
      )
      const values = times.map(time => 100 + (((time / MINUTE) * 7919) % 13))
      return { frames: [fromValues(times, values, { job: 'dns' })], diagnostics: [] }
    },
  } as unknown as Reader
  const pipeline = flowPipeline(config, LOOKBACK, async (given, input) => computeFlow(given, input))
  const range = { start: before?.watermark ?? end - 5 * MINUTE, end }
  const findings = pipeline.run({ range, reader, signal: new AbortController().signal, now: () => end })
  return findings.then(found => ({ found, asked }))
}

it('a detector that joins a flow learns from history, as those of a new flow do', async () => {
  const { found: first } = await run(flow('a'), START)
  const { found: second, asked } = await run(flow('a', 'b'), START + MINUTE, first)
  expect(Math.min(...asked)).toBe(START + MINUTE - LOOKBACK)
  const scores = second.points.map(({ detector, scores: { columns } }) => [detector, Number.isFinite(columns.score.at(-1))])
  expect(scores).toEqual([
    ['a', true],
    ['b', true],
  ])
  const { asked: later } = await run(flow('a', 'b'), START + 2 * MINUTE, second)
  expect(Math.min(...later)).toBe(second.watermark)
})

it('what a detector that left has learned is forgotten, and does not hold the flow back', async () => {
  const { found: first } = await run(flow('a', 'b'), START)
  const { found: left } = await run(flow('b'), START + MINUTE, first)
  expect(left.forgotten).toEqual([{ labels: { job: 'dns' }, detector: 'a' }])
  const stale = first.snapshots.filter(({ detector }) => detector === 'a')
  const { asked } = await run(flow('b'), START + HOUR, { ...left, snapshots: [...stale, ...left.snapshots] })
  expect(Math.min(...asked)).toBe(left.watermark)
})
