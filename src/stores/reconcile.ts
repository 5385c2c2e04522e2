import { createHash } from 'node:crypto'
import { type Anomaly, seriesId } from '../anomaly.ts'
import type { TimeRange } from '../frame/frame.ts'
import { writeSentence } from '../refiners/sentence.ts'
import type { Change, Run, StoredAnomaly, UnknownRows } from './store.ts'

export interface ReconcileOptions {
  readonly flow: string
  /** What was examined. An empty range says nothing and changes nothing. */
  readonly range: TimeRange
  readonly mergeGap: number
  readonly now: number
  readonly annotations: Readonly<Record<string, string>>
  /** Latest end of any range that was examined, -Infinity for none; when it is after `range.end`, this is a second look at the past. */
  readonly horizon: number
  /** Names of the flow's detectors; absent: nothing is known of others. */
  readonly detectors?: readonly string[]
  /** Rows of the range of which nothing is known. */
  readonly unknown?: UnknownRows
  /** A stored anomaly by id, withdrawn or not, also one that is not among `stored`. */
  readonly find: (id: string) => StoredAnomaly | undefined
}

/**
 * Compares what is stored with what one look at `range` found, and says what changes. `stored` holds at least the flow's anomalies that
 * `isTouched` names; others do no harm. The stored anomaly after a change is the last change's.
 *
 *     stored       [=======)             [====)   [==)
 *     range             |-----------------------------|
 *     found                 [===)          [==)
 *     result       [====)   [===)          [==)
 *                  same id  new id         same   withdrawn
 *
 * Rows outside the range, and unknown ones, keep what was said of them; elsewhere only what was found counts. A found stretch goes on from a stored one that
 * ends at most `mergeGap` before it. Found stretches are joined with each other only when they overlap: the rest is the business of refiners.
 *
 * Open anomalies of detectors that the flow does not have any more pass to a detector that found the same stretch of the same series, so that
 * people are not notified twice; the others are withdrawn. What such detectors found before and is over stays.
 *
 * Open anomalies that begin after `now` were found while the clock was ahead, and are withdrawn.
 */
export function reconcile(
  stored: readonly StoredAnomaly[],
  found: readonly Anomaly[],
  options: ReconcileOptions,
): readonly Change[] {
  const { range, flow } = options
  if (!(range.end > range.start)) return []
  const span = touchedSpan(found, options)
  const streams = new Map<string, { stored: StoredAnomaly[]; found: Anomaly[] }>()
  const stream = (anomaly: Anomaly) => {
    const key = streamKey(anomaly)
    let entry = streams.get(key)
    if (!entry) streams.set(key, (entry = { stored: [], found: [] }))
    return entry
  }
  const isGone = ({ detector }: Anomaly) => options.detectors !== undefined && !options.detectors.includes(detector)
  const isAhead = ({ status, start }: StoredAnomaly) => status === 'open' && start > options.now + options.mergeGap
  const touched = stored.filter(anomaly => anomaly.flow === flow && isTouched(anomaly, span) && !isAhead(anomaly))
  for (const anomaly of found) stream(anomaly).found.push(anomaly)
  for (const anomaly of touched) if (!isGone(anomaly)) stream(anomaly).stored.push(anomaly)
  const { adopted, orphans } = adopt(
    touched.filter(anomaly => isGone(anomaly) && anomaly.status === 'open'),
    [...streams.values()],
    options.mergeGap,
  )
  // Stores list what they have in an order of their own; the changes must not depend on it.
  for (const entry of streams.values()) entry.stored.sort(byStart)
  const unknown = new Map(options.unknown?.stretches.map(one => [streamKey(one), one.times]))
  const changes = [...streams.keys()].toSorted().flatMap(key => {
    const entry = streams.get(key)!
    const range = knownRange(options, (entry.stored[0] ?? entry.found[0]!).detector)
    if (range.end <= range.start && entry.found.length === 0) return []
    return reconcileStream(key, entry, { ...options, range, adopted, unknownTimes: unknown.get(key) })
  })
  for (const one of orphans) changes.push(withdrawn(one, options.now, `detector ${one.detector} is not configured any more`))
  for (const one of stored.filter(anomaly => anomaly.flow === flow && isAhead(anomaly)).toSorted(byStart))
    changes.push(withdrawn(one, options.now, 'the clock was set back to before it began'))
  return changes
}

/** Stored anomalies in an order that every store gives. */
export function byStart(a: StoredAnomaly, b: StoredAnomaly): number {
  return a.start - b.start || (a.id < b.id ? -1 : 1)
}

/** The end of an anomaly that is not one, or that nobody looks after any more. */
export function withdrawn(one: StoredAnomaly, now: number, because?: string): Change {
  const { version, withdrawnBecause: _, ...rest } = one
  const reason = because === undefined ? {} : { withdrawnBecause: because }
  return {
    kind: 'withdrawn',
    anomaly: { ...rest, ...reason, status: 'withdrawn', ongoing: false, version: version + 1, updatedAt: now },
  }
}

interface StreamEntry {
  readonly stored: StoredAnomaly[]
  readonly found: Anomaly[]
}

/**
 * Gives anomalies of detectors that are gone to streams of the same series that found the same stretch and have no open anomaly of their own
 * there. `adopted`: as they were, by id; `orphans`: nobody found them.
 */
function adopt(gone: readonly StoredAnomaly[], streams: readonly StreamEntry[], mergeGap: number) {
  const adopted = new Map<string, StoredAnomaly>()
  const orphans: StoredAnomaly[] = []
  const isNear = (a: Anomaly, b: Anomaly) => a.start - b.end <= mergeGap && b.start - a.end <= mergeGap
  for (const one of gone.toSorted(byStart)) {
    const series = seriesId(one.labels)
    let heir: { readonly stream: StreamEntry; readonly found: Anomaly } | undefined
    for (const stream of streams) {
      const isFree = (found: Anomaly) => !stream.stored.some(own => isNear(own, found))
      const found = stream.found.find(other => seriesId(other.labels) === series && isNear(other, one) && isFree(other))
      if (found && (!heir || found.detector < heir.found.detector)) heir = { stream, found }
    }
    if (!heir) orphans.push(one)
    else {
      adopted.set(one.id, one)
      heir.stream.stored.push({ ...one, detector: heir.found.detector })
    }
  }
  return { adopted, orphans }
}

/** The times in which stored anomalies may change. */
export function touchedSpan(
  found: readonly Anomaly[],
  { range, mergeGap }: Pick<ReconcileOptions, 'range' | 'mergeGap'>,
): TimeRange {
  let { start, end } = range
  for (const anomaly of found) {
    start = Math.min(start, anomaly.start)
    end = Math.max(end, anomaly.end)
  }
  return { start: start - mergeGap, end: end + mergeGap }
}

/** Not withdrawn, and in the span or open before it: an open one ends when a later look does not see it any more. */
export function isTouched(anomaly: StoredAnomaly, span: TimeRange): boolean {
  if (anomaly.status === 'withdrawn' || anomaly.start > span.end) return false
  return anomaly.end >= span.start || anomaly.status === 'open'
}

/** A horizon in the future comes from a clock that was wrong, and must not make every later look one at the past. */
export function believed(horizon: number, now: number): number {
  return horizon <= now ? horizon : -Infinity
}

/** Latest end of rows that are known once a run is committed; -Infinity when it knew none. */
export function horizonOf({ range, unknown }: Pick<Run, 'range' | 'unknown'>): number {
  if (!unknown) return range.end
  return unknown.from > range.start ? Math.min(unknown.from, range.end) : -Infinity
}

function knownRange({ range, unknown }: ReconcileOptions, detector: string): TimeRange {
  if (!unknown || unknown.except.includes(detector)) return range
  return { start: range.start, end: Math.min(range.end, unknown.from) }
}

/** A stretch that goes into the result; `stored` when it was not looked at again, `valid` while the numbers are those of a row in it. */
interface Piece {
  readonly start: number
  readonly end: number
  readonly anomaly: Anomaly
  readonly stored: StoredAnomaly | undefined
  readonly ongoing: boolean
  readonly valid: boolean
}

interface StreamOptions extends ReconcileOptions {
  readonly adopted: ReadonlyMap<string, StoredAnomaly>
  /** Start and end of each unknown stretch of the range. */
  readonly unknownTimes: Float64Array | undefined
}

function reconcileStream(
  key: string,
  { stored, found }: { stored: readonly StoredAnomaly[]; found: readonly Anomaly[] },
  options: StreamOptions,
): Change[] {
  const groups = join(
    [...stored.flatMap(one => keptPieces(one, options)), ...found.map(one => foundPiece(one, stored, options))],
    options.mergeGap,
  )
  const survivors = assign(groups, stored, options.mergeGap)
  const changes: Change[] = []
  for (const group of groups) {
    const before = survivors.get(group)
    const content = summarise(group)
    const hasFound = group.some(piece => !piece.stored)
    const annotations = hasFound ? options.annotations : (before?.annotations ?? group[0].stored!.annotations)
    if (before) changes.push(...changesOf(options.adopted.get(before.id) ?? before, content, annotations, options.now))
    else changes.push(...opened(content, annotations, freeId(key, content.start, options), options))
  }
  const kept = new Set([...survivors.values()].map(({ id }) => id))
  for (const one of stored) if (!kept.has(one.id)) changes.push(withdrawn(one, options.now))
  return changes
}

/** What stays of a stored anomaly: all, or parts before the range, after it and where it is unknown. Before the calm was long enough it goes on. */
function keptPieces(stored: StoredAnomaly, options: StreamOptions): Piece[] {
  const { range, horizon, unknownTimes = new Float64Array(), mergeGap } = options
  const pieces: Piece[] = []
  const add = (start: number, end: number, ongoing: boolean) => {
    pieces.push({ start, end, anomaly: stored, stored, ongoing, valid: stored.peak >= start && stored.peak < end })
  }
  if (stored.start >= range.end) add(stored.start, stored.end, stored.ongoing)
  else {
    const isCalm = (end: number) => !(horizon > range.end) && end <= range.end - mergeGap
    const goesOn = (end: number) => stored.ongoing && end === stored.end && !isCalm(end)
    const keep = (start: number, end: number) => {
      const [from, to] = [Math.max(stored.start, start), Math.min(stored.end, end)]
      if (from < to) add(from, to, goesOn(to))
    }
    keep(-Infinity, range.start)
    for (let i = 0; i < unknownTimes.length; i += 2)
      keep(Math.max(range.start, unknownTimes[i]), Math.min(range.end, unknownTimes[i + 1]))
    // Beyond the end of the newest look nobody has looked: what reaches over it is a part of the last step, not of a later look.
    if (stored.end > range.end && horizon > range.end) add(range.end, stored.end, stored.ongoing)
  }
  return pieces
}

function foundPiece(anomaly: Anomaly, stored: readonly StoredAnomaly[], { range, horizon }: ReconcileOptions): Piece {
  // A look at the past cannot know how its last rows went on, but the later look did.
  const isSame = (one: StoredAnomaly) => one.start < anomaly.end && one.end <= anomaly.end && one.end > anomaly.start
  const ongoing = anomaly.ongoing && (!(horizon > range.end) || stored.some(one => one.ongoing && isSame(one)))
  return { start: anomaly.start, end: anomaly.end, anomaly, stored: undefined, ongoing, valid: true }
}

/** Groups of pieces that are one anomaly each; groups never overlap. */
function join(pieces: Piece[], mergeGap: number): Piece[][] {
  pieces.sort((a, b) => a.start - b.start || a.end - b.end || Number(!b.stored) - Number(!a.stored))
  const groups: Piece[][] = []
  let last: Piece | undefined
  let end = -Infinity
  for (const piece of pieces) {
    const near = piece.start - end <= mergeGap
    const joined =
      last !== undefined &&
      (piece.start < end ||
        (near && (last.stored === undefined ? piece.stored !== undefined : !piece.stored || piece.stored === last.stored)))
    if (joined) groups[groups.length - 1].push(piece)
    else groups.push([piece])
    if (!joined || piece.end >= end) last = piece
    end = joined ? Math.max(end, piece.end) : piece.end
  }
  return groups
}

/**
 * Who goes on as which stored anomaly: the very same stretch first, then one that overlaps, then one that is near. Of several stored ones
 * that became one, the one that people know survives, then the oldest; of one that became several, the first part keeps the id.
 */
function assign(groups: readonly Piece[][], stored: readonly StoredAnomaly[], mergeGap: number): Map<Piece[], StoredAnomaly> {
  const survivors = new Map<Piece[], StoredAnomaly>()
  const left = new Set(
    [...stored].toSorted((a, b) => Number(a.ignored !== undefined) - Number(b.ignored !== undefined) || a.openedAt - b.openedAt),
  )
  const passes: ((one: StoredAnomaly, start: number, end: number) => boolean)[] = [
    (one, start, end) => one.start === start && one.end === end,
    (one, start, end) => one.start < end && one.end > start,
    (one, start, end) => one.start - end <= mergeGap && start - one.end <= mergeGap,
  ]
  for (const fits of passes)
    for (const group of groups) {
      if (survivors.has(group)) continue
      const { start, end } = extent(group)
      for (const one of left)
        if (fits(one, start, end)) {
          survivors.set(group, one)
          left.delete(one)
          break
        }
    }
  return survivors
}

function extent(group: readonly Piece[]): { start: number; end: number } {
  return { start: group[0].start, end: group.reduce((end, piece) => Math.max(end, piece.end), -Infinity) }
}

/** One anomaly of a group: the numbers of its strangest piece that still has them. */
function summarise(group: readonly Piece[]): Anomaly {
  const { start, end } = extent(group)
  const last = group.reduce((a, b) => (b.end >= a.end ? b : a))
  const rank = ({ anomaly }: Piece) => (Number.isNaN(anomaly.strength) ? -Infinity : anomaly.strength)
  const valid = group.filter(piece => piece.valid)
  const first = valid.find(piece => !piece.stored) ?? valid[0]
  const best = first && valid.reduce((a, b) => (rank(b) > rank(a) ? b : a), first)
  const { ignored: _, ...numbers } = best ? best.anomaly : withoutNumbers(group[0].anomaly)
  const told = group.some(piece => piece.anomaly.ignored === undefined)
  const reason = (group.findLast(piece => !piece.stored) ?? group[group.length - 1]).anomaly.ignored
  const whole = {
    ...numbers,
    start,
    end,
    peak: best ? best.anomaly.peak : start,
    ongoing: last.ongoing,
    ...(told ? {} : { ignored: reason! }),
  }
  const isOnePiece = best && best.start === start && best.end === end && best.anomaly.ongoing === last.ongoing
  return isOnePiece ? whole : retell(whole)
}

/** The sentence anew, of an anomaly that goes on longer, was joined, or has ended since it was written. */
function retell(anomaly: Anomaly): Anomaly {
  if (anomaly.sentence === undefined || anomaly.wording === undefined) return anomaly
  const { missing } = anomaly.numbers ?? {}
  const longer =
    missing === undefined
      ? anomaly
      : { ...anomaly, numbers: { ...anomaly.numbers, missing: Math.max(missing, anomaly.end - anomaly.start) } }
  return { ...longer, sentence: writeSentence(longer, { ...anomaly.wording, now: longer.end }) }
}

/** The row that the numbers were of is not strange any more; how strange it was at most is still said. */
function withoutNumbers(anomaly: Anomaly): Anomaly {
  const { shape: _shape, columns: _columns, numbers: _numbers, sentence: _sentence, wording: _wording, ...rest } = anomaly
  return { ...rest, current: NaN, expected: NaN, lower: NaN, upper: NaN }
}

function opened(
  content: Anomaly,
  annotations: StoredAnomaly['annotations'],
  free: { id: string; old?: StoredAnomaly },
  options: ReconcileOptions,
) {
  const { flow, now } = options
  const { id, old } = free
  const version = (old?.version ?? 0) + 1
  const record = { ...facts(content), id, flow, annotations, openedAt: old?.openedAt ?? now, updatedAt: now }
  return openedThenResolved(record, version)
}

/** One change for an anomaly that goes on, two for one that was over when it was seen. */
function openedThenResolved(record: Omit<StoredAnomaly, 'version' | 'status'>, version: number): Change[] {
  const changes: Change[] = [{ kind: 'opened', anomaly: { ...record, version, status: 'open' } }]
  if (!record.ongoing) changes.push({ kind: 'resolved', anomaly: { ...record, version: version + 1, status: 'resolved' } })
  return changes
}

function changesOf(before: StoredAnomaly, content: Anomaly, annotations: StoredAnomaly['annotations'], now: number): Change[] {
  const { id, flow, openedAt } = before
  const record = { ...facts(content), id, flow, annotations, openedAt, updatedAt: now }
  const version = before.version + 1
  const isUnignored = before.ignored !== undefined && content.ignored === undefined
  if (isUnignored) return openedThenResolved(record, version)
  const status = content.ongoing ? 'open' : 'resolved'
  if (status !== before.status)
    return [{ kind: content.ongoing ? 'opened' : 'resolved', anomaly: { ...record, version, status } }]
  if (isSame(before, record)) return []
  return [{ kind: 'updated', anomaly: { ...record, version, status } }]
}

/** Only what an anomaly is, without what a stored one has besides. */
function facts(anomaly: Anomaly): Anomaly {
  const { shape, columns, numbers, ignored, notify, sentence, wording } = anomaly
  return {
    labels: anomaly.labels,
    detector: anomaly.detector,
    start: anomaly.start,
    end: anomaly.end,
    peak: anomaly.peak,
    score: anomaly.score,
    strength: anomaly.strength,
    direction: anomaly.direction,
    current: anomaly.current,
    expected: anomaly.expected,
    lower: anomaly.lower,
    upper: anomaly.upper,
    ongoing: anomaly.ongoing,
    ...(shape !== undefined && { shape }),
    ...(columns !== undefined && { columns }),
    ...(numbers !== undefined && { numbers }),
    ...(ignored !== undefined && { ignored }),
    ...(notify !== undefined && { notify }),
    ...(sentence !== undefined && { sentence }),
    ...(wording !== undefined && { wording }),
  }
}

/** Whether an anomaly would be told in the same way; what it has no more is a change too. */
function isSame(before: StoredAnomaly, after: Anomaly & Pick<StoredAnomaly, 'annotations'>): boolean {
  const optional = ['shape', 'columns', 'numbers', 'sentence'] as const
  const names = [...(Object.keys(facts(after)) as (keyof Anomaly)[]), ...optional]
  return names.every(name => equal(before[name], after[name])) && equal(before.annotations, after.annotations)
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(key => key in b && equal(a[key as never], b[key as never]))
}

function streamKey({ labels, detector }: Pick<Anomaly, 'labels' | 'detector'>): string {
  return `${detector}\n${seriesId(labels)}`
}

/** The id of an anomaly that starts there; the same on every replay. A withdrawn one of that id comes back to life. */
function freeId(key: string, start: number, { flow, find }: ReconcileOptions): { id: string; old?: StoredAnomaly } {
  for (let n = 1; ; n++) {
    const id = createHash('sha256')
      .update(`${flow}\n${key}\n${start}${n > 1 ? `\n${n}` : ''}`)
      .digest('hex')
      .slice(0, 16)
    const old = find(id)
    if (!old) return { id }
    if (old.status === 'withdrawn') return { id, old }
  }
}
