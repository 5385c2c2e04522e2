import type { Anomaly } from '../../anomaly.ts'
import { DAY, formatDuration, MINUTE, SECOND } from '../../duration.ts'
import { type Configuration, type FlowConfig, SELF_WATCH, type WatchConfig } from '../../pipeline/configuration.ts'
import type { Pipeline } from '../../pipeline/pipeline.ts'
import { type ComponentKind, problemKey } from './problems.ts'
import type { Tracked } from './track.ts'

/** The name of the detector in anomalies of the watch itself. */
const DETECTOR = 'watch'
const STEP = SECOND
/** A problem is noticed so much later than it is old enough, at most. */
const SLOWEST = 15 * SECOND

/** What is in force where the file says nothing. */
export const WATCH_DEFAULTS: WatchConfig = { after: 5 * MINUTE, severity: 'critical' }

/** How long a part must work before its problem is over. */
export const recoveryOf = (after: number) => Math.min(MINUTE, after)

/** The watch on itself as a flow, so that all that holds for anomalies holds for its problems: told once, kept over a restart, ended. */
export function selfWatchFlow({ watch = WATCH_DEFAULTS, notifiers }: Pick<Configuration, 'watch' | 'notifiers'>): FlowConfig {
  return {
    name: SELF_WATCH,
    summary: 'A part of Tidewatch itself does not work, so that anomalies may be missed',
    every: Math.min(SLOWEST, Math.max(SECOND, Math.floor(watch.after / 4))),
    query: { source: '', expr: '', step: STEP },
    detect: [{ type: DETECTOR, name: DETECTOR }],
    rule: { type: 'threshold', limit: 1 },
    refine: [],
    notify: watch.notify ?? Object.keys(notifiers),
    labels: {},
    severity: watch.severity,
    delay: 0,
    reexamine: 0,
    keep: 0,
    deadline: 30 * SECOND,
    forget: DAY,
  }
}

export interface SelfWatchParts {
  readonly after: number
  /** All channels that are notified. */
  readonly notify: readonly string[]
  /** The problems that go on now. */
  readonly tracked: () => readonly Tracked[]
}

/** The pipeline of that flow: it asks no source, its findings are the problems that have lasted for `after`. */
export function selfWatchPipeline({ after, notify, tracked }: SelfWatchParts): Pipeline {
  let reported = new Map<string, Tracked>()
  return {
    async run({ range }) {
      const now = tracked()
      const last = reported
      const isOld = (one: Tracked) => one.seenAt - one.since >= after || last.has(problemKey(one))
      reported = new Map(now.filter(isOld).map(one => [problemKey(one), one]))
      const over = [...last.values()].filter(one => !reported.has(problemKey(one)))
      return {
        anomalies: [
          ...[...reported.values()].map(one => problemAnomaly(one, range.end, notify)),
          ...over.map(one => problemAnomaly(one, undefined, notify)),
        ].filter(({ start, end }) => start < end),
        range,
        watermark: range.end,
        points: [],
        snapshots: [],
        forgotten: [],
        diagnostics: [],
        series: now.length,
        wanted: [],
        workloads: [],
        presences: [],
      }
    },
  }
}

/** A problem as an anomaly; `now` is absent when it is over. The channel that fails is not told of its own failure. */
export function problemAnomaly(one: Tracked, now: number | undefined, notify: readonly string[]): Anomaly {
  const { component, name, since, seenAt } = one
  const end = now ?? seenAt
  return {
    labels: { component, name },
    detector: DETECTOR,
    start: since,
    end,
    peak: since,
    score: 1,
    strength: 1,
    direction: 'none',
    current: NaN,
    expected: NaN,
    lower: NaN,
    upper: NaN,
    ongoing: now !== undefined,
    sentence: now === undefined ? describeEnd(one) : `${describe(one)} (since ${clock(since)})`,
    ...(component === 'channel' ? { notify: notify.filter(channel => channel !== name) } : {}),
  }
}

const NAMES: Readonly<Record<ComponentKind, string>> = {
  source: 'Source',
  flow: 'Flow',
  channel: 'Channel',
  store: 'The',
  scheduler: 'The',
}

/** `Source prom does not answer: got 502`. */
export const describe = ({ component, name, reason }: Pick<Tracked, 'component' | 'name' | 'reason'>) =>
  `${NAMES[component]} ${name} ${reason}`

function describeEnd({ component, name, reason, since, seenAt }: Tracked): string {
  const length = formatDuration(Math.max(SECOND, Math.round((seenAt - since) / SECOND) * SECOND))
  return `${NAMES[component]} ${name} works again after ${length}; it was: ${reason}`
}

const clock = (time: number) => `${new Date(time).toISOString().slice(11, 16)} UTC`

/** A stored anomaly of the watch itself as a problem that goes on: what was known before a restart. */
export function rememberedProblem({ labels, start, sentence = '' }: Anomaly, now: number): Tracked {
  const component = labels.component as ComponentKind
  const name = labels.name!
  const reason = sentence.replace(`${NAMES[component]} ${name} `, '').replace(/ \(since \d\d:\d\d UTC\)$/, '')
  return { component, name, reason, since: start, seenAt: now }
}
