import type { Anomaly, Labels } from '../anomaly.ts'
import type { FitReason, Scores } from '../detectors/detector.ts'
import type { Frame, TimeRange } from '../frame/frame.ts'
import type { Target } from '../sources/source.ts'
import type { AnomalyFilter, Diagnostic, Snapshot, StoredAnomaly, StoredModel, UnknownRows } from '../stores/store.ts'
import type { Presence } from './presence.ts'

/** A question, as data: planned before fetching, deduplicated, shown to people. */
export type Query =
  | { readonly kind: 'series'; readonly source: string; readonly expr: string; readonly range: TimeRange; readonly step: number }
  | { readonly kind: 'snapshots'; readonly flow: string }
  | { readonly kind: 'models'; readonly flow: string }
  | { readonly kind: 'anomalies'; readonly filter: AnomalyFilter }
  | { readonly kind: 'targets'; readonly source: string; readonly series: readonly Labels[]; readonly time: number }

export interface SeriesAnswer {
  readonly frames: readonly Frame<'value'>[]
  readonly diagnostics: readonly Diagnostic[]
}

export type Answer<Q extends Query> = Q extends { kind: 'series' }
  ? SeriesAnswer
  : Q extends { kind: 'snapshots' }
    ? readonly Snapshot[]
    : Q extends { kind: 'models' }
      ? readonly StoredModel[]
      : Q extends { kind: 'targets' }
        ? readonly Target[]
        : readonly StoredAnomaly[]

/** The only door to data. All of it or an error, never a part. */
export interface Reader {
  read<Q extends Query>(query: Q, signal: AbortSignal): Promise<Answer<Q>>
}

/** A fit that a workload wants, from what one of its series has learned. */
export interface Wanted {
  /** Of the series. */
  readonly labels: Labels
  readonly workload: Labels
  /** Name of the detector, as the flow calls it. */
  readonly detector: string
  readonly reason: FitReason
  /** Rows with a value that the series has learned. */
  readonly rows: number
  /** What the series knew of fits, as in `Models`: another one since then may have been what it wants. */
  readonly tried: number
}

/** What a run found. */
export interface Findings {
  readonly anomalies: readonly Anomaly[]
  readonly points: readonly { readonly detector: string; readonly scores: Scores }[]
  readonly snapshots: readonly Snapshot[]
  readonly forgotten: readonly { readonly labels: Labels; readonly detector: string }[]
  /** Snapshots that could not be read; nothing is said of their series, which start cold with the next run. */
  readonly damaged?: readonly { readonly labels: Labels; readonly detector: string; readonly reason: string }[]
  /** Rows that no detector could judge. */
  readonly unknown?: UnknownRows
  /** Does not move where there was no data; NaN: keep the old one. */
  readonly watermark: number
  readonly diagnostics: readonly Diagnostic[]
  /** The range that was looked at; a cold start looks at its history too. */
  readonly range: TimeRange
  /** Series that have data. */
  readonly series: number
  /** When its series had data, as the detectors of missing data see it. */
  readonly presences: readonly Presence[]
  /** At most one for each workload; of runs whose models are fitted elsewhere. */
  readonly wanted: readonly Wanted[]
  /** All that used models, or will. */
  readonly workloads: readonly { readonly detector: string; readonly workload: Labels }[]
}

export interface Task {
  readonly range: TimeRange
  readonly reader: Reader
  readonly signal: AbortSignal
  readonly now: () => number
}

/** Raw: may read as it goes and run other pipelines; nesting is a call. */
export interface Pipeline {
  run(task: Task): Promise<Findings>
}

/** Static: says what it needs under names, gets all of it in one round trip, computes without I/O. */
export interface StaticPipeline<Needs extends Readonly<Record<string, Query>> = Readonly<Record<string, Query>>> {
  needs(range: TimeRange): Needs
  compute(data: { readonly [Name in keyof Needs]: Answer<Needs[Name]> }, range: TimeRange): Findings
}

/** A static pipeline as a raw one. */
export function fromStatic<Needs extends Readonly<Record<string, Query>>>(pipeline: StaticPipeline<Needs>): Pipeline {
  return {
    async run({ range, reader, signal }) {
      const needs = pipeline.needs(range)
      const names = Object.keys(needs)
      const answers = await Promise.all(names.map(name => reader.read(needs[name]!, signal)))
      const data = Object.fromEntries(names.map((name, i) => [name, answers[i]]))
      return pipeline.compute(data as never, range)
    },
  }
}
