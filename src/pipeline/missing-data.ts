import { type Anomaly, type Labels, seriesId } from '../anomaly.ts'
import { HOUR } from '../duration.ts'
import { withNote } from '../refiners/sentence.ts'
import type { Target } from '../sources/source.ts'
import { groupAnomaly, isGroup } from './missing-group.ts'
import { type MissingCase, type MissingInput, type MissingView, viewMissing } from './missing-view.ts'
import type { Findings } from './pipeline.ts'
import { isLive } from './presence.ts'

/** Why nobody is notified of one series that has no data. */
export const REASONS = {
  replaced: 'another series of its workload took its place',
  waiting: 'another series of its workload may take its place yet',
  undiscovered: 'its target is no longer discovered',
  inWorkload: 'reported once for its workload',
  inFlow: 'reported once for the flow',
} as const

/** Whether nobody was notified for one of these reasons; what a refiner ignored before is judged anew. */
function isReason(ignored: string | undefined): ignored is string {
  return ignored !== undefined && (Object.values(REASONS) as string[]).includes(ignored)
}

/** When more series than this are missing at a time, further ones are reported once for the flow. */
const MOST_ALONE = 10
/** A series that was replaced counts for so long as one that its workload had. */
const REMEMBER_REPLACED = HOUR

/** The anomalies of missing data among the findings that no refiner ignored. */
export function missingCases({ config, kinds, findings, stored }: MissingInput): readonly MissingCase[] {
  const { range, anomalies } = findings
  const { step } = config.query
  const presences = new Map(findings.presences.map(presence => [keyOf(presence), presence]))
  const before = Map.groupBy(stored, keyOf)
  return anomalies.flatMap(anomaly => {
    const presence = presences.get(keyOf(anomaly))
    if (!presence || anomaly.ignored !== undefined || !kinds.get(anomaly.detector)?.isMissing(anomaly.current)) return []
    const own = before.get(keyOf(anomaly))?.find(one => one.start < anomaly.end && one.end >= anomaly.start)
    return [{ anomaly, presence, stored: own, now: anomaly.ongoing && !isLive(presence, range.end - step, step) }]
  })
}

/** Whether the state of its target may explain it. */
export function needsTarget(one: MissingCase): boolean {
  return one.now && !isExplained(one)
}

/**
 * Looks at the missing series of a flow together: who was replaced by another series of its workload or is no longer discovered is explained and
 * ignored; many that vanish at once are reported once, for their workload or for the flow. Explained ones are forgotten as soon as that is safe.
 */
export function explainMissing(input: MissingInput, cases: readonly MissingCase[], targets: readonly Target[]): Findings {
  const { findings } = input
  const decisions = new Map<Anomaly, Decision>()
  const groups: Anomaly[] = []
  const over: MissingCase[] = []
  for (const [detector, own] of Map.groupBy(cases, ({ anomaly }) => anomaly.detector)) {
    const view = viewMissing(input, detector, own, isExplained, targets)
    for (const one of own) decisions.set(one.anomaly, decide(one, view))
    gather(view, decisions)
    groups.push(...makeGroups(view, decisions, input))
    over.push(...findOver(view, decisions))
  }
  const anomalies = findings.anomalies.map(anomaly => apply(anomaly, decisions.get(anomaly), findings.range.end))
  const ended = endedGroups(input, groups)
  return forgetExplained(input.config, { ...findings, anomalies: [...anomalies, ...groups, ...ended] }, over)
}

/** Reasons for which nobody is notified, not even once for several series. */
const UNREPORTED: ReadonlySet<string> = new Set([REASONS.replaced, REASONS.waiting, REASONS.undiscovered])

/** Without the scores of series that are only missing, and that nobody is notified of: where pods come and go all the time these would be most. */
export function dropUnreportedPoints(findings: Findings): Findings {
  const [unreported, reported] = [true, false].map(
    is => new Set(findings.anomalies.filter(({ ignored }) => UNREPORTED.has(ignored ?? '') === is).map(keyOf)),
  )
  const isKept = ({ detector, scores: { labels } }: Findings['points'][number]) => {
    const key = keyOf({ detector, labels })
    return reported!.has(key) || !unreported!.has(key)
  }
  return { ...findings, points: findings.points.filter(isKept) }
}

/** What becomes of one case; not ignored, it is reported, for its `workload` when that is given. */
interface Decision {
  readonly ignored?: string
  readonly note?: string
  readonly workload?: Labels
  /** Time of the last row with data. */
  readonly since?: number
  /** Series of the flow that have data now, and that are expected to. */
  readonly siblings?: { readonly live: number; readonly known: number }
}

/** What explains an outage for good: as long as it lasts nothing else is said of it. */
function isExplained({ stored }: MissingCase): boolean {
  return stored?.ignored === REASONS.replaced || stored?.ignored === REASONS.undiscovered
}

function decide(one: MissingCase, view: MissingView): Decision {
  const { stored, presence, now } = one
  if (!now) return decidePast(one, view)
  const since = presence.last
  if (isExplained(one)) return { since, ignored: stored!.ignored! }
  const state = view.stateOf(presence)
  if (state === 'undiscovered') return { since, ignored: REASONS.undiscovered }
  const { live, before } = view.countWorkload(presence)
  if (live > 0 && live >= before) return { since, ignored: REASONS.replaced }
  const base: Decision = { since, ...describeAround(state, view) }
  if (stored?.ignored === REASONS.inFlow || stored?.ignored === REASONS.inWorkload) return { ...base, ignored: stored.ignored }
  if (live > 0 && view.newest - presence.last < view.grace) return { ...base, ignored: REASONS.waiting }
  return before > 1 ? { ...base, workload: view.workloadOf(presence.labels) } : base
}

/** It is over, or it seems so: what was said of it stays. One that came and went between two runs is judged by its length. */
function decidePast({ anomaly, presence, stored }: MissingCase, view: MissingView): Decision {
  if (stored) {
    const { ignored, wording, numbers } = stored
    return {
      ...(isReason(ignored) ? { ignored } : {}),
      ...(wording?.note === undefined ? {} : { note: wording.note }),
      ...(numbers?.since === undefined ? {} : { since: numbers.since }),
    }
  }
  const { live } = view.countWorkload(presence)
  return live > 1 && anomaly.end - anomaly.start < view.grace ? { ignored: REASONS.waiting } : {}
}

/** Of those that people would be notified of now: all of a flow, or many, are reported once for the flow, others once for their workload. */
function gather({ cases, live, known }: MissingView, decisions: Map<Anomaly, Decision>): void {
  const reported = cases.filter(({ anomaly }) => decisions.get(anomaly)!.ignored === undefined)
  const fresh = reported.filter(({ stored, now }) => stored === undefined || (now && stored.ignored !== undefined))
  const open = reported.filter(({ stored, now }) => now && stored !== undefined && stored.ignored === undefined).length
  const messages = new Set(fresh.map(({ anomaly }) => seriesId(decisions.get(anomaly)!.workload ?? anomaly.labels)))
  const isAll = live.length === 0 && known.length - open > 1
  for (const { anomaly } of fresh) {
    const decision = decisions.get(anomaly)!
    if (isAll || open + messages.size > MOST_ALONE) decisions.set(anomaly, { ...decision, ignored: REASONS.inFlow })
    else if (decision.workload) decisions.set(anomaly, { ...decision, ignored: REASONS.inWorkload })
  }
}

/** The anomalies of workloads and of the flow, each made of the cases that it is reported for. */
function makeGroups(view: MissingView, decisions: ReadonlyMap<Anomaly, Decision>, { config, stored }: MissingInput): Anomaly[] {
  const reportedBy = (reason: string) => view.cases.filter(({ anomaly }) => decisions.get(anomaly)!.ignored === reason)
  const make = (cases: readonly MissingCase[], labels: Labels, counts: { readonly live: number; readonly known: number }) => {
    const before = stored.findLast(one => keyOf(one) === keyOf({ detector: view.detector, labels }))
    const notes = new Set(cases.map(({ anomaly }) => decisions.get(anomaly)!.note))
    const note = notes.size === 1 ? [...notes][0] : undefined
    return groupAnomaly(cases, { labels, counts, before, note, name: config.name })
  }
  const inFlow = reportedBy(REASONS.inFlow)
  const counts = { live: view.live.length, known: view.known.length }
  const workloads = Map.groupBy(reportedBy(REASONS.inWorkload), ({ anomaly }) => seriesId(view.workloadOf(anomaly.labels)))
  return [
    ...(inFlow.length > 0 ? [make(inFlow, {}, counts)] : []),
    ...[...workloads.values()].map(cases => {
      const { live, before } = view.countWorkload(cases[0].presence)
      return make(cases, view.workloadOf(cases[0].anomaly.labels), { live, known: Math.max(before, live) })
    }),
  ]
}

/** Groups of earlier runs that nothing is reported by any more. They end as they were; without this they would be taken back. */
function endedGroups({ stored, findings, kinds }: MissingInput, groups: readonly Anomaly[]): Anomaly[] {
  const current = new Set(groups.map(keyOf))
  return stored
    .filter(one => kinds.has(one.detector) && isGroup(one) && one.end > findings.range.start && !current.has(keyOf(one)))
    .map(one => withNote({ ...one, ongoing: false }, undefined, one.end))
}

/** The state of its target, and how many series of the flow have data. */
function describeAround(state: string, { live, known }: MissingView): Pick<Decision, 'note' | 'siblings'> {
  return {
    ...(state === 'up' || state === 'down' ? { note: `target ${state}` } : {}),
    ...(live.length > 0 ? { siblings: { live: live.length, known: known.length } } : {}),
  }
}

function apply(anomaly: Anomaly, decision: Decision | undefined, end: number): Anomaly {
  if (!decision) return anomaly
  const { ignored, note, since, siblings } = decision
  // Explained, it needs nobody any more, also when people were notified before it was.
  const isOver = ignored === REASONS.replaced || ignored === REASONS.undiscovered
  const decided: Anomaly = {
    ...anomaly,
    ...(ignored === undefined ? {} : { ignored }),
    ...(isOver ? { ongoing: false } : {}),
    ...(since === undefined
      ? {}
      : {
          numbers: {
            ...anomaly.numbers,
            missing: anomaly.end - since,
            since,
            ...(siblings ? { siblings: siblings.live, expected: siblings.known } : {}),
          },
        }),
  }
  return withNote(decided, isOver ? ignored : note, end)
}

/** The cases that are explained and not needed to count what their workload had: of those that were replaced, as many as live ones are kept. */
function findOver({ cases, newest, workloadOf, countWorkload }: MissingView, decisions: ReadonlyMap<Anomaly, Decision>) {
  const explained = (reason: string) => cases.filter(({ anomaly }) => decisions.get(anomaly)!.ignored === reason)
  const replaced = Map.groupBy(explained(REASONS.replaced), ({ presence }) => seriesId(workloadOf(presence.labels)))
  const unneeded = [...replaced.values()].flatMap(own => {
    const { live } = countWorkload(own[0].presence)
    const newestFirst = own.toSorted((a, b) => b.presence.last - a.presence.last)
    return newestFirst.filter(({ presence }, i) => i >= live || newest - presence.last > REMEMBER_REPLACED)
  })
  return [...explained(REASONS.undiscovered), ...unneeded]
}

/** Deletes what all detectors remember of series that are explained. */
function forgetExplained({ detect }: MissingInput['config'], findings: Findings, over: readonly MissingCase[]): Findings {
  // A later run that still reads its last rows would take it for a new series, and would take back an anomaly that starts in its rows.
  const isSafe = ({ anomaly, presence }: MissingCase) => Math.max(presence.last, anomaly.start) < findings.watermark
  const gone = new Map(over.filter(isSafe).map(({ presence: { labels } }) => [seriesId(labels), labels]))
  if (gone.size === 0) return findings
  const stays = ({ labels }: { readonly labels: Labels }) => !gone.has(seriesId(labels))
  return {
    ...findings,
    snapshots: findings.snapshots.filter(stays),
    forgotten: [
      ...findings.forgotten.filter(stays),
      ...[...gone.values()].flatMap(labels => detect.map(({ name }) => ({ labels, detector: name }))),
    ],
  }
}

function keyOf({ detector, labels }: { readonly detector: string; readonly labels: Labels }): string {
  return `${detector}\n${seriesId(labels)}`
}
