import { seriesId } from '../anomaly.ts'
import { type FlowInput, fits } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import type { Findings, Pipeline } from './pipeline.ts'

/** Computes in this thread or in another. */
export type Compute = (config: FlowConfig, input: FlowInput, signal: AbortSignal) => Promise<Findings>

/** With more series than this, scores are kept only of those that have an anomaly. */
const KEEP_ALL_SERIES = 200

/**
 * The pipeline of a configured flow: one question for the new rows of all series, one more for the history of series never seen before, then
 * the computation. `lookback` is how much history (ms) a new series gets.
 */
export function flowPipeline(config: FlowConfig, lookback: number, compute: Compute): Pipeline {
  const { source, expr, step } = config.query
  return {
    async run({ range, reader, signal }) {
      const ask = (start: number, end: number) =>
        reader.read({ kind: 'series', source, expr, step, range: { start: Math.floor(start / step) * step, end } }, signal)
      const remembered = await reader.read({ kind: 'snapshots', flow: config.name }, signal)
      // With other transforms all begins anew, from history; what was told of it stays.
      const snapshots = remembered.length > 0 && fits(remembered[0], config) ? remembered : []
      const cold = snapshots.length === 0
      const start = cold ? Math.min(range.start, range.end - lookback) : Math.min(...snapshots.map(snapshot => snapshot.time))
      const recent = await ask(start, range.end)
      let { frames } = recent
      const diagnostics = [...recent.diagnostics]
      if (!cold) {
        const known = new Set(snapshots.map(snapshot => seriesId(snapshot.labels)))
        const isNew = frames.some(frame => !known.has(seriesId(frame.labels)))
        if (isNew && range.end - lookback < start) {
          const history = await ask(range.end - lookback, range.end)
          const long = new Map(history.frames.map(frame => [seriesId(frame.labels), frame]))
          frames = frames.map(frame => (known.has(seriesId(frame.labels)) ? frame : (long.get(seriesId(frame.labels)) ?? frame)))
          diagnostics.push(...history.diagnostics)
        }
      }
      const input: FlowInput = {
        frames,
        snapshots,
        range: { start: cold && remembered.length > 0 ? range.start : start, end: range.end },
        keepAll: frames.length <= KEEP_ALL_SERIES,
      }
      const findings = await compute(config, input, signal)
      return { ...findings, diagnostics: [...diagnostics, ...findings.diagnostics] }
    },
  }
}
