import { type Anomaly, type Labels, seriesId } from '../anomaly.ts'
import type { MissingData } from '../detectors/detector.ts'
import { HOUR } from '../duration.ts'
import type { Target } from '../sources/source.ts'
import type { StoredAnomaly } from '../stores/store.ts'
import type { FlowConfig } from './configuration.ts'
import type { Findings } from './pipeline.ts'
import { isLive, lowestCount, type Presence } from './presence.ts'
import { openTargets, type TargetState } from './targets.ts'
import { workloadOf } from './workload.ts'

/** The series of a workload are counted over so long before one vanished: deployments have more while they roll out. */
const ROLLOUT = HOUR
/** Live series whose targets show that the source knows the targets of this flow. */
export const WITNESSES = 5

/** What is known when the missing series of a flow are looked at together. */
export interface MissingInput {
  readonly config: Pick<FlowConfig, 'name' | 'replicas' | 'query' | 'detect'>
  /** The flow's detectors of missing data, by name. */
  readonly kinds: ReadonlyMap<string, MissingData>
  readonly findings: Findings
  /** The flow's stored anomalies of these times, also ignored ones. */
  readonly stored: readonly StoredAnomaly[]
}

/** One anomaly of missing data, with what is known of its series. */
export interface MissingCase {
  readonly anomaly: Anomaly
  readonly presence: Presence
  /** Its stored anomaly, when an earlier run found it. */
  readonly stored: StoredAnomaly | undefined
  /** Still missing at the newest row; otherwise it has ended, or is not sure yet. */
  readonly now: boolean
}

/** All series of a flow, as one detector of missing data sees them at the newest row. */
export interface MissingView {
  readonly detector: string
  readonly cases: readonly MissingCase[]
  readonly newest: number
  readonly grace: number
  /** Series that are expected: all but those whose absence is explained. */
  readonly known: readonly Presence[]
  readonly live: readonly Presence[]
  workloadOf(labels: Labels): Labels
  /** Series of the same workload that are live now, and how many there were at least before this one vanished. */
  countWorkload(presence: Presence): { readonly live: number; readonly before: number }
  stateOf(presence: Presence): TargetState
}

export function viewMissing(
  { config, kinds, findings }: MissingInput,
  detector: string,
  cases: readonly MissingCase[],
  isExplained: (one: MissingCase) => boolean,
  targets: readonly Target[],
): MissingView {
  const { step } = config.query
  const newest = findings.range.end - step
  const all = findings.presences.filter(presence => presence.detector === detector)
  const explained = new Set(cases.filter(isExplained).map(({ presence }) => presence))
  const live = all.filter(presence => isLive(presence, newest, step))
  const ownWorkload = (labels: Labels) => workloadOf(labels, config.replicas)
  const liveCounts = Map.groupBy(live, ({ labels }) => seriesId(ownWorkload(labels)))
  const targetOf = openTargets(
    targets,
    live.slice(0, WITNESSES).map(({ labels }) => labels),
  )
  const isAlive = new Set(live)
  const expected = Map.groupBy(
    all.filter(one => isAlive.has(one) || targetOf(one.labels) !== 'undiscovered'),
    ({ labels }) => seriesId(ownWorkload(labels)),
  )
  const counts = new Map<string, number>()
  const lowestBefore = (workload: string, last: number) => {
    const key = `${last} ${workload}`
    const count = counts.get(key) ?? lowestCount(expected.get(workload) ?? [], last - ROLLOUT, last, step)
    counts.set(key, count)
    return count
  }
  return {
    detector,
    cases,
    newest,
    grace: kinds.get(detector)!.grace,
    known: all.filter(presence => !explained.has(presence)),
    live,
    workloadOf: ownWorkload,
    stateOf: ({ labels }) => targetOf(labels),
    countWorkload({ labels, last }) {
      const workload = seriesId(ownWorkload(labels))
      return { live: liveCounts.get(workload)?.length ?? 0, before: lowestBefore(workload, last) }
    },
  }
}
