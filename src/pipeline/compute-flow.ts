import { type Anomaly, type Labels, seriesId } from '../anomaly.ts'
import type { Detector, Scores, State, Stream } from '../detectors/detector.ts'
import { runStream } from '../detectors/from-stream.ts'
import { detectors } from '../detectors/index.ts'
import { parseDuration } from '../duration.ts'
import { concat, type Frame, fromValues, slice, type TimeRange } from '../frame/frame.ts'
import { refiners } from '../refiners/index.ts'
import { GAP_STEPS } from '../refiners/merge.ts'
import type { Refiner } from '../refiners/refiner.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'
import { rules } from '../rules/index.ts'
import type { Rule } from '../rules/rule.ts'
import type { Snapshot } from '../stores/store.ts'
import { create, type FlowConfig, type Part } from './configuration.ts'
import type { Findings } from './pipeline.ts'
import { decodeState, encodeState } from './state.ts'

/** What a flow computes on; plain data, so that it crosses threads. */
export interface FlowInput {
  /** One per series; rows from the time of the snapshots (or from the beginning of the history, for a series without one) to `range.end`. */
  readonly frames: readonly Frame<'value'>[]
  readonly snapshots: readonly Snapshot[]
  /** What is reported: everything from the time of the snapshots on. */
  readonly range: TimeRange
  /** Keep scores of every series; otherwise only of those with an anomaly. */
  readonly keepAll: boolean
}

interface Member {
  readonly name: string
  readonly detector: Detector
  readonly rule: Rule
}

/** The state of one series under one detector. `seen`: time of the newest row that had a value. */
interface Remembered extends State {
  readonly stream: State
  readonly rule: State
  readonly seen: number
}

/**
 * Detects, judges and refines every series of a flow. No I/O. Rows older than `reexamine` before the end are learned for good and go into
 * the snapshots; the rest is judged too, and again by the next run, so that late data counts.
 */
export function computeFlow(config: FlowConfig, input: FlowInput): Findings {
  const { range } = input
  const members = config.detect.map(part => makeMember(part, config.rule))
  const refine = config.refine.map(part =>
    create<Refiner, void>(refiners, part.type === 'shape' ? { name: config.name, ...part } : part, undefined),
  )
  const { step } = config.query
  const gap = mergeGap(config)
  const frames = new Map(input.frames.map(frame => [seriesId(frame.labels), frame]))
  const remembered = new Map(input.snapshots.map(snapshot => [`${snapshot.detector}\n${seriesId(snapshot.labels)}`, snapshot]))
  for (const { labels, time } of input.snapshots)
    if (!frames.has(seriesId(labels))) frames.set(seriesId(labels), emptyFrame(labels, { start: time, end: range.end }, step))

  const settled = settleTime(config, input)
  const anomalies: Anomaly[] = []
  const points: { detector: string; scores: Scores }[] = []
  const snapshots: Snapshot[] = []
  const forgotten: { labels: Labels; detector: string }[] = []
  for (const [id, frame] of frames) {
    for (const member of members) {
      const snapshot = remembered.get(`${member.name}\n${id}`)
      const before = snapshot && (decodeState(snapshot.state) as Remembered)
      const from = snapshot ? snapshot.time : -Infinity
      const stream = member.detector.open!(before?.stream)
      const rows = slice(frame, { start: from, end: range.end })
      const seen = Math.max(lastSeen(slice(rows, { start: -Infinity, end: settled })), before?.seen ?? -Infinity)
      const past = judge(member, stream, slice(rows, { start: -Infinity, end: settled }), before?.rule)
      if (settled > from) {
        if (Math.max(seen, lastSeen(rows)) < range.end - config.forget) {
          if (snapshot) forgotten.push({ labels: frame.labels, detector: member.name })
          continue
        }
        const state: Remembered = { version: 1, stream: stream.snapshot(), rule: past.state, seen }
        snapshots.push({ labels: frame.labels, detector: member.name, time: settled, state: encodeState(state) })
      }
      const fresh = judge(member, stream, slice(rows, { start: settled, end: range.end }), past.state)
      const scores = concat(past.scores, fresh.scores)
      const strength = Float64Array.from([...past.strength, ...fresh.strength])
      let found: readonly Anomaly[] = findAnomalies(scores, strength, member.name, step)
      for (const refiner of refine) found = refiner.refine(found, { scores, step })
      const reported = found.filter(anomaly => anomaly.end > range.start).map(anomaly => keepOpen(anomaly, range.end - gap))
      anomalies.push(...reported)
      if (config.keep > 0 && (input.keepAll || reported.length > 0))
        points.push({ detector: member.name, scores: slice(scores, { start: range.end - config.keep, end: range.end }) })
    }
  }
  return { anomalies, points, snapshots, forgotten, watermark: settled, diagnostics: [], range, series: frames.size }
}

/** Joins what was computed apart. */
export function joinFindings(parts: readonly Findings[]): Findings {
  const watermarks = parts.map(part => part.watermark).filter(Number.isFinite)
  return {
    anomalies: parts.flatMap(part => part.anomalies),
    points: parts.flatMap(part => part.points),
    snapshots: parts.flatMap(part => part.snapshots),
    forgotten: parts.flatMap(part => part.forgotten),
    watermark: watermarks.length > 0 ? Math.min(...watermarks) : NaN,
    diagnostics: parts.flatMap(part => part.diagnostics),
    range: parts[0]!.range,
    series: parts.reduce((sum, part) => sum + part.series, 0),
  }
}

/** Calm (ms) after which an anomaly is over: the gap of the flow's `merge` refiner, or two steps. What comes sooner continues it. */
export function mergeGap({ refine, query: { step } }: FlowConfig): number {
  const merge = refine.find(part => part.type === 'merge')
  if (!merge) return 2 * step
  return typeof merge.gap === 'string' ? parseDuration(merge.gap) : GAP_STEPS * step
}

/** One that ended after `calmSince` may go on yet: told as ended only when it has been calm for long enough, so that it is not told twice. */
function keepOpen(anomaly: Anomaly, calmSince: number): Anomaly {
  return anomaly.ongoing || anomaly.end <= calmSince ? anomaly : { ...anomaly, ongoing: true }
}

/** The detectors of a flow want this much history (ms) before their first score. */
export function flowLookback(config: FlowConfig): number {
  return config.lookback ?? Math.max(0, ...config.detect.map(part => makeMember(part, config.rule).detector.lookback))
}

function makeMember(part: Part & { readonly name: string }, rule: Part): Member {
  const { name, rule: own, ...rest } = part as Part & { readonly name: string; readonly rule?: Part }
  return {
    name,
    detector: create<Detector, void>(detectors, rest as Part, undefined),
    rule: create<Rule, void>(rules, own ?? rule, undefined),
  }
}

function judge(member: Member, stream: Stream, rows: Frame<'value'>, state: State | undefined) {
  const scores = runStream(stream, rows, { start: -Infinity, end: Infinity })
  return { scores, ...member.rule.judge(scores, state) }
}

/**
 * Up to where rows are learned for good: `reexamine` before the end, on the grid, never before the snapshots. It does not move while no series
 * has a value, so that data which comes late is not lost; after `forget` of silence it does.
 */
function settleTime(config: FlowConfig, { frames, range }: FlowInput): number {
  const { step } = config.query
  const target = Math.max(range.start, Math.floor((range.end - config.reexamine) / step) * step)
  const hasData = frames.some(frame => Number.isFinite(lastSeen(slice(frame, { start: range.start, end: range.end }))))
  return hasData || range.end - range.start > config.forget ? target : range.start
}

function lastSeen({ times, columns }: Frame<'value'>): number {
  for (let i = times.length - 1; i >= 0; i--) if (!Number.isNaN(columns.value[i])) return times[i]
  return -Infinity
}

function emptyFrame(labels: Labels, { start, end }: TimeRange, step: number): Frame<'value'> {
  const first = Math.ceil(start / step) * step
  const times = Float64Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step)
  return fromValues(times, new Float64Array(times.length).fill(NaN), labels)
}
