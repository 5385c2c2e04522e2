import { seriesId } from '../anomaly.ts'
import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { HOUR } from '../duration.ts'
import type { TimeRange } from '../frame/frame.ts'
import type { Snapshot } from '../stores/store.ts'
import { joinQueries, questionsOf, spreadColumns } from './columns.ts'
import { type FlowInput } from './compute-flow.ts'
import type { FlowConfig, QueryConfig } from './configuration.ts'
import { explainer } from './explaining.ts'
import { askHistory, type FrameAnswer, firstValue } from './history.ts'
import { openLateness } from './lateness.ts'
import { dropUnreportedPoints } from './missing-data.ts'
import type { Findings, Pipeline, Reader } from './pipeline.ts'
import { fits } from './remembered.ts'

/** Computes in this thread or in another. */
export type Compute = (config: FlowConfig, input: FlowInput, signal: AbortSignal) => Promise<Findings>

export interface FlowOptions {
  readonly models?: boolean
  readonly family?: Registry<Detector>
}

/** With more series than this, scores are kept only of those that have an anomaly. */
const KEEP_ALL_SERIES = 200

/**
 * A series that appears while the flow runs is a new pod most of the time, and has no history; one that comes back after a long time has. Where
 * pods come and go all the time the question for history is the most expensive of all, so that it is asked no more often than this (ms).
 */
const ASK_FOR_BIRTHS_EVERY = HOUR

/** Rows that a run looks back at most to catch up; what Prometheus gives in one answer. What is older is left, and the flow begins anew from history. */
export const MOST_ROWS_BEHIND = 11_000

/**
 * The pipeline of a configured flow: one question for the new rows of all series, one more for the history of series never seen before, then
 * the computation. `lookback` is how much history (ms) a new series gets. With `models`, detectors judge with the models in force and say when
 * they want others; without, those that learn do so as they go.
 */
export function flowPipeline(config: FlowConfig, lookback: number, compute: Compute, options: FlowOptions = {}): Pipeline {
  const { step } = config.query
  const { models: hasModels = false, family } = options
  let birthsAskedAt = -Infinity
  const explain = explainer(config, family)
  const lateness = openLateness(config)
  return {
    async run({ range, reader, signal, now }) {
      const ask = (asked: TimeRange, every: number) =>
        askFrames(config.query, { start: Math.floor(asked.start / every) * every, end: asked.end }, every, reader, signal)
      const remembered = await reader.read({ kind: 'snapshots', flow: config.name }, signal)
      const models = hasModels ? await reader.read({ kind: 'models', flow: config.name }, signal) : undefined
      const oldest = range.end - Math.max(MOST_ROWS_BEHIND * step, lookback)
      const { usable, ofOthers } = sortSnapshots(remembered, config, now(), oldest)
      // With another query, other transforms or options all begins anew, from history; what was told of it stays.
      const snapshots = fits(usable, config, family) ? usable : []
      const cold = snapshots.length === 0
      // Older ones are of series that have had no value since then.
      const start = cold
        ? Math.min(range.start, range.end - lookback)
        : snapshots.reduce((newest, { time }) => Math.max(newest, time), -Infinity)
      const recent = await (cold ? askHistory(ask, { start, end: range.end }, step) : ask({ start, end: range.end }, step))
      let { frames } = recent
      const diagnostics = [...recent.diagnostics]
      if (!cold && range.end - lookback < start) {
        const known = seriesWithAll(snapshots, config)
        const unknown = frames.filter(frame => !known.has(seriesId(frame.labels)))
        const areBirths = unknown.every(frame => firstValue(frame) > frame.times[0])
        if (unknown.length > 0 && !(areBirths && Math.abs(range.end - birthsAskedAt) < ASK_FOR_BIRTHS_EVERY)) {
          if (areBirths) birthsAskedAt = range.end
          const ids = new Set(unknown.map(frame => seriesId(frame.labels)))
          const history = await askHistory(ask, { start: range.end - lookback, end: range.end }, step, ids)
          const long = new Map(history.frames.map(frame => [seriesId(frame.labels), frame]))
          frames = frames.map(frame => (ids.has(seriesId(frame.labels)) ? (long.get(seriesId(frame.labels)) ?? frame) : frame))
          diagnostics.push(...history.diagnostics)
        }
      }
      const { end, warning } = lateness.judgeUntil(frames, range.end, now())
      if (warning !== undefined) diagnostics.push({ level: 'warning', message: warning })
      const input: FlowInput = {
        frames,
        snapshots,
        range: untilAtLeast({ start: cold && remembered.length > 0 ? range.start : start, end }, step),
        keepAll: frames.length <= KEEP_ALL_SERIES,
        ...(models ? { models } : {}),
      }
      const computed = await compute(config, input, signal)
      const explained = await explain(computed, reader, signal)
      const findings = input.keepAll ? explained : dropUnreportedPoints(explained)
      return {
        ...findings,
        // Where nothing is remembered yet, nothing is lost, and the first row that comes is looked at however late it is.
        watermark: Number.isNaN(findings.watermark) && remembered.length === 0 ? input.range.start : findings.watermark,
        forgotten: [...findings.forgotten, ...ofOthers],
        diagnostics: [...diagnostics, ...findings.diagnostics],
      }
    },
  }
}

/** The frames of a flow: its series as they come, or those that are looked at together joined. All questions are asked at once. */
async function askFrames(
  query: QueryConfig,
  range: TimeRange,
  step: number,
  reader: Reader,
  signal: AbortSignal,
): Promise<FrameAnswer> {
  const { source } = query
  const names = Object.entries(questionsOf(query))
  const answers = await Promise.all(names.map(([, expr]) => reader.read({ kind: 'series', source, expr, step, range }, signal)))
  const diagnostics = answers.flatMap(answer => answer.diagnostics)
  if (query.queries) {
    const byName = Object.fromEntries(names.map(([name], i) => [name, answers[i]!.frames]))
    return { frames: joinQueries(byName, { ...query, step }), diagnostics }
  }
  const [{ frames }] = answers
  return { frames: query.columns ? spreadColumns(frames, { ...query, step }) : frames, diagnostics }
}

/** A range of at least one row. */
function untilAtLeast({ start, end }: TimeRange, step: number): TimeRange {
  return { start, end: Math.max(end, start + step) }
}

/**
 * What is remembered of the flow's detectors, without snapshots from the future, which were written before the clock was set back, and without those
 * from before `oldest`, from which too much would have to be read; and what is remembered of detectors that the flow does not have any more.
 */
function sortSnapshots(remembered: readonly Snapshot[], { detect, query }: FlowConfig, now: number, oldest: number) {
  const names = new Set(detect.map(({ name }) => name))
  return {
    usable: remembered.filter(({ detector, time }) => names.has(detector) && time <= now + query.step && time >= oldest),
    ofOthers: remembered.filter(({ detector }) => !names.has(detector)).map(({ labels, detector }) => ({ labels, detector })),
  }
}

/** Names of the series that each detector of the flow knows: one that joined a flow wants their history too. */
function seriesWithAll(snapshots: readonly Snapshot[], { detect }: FlowConfig): ReadonlySet<string> {
  const counts = new Map<string, number>()
  for (const { labels } of snapshots) counts.set(seriesId(labels), (counts.get(seriesId(labels)) ?? 0) + 1)
  return new Set([...counts].flatMap(([id, count]) => (count >= detect.length ? [id] : [])))
}
