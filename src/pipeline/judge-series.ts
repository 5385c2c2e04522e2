import { type Anomaly, seriesId } from '../anomaly.ts'
import type { FitReason, Models, Scores, State, Stream } from '../detectors/detector.ts'
import { runStream } from '../detectors/from-stream.ts'
import { keepOut } from '../detectors/keep-out.ts'
import { formatDuration } from '../duration.ts'
import { concat, type Frame, rowAt, slice, type TimeRange } from '../frame/frame.ts'
import type { Refiner } from '../refiners/refiner.ts'
import { withNote } from '../refiners/sentence.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'
import { nameColumns } from '../rules/name-columns.ts'
import { judged } from '../rules/rule.ts'
import type { Diagnostic } from '../stores/store.ts'
import { transformFrame } from '../transforms/transform.ts'
import { anyColumn, arrangeColumns, hasColumns } from './columns.ts'
import type { FlowConfig } from './configuration.ts'
import { firstValue, lastValue } from './history.ts'
import { knownRows, reachBack, undecided } from './known-rows.ts'
import type { Member } from './member.ts'
import { type Life, liveOn, type Presence } from './presence.ts'
import { lifeBefore, type Remembered } from './remembered.ts'

/** What is the same for all series of a run. */
export interface SeriesRun {
  readonly config: FlowConfig
  readonly range: TimeRange
  /** Up to where it is known how the flow went; behind it all series are unknown. */
  readonly known: number
  /** Rows before it are learned for good. */
  readonly settled: number
  /** Calm (ms) after which an anomaly is over. */
  readonly gap: number
  /** In order: what the calendar says, then those of the flow. */
  readonly refiners: readonly Refiner[]
  /** Whether a time is inside an event, whose rows teach nothing; absent without events. */
  readonly isOut?: (time: number) => boolean
}

/** What an earlier run left of a series. */
export interface Earlier {
  /** Absent when it is of another configuration. */
  readonly before?: Remembered | undefined
  /** Up to when it had learned; -Infinity when nothing was left. */
  readonly from: number
}

/** All that a run says of one series under one detector. */
export interface Judged {
  /** Those to be reported. */
  readonly anomalies: readonly Anomaly[]
  /** Start and end of each stretch of the range of which nothing is known. */
  readonly unknown: Float64Array
  /** With a strength for each row; absent when nothing was judged. */
  readonly scores?: Scores
  /** What was judged: the columns in the places that the stream knows. */
  readonly frame?: Frame
  /** What is to be remembered; absent when that is as before. */
  readonly state?: Remembered
  /** What was remembered is of no use any more. */
  readonly isForgotten?: true
  readonly presence?: Presence
  /** A fit that is due, and how many rows were learned. */
  readonly wants?: { readonly reason: FitReason; readonly rows: number }
  readonly diagnostic?: Diagnostic
}

/**
 * Detects, judges and refines one series, going on from what an earlier run left; without it from its history. Pure. Rows before `settled` are learned
 * for good, the others are judged and left to the next run. With `models` the detector judges with the one in force and never fits.
 */
export function judgeSeries(member: Member, given: Frame, { before, from }: Earlier, run: SeriesRun, models?: Models): Judged {
  const { config, range, known, settled } = run
  const { missingData } = member.detector
  const { frame, came } = columnsOf(member, given, before, config)
  // What has not had a column yet has nothing to be judged.
  if (Object.keys(frame.columns).length === 0) return { anomalies: [], unknown: Float64Array.of(range.start, range.end) }
  const judge = openJudge(member, before, run, models)
  const rows = rowsOf(frame, { before, from }, run, models)
  const settledRows = slice(rows, { start: -Infinity, end: settled })
  const freshRows = slice(rows, { start: settled, end: range.end })
  const past = judge.rows(settledRows, before?.rule)
  const life = missingData && liveOn(lifeBefore(before), settledRows, missingData)
  const seen = Math.max(lastValue(settledRows), before?.seen ?? -Infinity)
  // Of what was written before this was remembered nobody knows how long it lived.
  const since = before ? (before.since ?? -Infinity) : firstValue(rows)
  const learned = (before?.rows ?? 0) + knownRows(past.scores)
  const isSettled = came.length === 0 && settled > from && known > range.start
  if (isSettled) {
    const newest = Math.max(seen, lastValue(rows))
    if (newest < known - (missingData ? config.forget : patience(config, newest - since)))
      return endForgotten(missingData && from > -Infinity ? find(member, frame, past, run) : [], from, run)
  }
  const state = isSettled ? judge.remember({ rule: past.state, seen, since, rows: learned, life, frame }) : undefined
  // What the fit will learn from is in the state, without the rows that are looked at again. One that is silent has nothing new to teach.
  const reason = models && lastValue(rows) > -Infinity && (settled > from || before) ? judge.stream.wants?.() : undefined
  const fresh = judge.rows(freshRows, past.state)
  const scores = concat(past.scores, fresh.scores)
  const strength = Float64Array.from([...past.strength, ...fresh.strength])
  return {
    scores,
    frame,
    anomalies: reported(member, find(member, frame, { scores, strength }, run), run),
    unknown: missingData ? new Float64Array(0) : undecided(scores, strength, { start: range.start, end: known }, member.step),
    ...(state ? { state } : {}),
    ...(came.length > 0 ? beginAnew(member, frame, came) : {}),
    ...(missingData ? presenceOf(member, frame, liveOn(life, freshRows, missingData), judge.stream) : {}),
    ...(reason ? { wants: { reason, rows: learned } } : {}),
  }
}

/** The frame with its columns in the places that the stream knows, without those that came and that it cannot take. */
function columnsOf(member: Member, given: Frame, before: Remembered | undefined, { query }: FlowConfig) {
  if (member.detector.missingData) return { frame: anyColumn(given), came: [] }
  if (!hasColumns(query)) return { frame: given, came: [] }
  const { frame, grown } = arrangeColumns(given, before?.columns ?? Object.keys(query.queries ?? {}))
  if (!before?.columns || member.detector.takesColumns || grown === 0) return { frame, came: [] }
  const columns = Object.entries(frame.columns)
  return {
    frame: { ...frame, columns: Object.fromEntries(columns.slice(0, -grown)) },
    came: columns.slice(-grown).map(([name]) => name),
  }
}

/** It goes on with the columns that it knows in this run; the next one begins anew with all, from their history. */
function beginAnew({ name }: Member, { labels }: Frame, came: readonly string[]): Pick<Judged, 'isForgotten' | 'diagnostic'> {
  return {
    isForgotten: true,
    diagnostic: { level: 'info', message: `${name} learns ${seriesId(labels)} anew: ${came.join(', ')} came` },
  }
}

/** What was not there yet says nothing, and must not count as learned. */
function rowsOf(frame: Frame, { before, from }: Earlier, { config, range }: SeriesRun, models: Models | undefined): Frame {
  const start = models && !before?.rows ? Math.max(from, firstValue(frame)) : from
  const whole = from > -Infinity ? reachBack(frame, from, range.start, config.query.step) : frame
  return slice(whole, { start, end: range.end })
}

/** Stream, transform and rule of one series, opened where they were. */
function openJudge(
  member: Member,
  before: Remembered | undefined,
  { config, isOut: inEvent }: SeriesRun,
  models: Models | undefined,
) {
  const isOut = member.detector.missingData ? undefined : inEvent
  const opened = member.detector.open!(before?.stream, models)
  const stream = isOut ? keepOut(opened, isOut) : opened
  const transform = member.transform?.open(before?.transform)
  return {
    stream,
    rows(rows: Frame, state: State | undefined) {
      const shown = transform ? transformFrame(transform, rows as Frame<'value'>) : rows
      const scores = runStream(stream, shown, { start: -Infinity, end: Infinity })
      return { scores, ...judgeScores(member, scores, state, isOut) }
    },
    remember(of: Settled): Remembered {
      const { rule, seen, since, rows, life, frame } = of
      return {
        version: 1,
        stream: stream.snapshot(),
        rule,
        seen,
        ...(Number.isFinite(since) ? { since } : {}),
        ...(models ? { rows } : {}),
        ...(transform ? { transform: transform.snapshot() } : {}),
        configuration: member.configuration,
        ...(life ? { life } : {}),
        ...(hasColumns(config.query) && !member.detector.missingData ? { columns: Object.keys(frame.columns) } : {}),
      }
    },
  }
}

/** What is known of the rows that are learned for good. */
interface Settled {
  readonly rule: State
  readonly seen: number
  readonly since: number
  readonly rows: number
  readonly life: Life | undefined
  readonly frame: Frame
}

/** Rows inside events are judged, but their scores do not teach the rule what is usual. */
function judgeScores({ rule }: Member, scores: Scores, state: State | undefined, isOut: SeriesRun['isOut']) {
  if (!isOut || !scores.times.some(isOut)) return rule.judge(scores, state)
  const alarm = judged(scores).map((score, i) => (isOut(scores.times[i]) ? NaN : score))
  const taught = rule.judge({ ...scores, columns: { ...scores.columns, alarm } }, state)
  const all = rule.judge(scores, state)
  const strength = taught.strength.map((value, i) => (isOut(scores.times[i]) ? all.strength[i] : value))
  return { strength, state: taught.state }
}

/** The anomalies among the rows of a frame whose scores were judged, refined. */
export function find(
  { name, detector, step }: Pick<Member, 'name' | 'detector' | 'step'>,
  frame: Frame,
  { scores, strength }: { readonly scores: Scores; readonly strength: Float64Array },
  { refiners }: Pick<SeriesRun, 'refiners'>,
): readonly Anomaly[] {
  const context = { scores, step, findsMissingData: detector.missingData !== undefined }
  const found = findAnomalies(scores, strength, name, step).map(one => nameColumns(markNaN(one, frame), scores, frame))
  return refiners.reduce<readonly Anomaly[]>((all, refiner) => refiner.refine(all, context), found)
}

/** Those that reach into the range. Rows that wait in a transform were not judged yet: for them the range lies earlier. */
function reported(
  { detector, step, late }: Member,
  found: readonly Anomaly[],
  { config, range, known, gap }: SeriesRun,
): readonly Anomaly[] {
  const end = detector.missingData ? range.end : known
  const calmSince = end - late - (step - config.query.step) - gap
  return found.filter(anomaly => anomaly.end > range.start - late).map(anomaly => keepOpen(anomaly, calmSince))
}

/** What was never there is not missing. */
function presenceOf(
  { name }: Member,
  { labels }: Frame,
  life: ReturnType<typeof liveOn>,
  stream: Stream,
): Pick<Judged, 'presence'> {
  return life.first < Infinity ? { presence: { labels, detector: name, ...life, tolerance: stream.tolerance!() } } : {}
}

/** One that ended after `calmSince` may go on yet: told as ended only when it has been calm for long enough, so that it is not told twice. */
function keepOpen(anomaly: Anomaly, calmSince: number): Anomaly {
  return anomaly.ongoing || anomaly.end <= calmSince ? anomaly : { ...anomaly, ongoing: true }
}

/** Says of an anomaly whose rows are NaN because the source sent NaN that they are. */
function markNaN(anomaly: Anomaly, { times, notANumber }: Frame): Anomaly {
  if (!notANumber || !Number.isNaN(anomaly.current) || notANumber[rowAt(times, anomaly.peak)] !== 1) return anomaly
  return { ...anomaly, wording: { ...anomaly.wording, notANumber: true } }
}

/** Steps for which what was learned of a series is kept at least while it is away. */
export const SHORTEST_PATIENCE = 60

/**
 * How long (ms) a series may be away before what was learned of it is forgotten: as long as it lived. What a pod of half a minute taught is of no use
 * an hour later, and where pods come and go all the time there would be thousands of them.
 */
function patience({ forget, query }: FlowConfig, lived: number): number {
  return Math.min(forget, Math.max(SHORTEST_PATIENCE * query.step, lived))
}

/** A series that is forgotten is not expected any more; of one that nothing was left of nothing is to be forgotten. */
function endForgotten(anomalies: readonly Anomaly[], from: number, { config }: SeriesRun): Judged {
  const reason = `forgotten after ${formatDuration(config.forget)} without data`
  return {
    anomalies: anomalies.map(anomaly => withNote({ ...anomaly, ongoing: false }, reason, anomaly.end)),
    unknown: new Float64Array(0),
    ...(from > -Infinity ? { isForgotten: true } : {}),
  }
}
