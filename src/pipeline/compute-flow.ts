import { seriesId } from '../anomaly.ts'
import type { Registry } from '../component.ts'
import type { Detector, Scores } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { type Frame, rowAt, slice, type TimeRange } from '../frame/frame.ts'
import { duringEvents } from '../refiners/during.ts'
import { refiners } from '../refiners/index.ts'
import type { Refiner } from '../refiners/refiner.ts'
import type { Diagnostic, Snapshot, StoredModel } from '../stores/store.ts'
import { columnLabels, hasColumns } from './columns.ts'
import { create, type FlowConfig } from './configuration.ts'
import { eventsOf, within } from './events.ts'
import { lastValue } from './history.ts'
import { type Judged, judgeSeries, type SeriesRun, SHORTEST_PATIENCE } from './judge-series.ts'
import { emptyFrame, knownUntil, settleTime } from './known-rows.ts'
import { fromStored, type LearnedModels, mostKnowing } from './learned-models.ts'
import { type Member, makeMember, mergeGap } from './member.ts'
import type { Findings } from './pipeline.ts'
import type { Presence } from './presence.ts'
import type { Remembered } from './remembered.ts'
import { encodeState, readState } from './state.ts'

/** What a flow computes on; plain data, so that it crosses threads. */
export interface FlowInput {
  /**
   * One per series, or for each group of them that is looked at together; rows from the time of the newest snapshot (or from the beginning of the
   * history, for a series without one) to `range.end`.
   */
  readonly frames: readonly Frame[]
  readonly snapshots: readonly Snapshot[]
  /** What is reported: everything from the time of the newest snapshot on. */
  readonly range: TimeRange
  /** Keep scores of every series; otherwise only of those with an anomaly. */
  readonly keepAll: boolean
  /** Models in force of the workloads of the series. With them, even if there are none yet, no detector fits as it goes. */
  readonly models?: readonly StoredModel[]
  /** Of a part of a flow: up to where the whole flow is known. */
  readonly knownUntil?: number
}

/**
 * Judges every series of a flow under each of its detectors; see `judgeSeries`. No I/O. Rows older than `reexamine` before the end are learned for good and
 * go into the snapshots; the rest is judged too, and again by the next run, so that late data counts.
 */
export function computeFlow(config: FlowConfig, input: FlowInput, family: Registry<Detector> = detectors): Findings {
  const members = config.detect.map(part => makeMember(part, config, family))
  const learned = input.models && fromStored(config, input.models, family)
  const frames = framesOf(config, input)
  const run = openRun(config, input, frames)
  const remembered = new Map(input.snapshots.map(snapshot => [`${snapshot.detector}\n${seriesId(snapshot.labels)}`, snapshot]))
  const said: Said[] = []
  const points: Findings['points'][number][] = []
  for (const [id, frame] of frames)
    for (const member of members) {
      // Scores that are not kept go at once: those of a history are large.
      const { scores, ...one } = sayOf(member, frame, remembered.get(`${member.name}\n${id}`), run, { input, learned })
      if (scores) points.push(...pointsOf(one, scores, config, input))
      said.push(one)
    }
  for (const { member, frame, wants } of said) if (wants) learned!.note({ labels: frame.labels, detector: member.name, ...wants })
  const presences = said.flatMap(({ presence }) => presence ?? [])
  const damaged = said.flatMap(({ member, frame, fault }) =>
    fault === undefined ? [] : [{ labels: frame.labels, detector: member.name, reason: fault }],
  )
  const ofStream = ({ member, frame }: Said) => ({ labels: frame.labels, detector: member.name })
  return {
    anomalies: said.flatMap(({ anomalies }) => anomalies),
    points,
    snapshots: said.flatMap(one => (one.state ? [{ ...ofStream(one), time: run.settled, state: encodeState(one.state) }] : [])),
    forgotten: said.filter(({ isForgotten }) => isForgotten).map(ofStream),
    damaged,
    unknown: {
      from: run.known,
      except: members.flatMap(({ name, detector }) => (detector.missingData ? name : [])),
      stretches: said.filter(({ unknown }) => unknown.length > 0).map(one => ({ ...ofStream(one), times: one.unknown })),
    },
    watermark: run.known > input.range.start ? run.settled : NaN,
    diagnostics: [...said.flatMap(({ diagnostic }) => diagnostic ?? []), ...damaged.map(warnOf)],
    range: input.range,
    series: countLive(config, input.range.end, frames, presences),
    presences,
    wanted: learned?.wanted() ?? [],
    workloads: learned?.workloads() ?? [],
  }
}

/** What is said of one series under one detector. */
interface Said extends Omit<Judged, 'frame'> {
  readonly member: Member
  /** As it was judged. */
  readonly frame: Frame
  /** Why what was remembered could not be read. */
  readonly fault?: string
}

/** The frames of the answer, and empty ones for series that are remembered and had no answer. */
function framesOf({ query }: FlowConfig, { frames: answered, snapshots, range }: FlowInput): ReadonlyMap<string, Frame> {
  const frames = new Map(answered.map(frame => [seriesId(frame.labels), frame]))
  const columns = hasColumns(query) ? [] : ['value']
  for (const { labels, time } of snapshots)
    if (!frames.has(seriesId(labels)))
      frames.set(
        seriesId(labels),
        emptyFrame(labels, { start: Math.max(time, range.start), end: range.end }, query.step, columns),
      )
  return frames
}

function openRun(config: FlowConfig, input: FlowInput, frames: ReadonlyMap<string, Frame>): SeriesRun {
  const { range } = input
  const known = input.knownUntil ?? knownUntil(config, input)
  const oldest = input.snapshots.reduce((time, snapshot) => Math.min(time, snapshot.time), range.start)
  const events = eventsOf(config, { start: earliest(frames.values(), oldest), end: range.end })
  const refine = config.refine.map(part =>
    create<Refiner, void>(refiners, part.type === 'shape' ? { name: config.name, ...part } : part, undefined),
  )
  return {
    config,
    range,
    known,
    settled: settleTime(config, range, known),
    gap: mergeGap(config),
    refiners: [duringEvents(events), ...refine],
    ...(events.length > 0 ? { isOut: within(events) } : {}),
  }
}

function sayOf(
  member: Member,
  frame: Frame,
  snapshot: Snapshot | undefined,
  run: SeriesRun,
  { input, learned }: { readonly input: FlowInput; readonly learned: LearnedModels | undefined },
): Said {
  const nothing: Said = { member, frame, anomalies: [], unknown: Float64Array.of(run.range.start, run.range.end) }
  const models = () => (member.detector.fit ? learned?.modelsFor(member.name, frame.labels) : undefined)
  if (
    snapshot &&
    mayWait(member, snapshot, frame, input) &&
    run.settled - snapshot.time < SHORTEST_PATIENCE * run.config.query.step
  ) {
    // Its models are in use.
    models()
    return nothing
  }
  const { state, fault } = snapshot ? readState(snapshot.state) : {}
  // The next run finds a series without a snapshot, and asks for its history.
  if (fault !== undefined) return { ...nothing, fault }
  const decoded = state as Remembered | undefined
  const isOurs = decoded?.configuration === member.configuration
  const earlier = { from: snapshot?.time ?? -Infinity, ...(decoded && isOurs ? { before: decoded } : {}) }
  return { member, frame, ...judgeSeries(member, frame, earlier, run, models()) }
}

/** Scores that are kept for charts. */
function pointsOf(
  { member, frame, anomalies }: Said,
  scores: Scores,
  { keep, query }: FlowConfig,
  { keepAll, range }: FlowInput,
): Findings['points'] {
  if (keep === 0 || !(keepAll || anomalies.length > 0)) return []
  const kept = slice(scores, { start: range.end - keep, end: range.end })
  const isTogether = hasColumns(query) && !member.detector.missingData
  return withColumns(kept, isTogether ? frame : undefined).map(each => ({ detector: member.name, scores: each }))
}

function warnOf({ labels, detector, reason }: NonNullable<Findings['damaged']>[number]): Diagnostic {
  return {
    level: 'warning',
    message: `what ${detector} remembers of ${seriesId(labels)} cannot be read (${reason}): it learns anew from the history`,
  }
}

/** A flow without a detector of missing data counts a series as live when it has a value in the rows that are looked at again. */
function countLive(
  { detect, query: { step }, reexamine }: FlowConfig,
  end: number,
  frames: ReadonlyMap<string, Frame>,
  presences: readonly Presence[],
): number {
  const { detector } = presences[0] ?? {}
  if (detect.some(({ name }) => name === detector))
    return presences.filter(one => one.detector === detector && end - step - one.last < one.tolerance).length
  return [...frames.values()].filter(frame => lastValue(frame) >= end - reexamine).length
}

/**
 * Whether a stream whose series has no value since its snapshot may wait for one. There is nothing to say of it: a row without a value has no score. Its
 * snapshot stays as it is, and the rows are made up for when it has a value again, or after a while. Where series come and go all the time, most that
 * are remembered are away. Not where all scores are kept, which say what was expected meanwhile, nor behind a transform, which may fill holes.
 */
function mayWait({ detector, transform }: Member, { time }: Snapshot, frame: Frame, input: FlowInput): boolean {
  return !input.keepAll && !detector.missingData && !transform && lastValue(frame) < time
}

function earliest(frames: Iterable<Frame>, otherwise: number): number {
  let first = otherwise
  for (const { times } of frames) if (times.length > 0) first = Math.min(first, times[0])
  return first
}

/** What is said of a frame, and for charts each of its columns beside it, with what was expected where it was the strangest. */
function withColumns(scores: Scores, frame: Frame | undefined): readonly Scores[] {
  if (!frame) return [scores]
  const { times, columns } = scores
  const { channel } = columns
  return [
    scores,
    ...Object.entries(frame.columns).map(([name, values], c): Scores => {
      const where = (from: Float64Array) => from.map((value, i) => (channel?.[i] === c ? value : NaN))
      return {
        labels: columnLabels(scores.labels, name),
        times,
        columns: {
          value: Float64Array.from(times, time => values[rowAt(frame.times, time)] ?? NaN),
          score: columns[`share${c}`] ?? where(columns.score),
          expected: where(columns.expected),
          lower: where(columns.lower),
          upper: where(columns.upper),
        },
      }
    }),
  ]
}

/** Joins what was computed apart. */
export function joinFindings(parts: readonly Findings[]): Findings {
  const { unknown } = parts[0]!
  const watermarks = parts.map(part => part.watermark).filter(Number.isFinite)
  return {
    anomalies: parts.flatMap(part => part.anomalies),
    points: parts.flatMap(part => part.points),
    snapshots: parts.flatMap(part => part.snapshots),
    forgotten: parts.flatMap(part => part.forgotten),
    damaged: parts.flatMap(part => part.damaged ?? []),
    ...(unknown ? { unknown: { ...unknown, stretches: parts.flatMap(part => part.unknown?.stretches ?? []) } } : {}),
    watermark: watermarks.length > 0 ? Math.min(...watermarks) : NaN,
    diagnostics: parts.flatMap(part => part.diagnostics),
    range: parts[0]!.range,
    series: parts.reduce((sum, part) => sum + part.series, 0),
    presences: parts.flatMap(part => part.presences),
    wanted: mostKnowing(parts.flatMap(part => part.wanted)),
    workloads: parts.flatMap(part => part.workloads),
  }
}
