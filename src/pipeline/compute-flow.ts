import { type Anomaly, type Labels, seriesId } from '../anomaly.ts'
import type { Calendar } from '../calendars/calendar.ts'
import { calendars } from '../calendars/index.ts'
import type { Registry } from '../component.ts'
import type { Detector, MissingData, Scores, State, Stream } from '../detectors/detector.ts'
import { runStream } from '../detectors/from-stream.ts'
import { detectors } from '../detectors/index.ts'
import { keepOut } from '../detectors/keep-out.ts'
import { perColumn } from '../detectors/per-column.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { concat, type Frame, rowAt, slice, type TimeRange } from '../frame/frame.ts'
import { type DuringEvent, duringEvents } from '../refiners/during.ts'
import { refiners } from '../refiners/index.ts'
import { GAP_STEPS } from '../refiners/merge.ts'
import type { Refiner } from '../refiners/refiner.ts'
import { withNote } from '../refiners/sentence.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'
import { rules } from '../rules/index.ts'
import { nameColumns } from '../rules/name-columns.ts'
import { judged, type Rule } from '../rules/rule.ts'
import type { Diagnostic, Snapshot, StoredModel, UnknownRows } from '../stores/store.ts'
import { transforms } from '../transforms/index.ts'
import { chain, type Transform, type TransformStream, transformFrame } from '../transforms/transform.ts'
import { anyColumn, arrangeColumns, columnLabels, hasColumns } from './columns.ts'
import { create, type FlowConfig, type Part } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'
import { firstValue, lastValue } from './history.ts'
import { fromStored, mostKnowing } from './learned-models.ts'
import type { Findings } from './pipeline.ts'
import { type Life, liveOn, type Presence } from './presence.ts'
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

interface Member {
  readonly name: string
  readonly detector: Detector
  readonly rule: Rule
  /** What its rows go through first; none for one that looks at whether there is data. */
  readonly transform: Transform | undefined
  readonly configuration: string
}

/**
 * The state of one series under one detector. `seen`: time of the newest row that had a value. `configuration`: hash of all that the stream is of, since
 * what another one learned is of no use. `rows`: how many with a value were learned, where it may be a fit that is made of them.
 */
interface Remembered extends State {
  readonly stream: State
  readonly rule: State
  readonly seen: number
  readonly transform?: State
  readonly configuration?: string
  readonly rows?: number
  /** Time of the first row that had a value. */
  readonly since?: number
  /** First and last row with data, for a detector of missing data. */
  readonly life?: Life
  /** Names of the columns, in the places that the stream knows them at; where several are looked at together. */
  readonly columns?: readonly string[]
}

/**
 * Detects, judges and refines every series of a flow. No I/O. Rows older than `reexamine` before the end are learned for good and go into
 * the snapshots; the rest is judged too, and again by the next run, so that late data counts.
 */
export function computeFlow(config: FlowConfig, input: FlowInput, family: Registry<Detector> = detectors): Findings {
  const { range } = input
  const members = config.detect.map(part => makeMember(part, config, family))
  const learned = input.models && fromStored(config, input.models, family)
  const refine = config.refine.map(part =>
    create<Refiner, void>(refiners, part.type === 'shape' ? { name: config.name, ...part } : part, undefined),
  )
  const { step } = config.query
  const gap = mergeGap(config)
  const together = hasColumns(config.query)
  const single = together ? [] : ['value']
  const frames = new Map(input.frames.map(frame => [seriesId(frame.labels), frame]))
  const remembered = new Map(input.snapshots.map(snapshot => [`${snapshot.detector}\n${seriesId(snapshot.labels)}`, snapshot]))
  for (const { labels, time } of input.snapshots)
    if (!frames.has(seriesId(labels)))
      frames.set(seriesId(labels), emptyFrame(labels, { start: Math.max(time, range.start), end: range.end }, step, single))

  const known = input.knownUntil ?? knownUntil(config, input)
  const settled = settleTime(config, range, known)
  const oldest = input.snapshots.reduce((time, snapshot) => Math.min(time, snapshot.time), range.start)
  const events = eventsOf(config, { start: earliest(frames.values(), oldest), end: range.end })
  const isOut = within(events)
  const during = duringEvents(events)
  const anomalies: Anomaly[] = []
  const points: { detector: string; scores: Scores }[] = []
  const snapshots: Snapshot[] = []
  const forgotten: { labels: Labels; detector: string }[] = []
  const damaged: { labels: Labels; detector: string; reason: string }[] = []
  const presences: Presence[] = []
  const diagnostics: Diagnostic[] = []
  const stretches: UnknownRows['stretches'][number][] = []
  const knowNothing = ({ name: detector }: Member, { labels }: Frame) =>
    stretches.push({ labels, detector, times: Float64Array.of(range.start, range.end) })
  for (const [id, given] of frames) {
    for (const member of members) {
      let frame: Frame = member.detector.missingData ? anyColumn(given) : given
      const snapshot = remembered.get(`${member.name}\n${id}`)
      if (snapshot && mayWait(member, snapshot, frame, input) && settled - snapshot.time < SHORTEST_PATIENCE * step) {
        // Its models are in use.
        if (member.detector.fit) learned?.modelsFor(member.name, frame.labels)
        knowNothing(member, frame)
        continue
      }
      const { state: stored, fault } = snapshot ? readState(snapshot.state) : {}
      if (fault !== undefined) {
        // The next run finds a series without a snapshot, and asks for its history.
        damaged.push({ labels: frame.labels, detector: member.name, reason: fault })
        knowNothing(member, frame)
        continue
      }
      const decoded = stored as Remembered | undefined
      const before = decoded?.configuration === member.configuration ? decoded : undefined
      const arranged =
        together && !member.detector.missingData
          ? arrangeColumns(frame, before?.columns ?? Object.keys(config.query.queries ?? {}))
          : undefined
      if (arranged) frame = arranged.frame
      // What has not had a column yet has nothing to be judged.
      if (Object.keys(frame.columns).length === 0) {
        knowNothing(member, frame)
        continue
      }
      const names = Object.keys(frame.columns)
      const grown = before?.columns && arranged && !member.detector.takesColumns ? arranged.grown : 0
      if (grown > 0) frame = { ...frame, columns: Object.fromEntries(Object.entries(frame.columns).slice(0, -grown)) }
      const from = snapshot ? snapshot.time : -Infinity
      const models = member.detector.fit && learned?.modelsFor(member.name, frame.labels)
      const opened = member.detector.open!(before?.stream, models)
      const { missingData } = member.detector
      const stream = missingData || events.length === 0 ? opened : keepOut(opened, isOut)
      const transform = member.transform?.open(before?.transform)
      const whole = { member, stream, transform, isOut: missingData ? undefined : isOut }
      const memberStep = member.transform?.stepAfter(step) ?? step
      const late = member.transform?.delay(step) ?? 0
      // What was not there yet says nothing, and must not count as learned.
      const begin = models && !before?.rows ? Math.max(from, firstValue(frame)) : from
      const rows = slice(snapshot ? reachBack(frame, from, range.start, step) : frame, { start: begin, end: range.end })
      const seen = Math.max(lastValue(slice(rows, { start: -Infinity, end: settled })), before?.seen ?? -Infinity)
      // Of what was written before this was remembered nobody knows how long it lived.
      const since = before ? (before.since ?? -Infinity) : firstValue(rows)
      const past = judge(whole, slice(rows, { start: -Infinity, end: settled }), before?.rule)
      const learnedRows = (before?.rows ?? 0) + knownRows(past.scores)
      const find = (scores: Scores, strength: Float64Array) => {
        const context = { scores, step: memberStep, findsMissingData: missingData !== undefined }
        const found = findAnomalies(scores, strength, member.name, memberStep).map(one =>
          nameColumns(markNaN(one, frame), scores, frame),
        )
        return [during, ...refine].reduce<readonly Anomaly[]>((all, refiner) => refiner.refine(all, context), found)
      }
      const life = missingData && liveOn(lifeBefore(before), slice(rows, { start: -Infinity, end: settled }), missingData)
      if (grown > 0) {
        // It goes on with those that it knows in this run; the next one begins anew with all, from their history.
        forgotten.push({ labels: frame.labels, detector: member.name })
        diagnostics.push({
          level: 'info',
          message: `${member.name} learns ${seriesId(frame.labels)} anew: ${names.slice(-grown).join(', ')} came`,
        })
      } else if (settled > from && known > range.start) {
        const newest = Math.max(seen, lastValue(rows))
        if (newest < known - (missingData ? config.forget : patience(config, newest - since))) {
          if (!snapshot) continue
          forgotten.push({ labels: frame.labels, detector: member.name })
          if (missingData) anomalies.push(...find(past.scores, past.strength).map(one => endForgotten(one, config.forget)))
          continue
        }
        const state: Remembered = {
          version: 1,
          stream: stream.snapshot(),
          rule: past.state,
          seen,
          ...(Number.isFinite(since) ? { since } : {}),
          ...(models ? { rows: learnedRows } : {}),
          ...(transform ? { transform: transform.snapshot() } : {}),
          configuration: member.configuration,
          ...(life ? { life } : {}),
          ...(arranged ? { columns: names } : {}),
        }
        snapshots.push({ labels: frame.labels, detector: member.name, time: settled, state: encodeState(state) })
      }
      // What the fit will learn from is in the snapshot, without the rows that are looked at again. One that is silent has nothing new to teach.
      const reason = models && lastValue(rows) > -Infinity && (settled > from || before) ? stream.wants?.() : undefined
      if (reason) learned!.note({ labels: frame.labels, detector: member.name, reason, rows: learnedRows })
      const fresh = judge(whole, slice(rows, { start: settled, end: range.end }), past.state)
      const scores = concat(past.scores, fresh.scores)
      const strength = Float64Array.from([...past.strength, ...fresh.strength])
      const found = find(scores, strength)
      if (missingData) {
        const whole = liveOn(life, slice(rows, { start: settled, end: range.end }), missingData)
        // What was never there is not missing.
        if (whole.first < Infinity)
          presences.push({ labels: frame.labels, detector: member.name, ...whole, tolerance: stream.tolerance!() })
      }
      // Rows that wait in a transform were not judged yet: for them the range lies earlier.
      const calmSince = (missingData ? range.end : known) - late - (memberStep - step) - gap
      const reported = found.filter(anomaly => anomaly.end > range.start - late).map(anomaly => keepOpen(anomaly, calmSince))
      anomalies.push(...reported)
      // Behind `known` all series are unknown.
      const times = undecided(scores, strength, { start: range.start, end: known }, memberStep)
      if (!missingData && times.length > 0) stretches.push({ labels: frame.labels, detector: member.name, times })
      if (config.keep > 0 && (input.keepAll || reported.length > 0))
        for (const kept of withColumns(slice(scores, { start: range.end - config.keep, end: range.end }), arranged && frame))
          points.push({ detector: member.name, scores: kept })
    }
  }
  const wanted = learned?.wanted() ?? []
  const workloads = learned?.workloads() ?? []
  const series = countLive(config, range.end, frames, presences)
  return {
    anomalies,
    points,
    snapshots,
    forgotten,
    damaged,
    unknown: { from: known, except: members.flatMap(({ name, detector }) => (detector.missingData ? name : [])), stretches },
    watermark: known > range.start ? settled : NaN,
    diagnostics: [...diagnostics, ...damaged.map(warnOf)],
    range,
    series,
    presences,
    wanted,
    workloads,
  }
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

/** Says of an anomaly whose rows are NaN because the source sent NaN that they are. */
function markNaN(anomaly: Anomaly, { times, notANumber }: Frame): Anomaly {
  if (!notANumber || !Number.isNaN(anomaly.current) || notANumber[rowAt(times, anomaly.peak)] !== 1) return anomaly
  return { ...anomaly, wording: { ...anomaly.wording, notANumber: true } }
}

/** What earlier versions remembered says only that the series was there. */
function lifeBefore(before: Remembered | undefined): Life | undefined {
  return before && (before.life ?? { first: -Infinity, last: before.seen })
}

/** Steps for which what was learned of a series is kept at least while it is away. */
const SHORTEST_PATIENCE = 60

/**
 * How long (ms) a series may be away before what was learned of it is forgotten: as long as it lived. What a pod of half a minute taught is of no use
 * an hour later, and where pods come and go all the time there would be thousands of them.
 */
function patience({ forget, query }: FlowConfig, lived: number): number {
  return Math.min(forget, Math.max(SHORTEST_PATIENCE * query.step, lived))
}

/** A series that is forgotten is not expected any more. */
function endForgotten(anomaly: Anomaly, forget: number): Anomaly {
  const reason = `forgotten after ${formatDuration(forget)} without data`
  return withNote({ ...anomaly, ongoing: false }, reason, anomaly.end)
}

/**
 * Whether a stream whose series has no value since its snapshot may wait for one. There is nothing to say of it: a row without a value has no score. Its
 * snapshot stays as it is, and the rows are made up for when it has a value again, or after a while. Where series come and go all the time, most that
 * are remembered are away. Not where all scores are kept, which say what was expected meanwhile, nor behind a transform, which may fill holes.
 */
function mayWait({ detector, transform }: Member, { time }: Snapshot, frame: Frame, input: FlowInput): boolean {
  return !input.keepAll && !detector.missingData && !transform && lastValue(frame) < time
}

/** The frame with rows from `from` on, without values where it was not asked for because its stream waited. */
function reachBack(frame: Frame, from: number, start: number, step: number): Frame {
  const end = Math.min(start, frame.times[0] ?? start)
  return from < end ? concat(emptyFrame(frame.labels, { start: from, end }, step, Object.keys(frame.columns)), frame) : frame
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

/** Calm (ms) after which an anomaly is over: the gap of the flow's `merge` refiner, or two steps. What comes sooner continues it. */
export function mergeGap(config: FlowConfig): number {
  const { refine, query } = config
  const step = transformOf(config).stepAfter(query.step)
  const merge = refine.find(part => part.type === 'merge')
  if (!merge) return 2 * step
  return typeof merge.gap === 'string' ? parseDuration(merge.gap) : GAP_STEPS * step
}

/** One that ended after `calmSince` may go on yet: told as ended only when it has been calm for long enough, so that it is not told twice. */
function keepOpen(anomaly: Anomaly, calmSince: number): Anomaly {
  return anomaly.ongoing || anomaly.end <= calmSince ? anomaly : { ...anomaly, ongoing: true }
}

/** The detectors of a flow want this much history (ms) before their first score. */
export function flowLookback(config: FlowConfig, family: Registry<Detector> = detectors): number {
  const lookbacks = config.detect.map(part => {
    const { detector, transform } = makeMember(part, config, family)
    return detector.lookback + (transform ? transform.lookback + transform.delay(config.query.step) : 0)
  })
  return config.lookback ?? Math.max(0, ...lookbacks)
}

/** The flow's detectors of missing data, by name. */
export function missingDataOf(config: FlowConfig, family: Registry<Detector> = detectors): ReadonlyMap<string, MissingData> {
  const kinds = config.detect.map(part => [part.name, makeMember(part, config, family).detector.missingData] as const)
  return new Map(kinds.filter((kind): kind is readonly [string, MissingData] => kind[1] !== undefined))
}

/** Whether any of the flow's detectors has models that can be fitted apart from its streams. */
export function hasModels(config: FlowConfig, family: Registry<Detector> = detectors): boolean {
  return config.detect.some(part => makeMember(part, config, family).detector.fit !== undefined)
}

/** The state of a detector's stream in a snapshot; undefined when it is of another configuration or cannot be read. */
export function streamState(
  state: Uint8Array,
  config: FlowConfig,
  detector: Part,
  family: Registry<Detector> = detectors,
): State | undefined {
  const remembered = readState(state).state as Remembered | undefined
  return remembered?.configuration === configurationHash(config, detector, family) ? remembered.stream : undefined
}

/** Whether what snapshots of a flow remember is of this configuration; all of one detector are of the same. */
export function fits(snapshots: readonly Snapshot[], config: FlowConfig, family: Registry<Detector> = detectors): boolean {
  return config.detect.every(part => {
    const one = snapshots.find(({ detector, state }) => detector === part.name && readState(state).state)
    return !one || streamState(one.state, config, part, family) !== undefined
  })
}

function transformOf({ transform = [] }: FlowConfig): Transform {
  return chain(transform.map(part => create<Transform, void>(transforms, part, undefined)))
}

function makeMember(part: Part & { readonly name: string }, config: FlowConfig, family: Registry<Detector>): Member {
  const { name, rule: own, ...rest } = part as Part & { readonly name: string; readonly rule?: Part }
  const made = create<Detector, void>(family, rest as Part, undefined)
  const detector = hasColumns(config.query) && !made.multivariate && !made.missingData ? perColumn(made) : made
  return {
    name,
    detector,
    rule: create<Rule, void>(rules, own ?? config.rule, undefined),
    transform: detector.missingData || !config.transform ? undefined : transformOf(config),
    configuration: configurationHash(config, part, family),
  }
}

interface Judging {
  readonly member: Member
  readonly stream: Stream
  readonly transform: TransformStream | undefined
  readonly isOut: ((time: number) => boolean) | undefined
}

function judge({ member, stream, transform, isOut }: Judging, rows: Frame, state: State | undefined) {
  const scores = runStream(stream, transform ? transformFrame(transform, rows as Frame<'value'>) : rows, {
    start: -Infinity,
    end: Infinity,
  })
  if (!isOut || !scores.times.some(isOut)) return { scores, ...member.rule.judge(scores, state) }
  // Rows inside events are judged, but their scores do not teach the rule what is usual.
  const alarm = judged(scores).map((score, i) => (isOut(scores.times[i]) ? NaN : score))
  const taught = member.rule.judge({ ...scores, columns: { ...scores.columns, alarm } }, state)
  const all = member.rule.judge(scores, state)
  const strength = taught.strength.map((value, i) => (isOut(scores.times[i]) ? all.strength[i] : value))
  return { scores, strength, state: taught.state }
}

/** What the calendars of a flow say of a range, in order of start. */
function eventsOf({ calendar = [] }: FlowConfig, range: TimeRange): readonly DuringEvent[] {
  return calendar
    .flatMap(part => {
      const { during, eventsIn } = create<Calendar, void>(calendars, part, undefined)
      return eventsIn(range).map(event => ({ ...event, during }))
    })
    .toSorted((a, b) => a.start - b.start || a.end - b.end)
}

/** Whether a time is inside any of the events, which are in order of start. */
function within(events: readonly DuringEvent[]): (time: number) => boolean {
  const stretches: { start: number; end: number }[] = []
  for (const { start, end } of events) {
    const last = stretches.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else stretches.push({ start, end })
  }
  const starts = Float64Array.from(stretches, ({ start }) => start)
  return time => {
    const at = rowAt(starts, time + 1) - 1
    return at >= 0 && time < stretches[at].end
  }
}

function earliest(frames: Iterable<Frame>, otherwise: number): number {
  let first = otherwise
  for (const { times } of frames) if (times.length > 0) first = Math.min(first, times[0])
  return first
}

/**
 * Up to where rows are learned for good: `reexamine` before the end of what is known, on the grid, never before the snapshots. It does not move while no
 * series has a value, so that data which comes late is not lost.
 */
function settleTime({ query: { step }, reexamine }: FlowConfig, { start }: TimeRange, known: number): number {
  return Math.max(start, Math.floor((known - reexamine) / step) * step)
}

/**
 * Up to where it is known how a flow went: the end of the newest row with a value, of any series. That none has one says nothing of them: the source may
 * lie, or our clock may be ahead of its. Only a silence of more than `forget` is believed.
 */
export function knownUntil(
  { query: { step }, forget }: Pick<FlowConfig, 'query' | 'forget'>,
  { frames, range }: Pick<FlowInput, 'frames' | 'range'>,
): number {
  const newest = frames.reduce((time, frame) => Math.max(time, lastValue(slice(frame, range))), -Infinity)
  const known = Math.max(range.start, newest + step)
  return range.end - known > forget ? range.end : known
}

/** Start and end of each stretch of the range without a row that has a strength. */
function undecided({ times }: Scores, strength: Float64Array, range: TimeRange, step: number): Float64Array {
  const found: number[] = []
  let end = range.start
  for (let i = 0; i < times.length; i++) {
    if (Number.isNaN(strength[i])) continue
    if (times[i] > end) found.push(end, times[i])
    end = Math.max(end, times[i] + step)
  }
  if (range.end > end) found.push(end, range.end)
  return Float64Array.from(found)
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

function knownRows({ columns }: Scores): number {
  let known = 0
  for (const value of columns.value) if (!Number.isNaN(value)) known++
  return known
}

/** Rows without a value. */
function emptyFrame(labels: Labels, { start, end }: TimeRange, step: number, columns: readonly string[]): Frame {
  const first = Math.ceil(start / step) * step
  const times = Float64Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step)
  const unknown = () => new Float64Array(times.length).fill(NaN)
  return { labels, times, columns: Object.fromEntries(columns.map(name => [name, unknown()])) }
}
