import { seriesId } from '../anomaly.ts'
import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { type FlowInput, fits } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import type { Findings, Pipeline } from './pipeline.ts'

/** Computes in this thread or in another. */
export type Compute = (config: FlowConfig, input: FlowInput, signal: AbortSignal) => Promise<Findings>

export interface FlowOptions {
  readonly models?: boolean
  readonly family?: Registry<Detector>
}

/** With more series than this, scores are kept only of those that have an anomaly. */
const KEEP_ALL_SERIES = 200

/**
 * The pipeline of a configured flow: one question for the new rows of all series, one more for the history of series never seen before, then
 * the computation. `lookback` is how much history (ms) a new series gets. With `models`, detectors judge with the models in force and say when
 * they want others; without, those that learn do so as they go.
 */
export function flowPipeline(config: FlowConfig, lookback: number, compute: Compute, options: FlowOptions = {}): Pipeline {
  const { source, expr, step } = config.query
  const { models: hasModels = false, family } = options
  return {
    async run({ range, reader, signal }) {
      const ask = (start: number, end: number) =>
        reader.read({ kind: 'series', source, expr, step, range: { start: Math.floor(start / step) * step, end } }, signal)
      const remembered = await reader.read({ kind: 'snapshots', flow: config.name }, signal)
      const models = hasModels ? await reader.read({ kind: 'models', flow: config.name }, signal) : undefined
      // With another query, other transforms or options all begins anew, from history; what was told of it stays.
      const snapshots = fits(remembered, config, family) ? remembered : []
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
        ...(models ? { models } : {}),
      }
      const findings = await compute(config, input, signal)
      return { ...findings, diagnostics: [...diagnostics, ...findings.diagnostics] }
    },
  }
}
