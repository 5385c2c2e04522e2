import { type Labels, seriesId } from '../../anomaly.ts'
import type { Fault } from '../../errors.ts'
import type { Season } from '../../frame/find-seasons.ts'
import type { TimeRange } from '../../frame/frame.ts'
import type { Merge } from '../../math/average-linkage.ts'
import { correlateAt } from '../../math/correlate-at.ts'
import { type Apparent, correlateAll, type Pair } from './correlate.ts'
import { examineSeries, type Look } from './examine-series.ts'
import { type Group, groupSeries } from './group.ts'
import { type Basis, prepare, standardise } from './prepare.ts'
import type { Collection } from './read-series.ts'
import { seasonsOf } from './seasons.ts'

/** One series and what is known of it. */
export interface Entry {
  readonly labels: Labels
  /** Without the labels that all series share. */
  readonly name: string
  /** `rate` is of a counter; `change` is of a series that climbs as counters do. */
  readonly read: 'value' | 'rate' | 'change'
  readonly look: Look
  readonly seasons: readonly Season[]
  readonly values: Float64Array
}

/** All that an exploration found. Places are those of `series`; lags are rows. */
export interface Report {
  readonly range: TimeRange
  readonly step: number
  readonly times: Float64Array
  readonly basis: Basis
  readonly rank: boolean
  readonly reach: number
  readonly least: number
  readonly redundant: number
  /** Labels that all series share. */
  readonly shared: Labels
  readonly series: readonly Entry[]
  /** Places of the series that were correlated: leaf `i` of the tree is series `correlated[i]`. */
  readonly correlated: readonly number[]
  readonly pairs: readonly Pair[]
  /** Those that correlate by a few events only: chance is not ruled out. */
  readonly few: readonly Pair[]
  readonly apparent: readonly Apparent[]
  readonly groups: readonly Group[]
  readonly tree: readonly Merge[]
  /** Leaves in the order of the dendrogram, and the strongest r of each two leaves, row by row. */
  readonly order: readonly number[]
  readonly matrix: Float32Array
  /** Rows by which the second leaf follows the first, row by row. */
  readonly lags: Int16Array
  readonly queries: readonly Fault[]
  /** Expressions that were checked. */
  readonly checked: number
  readonly warnings: readonly string[]
}

export interface ExploreOptions {
  readonly basis: Basis
  readonly rank: boolean
  readonly least: number
  readonly redundant: number
  /** Longest lag in ms; by default 60 rows, or a tenth of them. */
  readonly maxLag?: number
  readonly say?: (text: string) => void
}

/** The fewest known rows of a series that is correlated. */
const FEWEST = 20
/** Rows of a lag that is looked for without being asked. */
const REACH = 60

/** Looks at every series, finds seasons, correlates all pairs beside season and trend, and groups what is redundant. Pure. */
export function explore(
  { series, times, step, late, warnings }: Collection,
  { basis, rank, least, redundant, maxLag, say = () => {} }: ExploreOptions,
  queries: { readonly faults: readonly Fault[]; readonly checked: number } = { faults: [], checked: 0 },
): Report {
  const rows = times.length
  const furthest = Math.max(0, Math.floor(rows / 4))
  const reach = Math.min(furthest, maxLag === undefined ? Math.min(REACH, Math.floor(rows / 10)) : Math.round(maxLag / step))
  const shared = sharedLabels(series.map(({ labels }) => labels))
  const looks = series.map(({ values }) => examineSeries(times, values, step, late))
  const curves = series.map(({ values }, i) => (looks[i].climbs ? changes(values) : values))
  const moving = curves.flatMap((values, i) => (isMoving(values) && looks[i].state !== 'constant' ? [i] : []))
  const seasons = seasonsOf(
    moving.map(i => curves[i]),
    step,
    done => say(`seasons of ${done} of ${moving.length} series`),
  )
  const entries = series.map(({ labels, read, values }, i): Entry => {
    const at = moving.indexOf(i)
    return {
      labels,
      name: shortName(labels, shared, series.length),
      read: looks[i].climbs ? 'change' : read,
      look: looks[i],
      seasons: at < 0 ? [] : seasons[at],
      values,
    }
  })
  const ready = moving.flatMap(i => {
    const periods = entries[i].seasons.map(({ period }) => period / step)
    const prepared = prepare(curves[i], periods, { basis, rank, reach })
    return prepared ? [{ i, prepared, values: standardise(curves[i])! }] : []
  })
  const found = correlateAll(
    ready.map(({ prepared }) => prepared),
    ready.map(({ values }) => values),
    { reach, least, say: share => say(`${Math.round(100 * share)} % of ${(ready.length * (ready.length - 1)) / 2} pairs`) },
  )
  const correlated = ready.map(({ i }) => i)
  const { tree, order, groups } = groupSeries(
    found,
    correlated.map(i => entries[i].name),
    redundant,
  )
  // Of a group only its representative stands for it among the pairs, and those of its members that come earlier or later.
  const standsFor = new Map(groups.flatMap(({ representative, members }) => members.map(({ at }) => [at, representative])))
  const told = (one: number, other: number, lag: number) =>
    (!standsFor.has(one) && !standsFor.has(other)) || (lag > 0 && (standsFor.get(one) === other || standsFor.get(other) === one))
  const placed = (leaf: number) => correlated[leaf]
  const tell = (list: readonly Pair[]) =>
    list
      .filter(({ leads, follows, lag }) => told(leads, follows, lag))
      .map(pair => ({ ...pair, leads: placed(pair.leads), follows: placed(pair.follows) }))
  return {
    range: { start: times[0] ?? 0, end: (times.at(-1) ?? 0) + step },
    step,
    times,
    basis,
    rank,
    reach,
    least,
    redundant,
    shared,
    series: entries,
    correlated,
    pairs: tell(found.pairs),
    few: tell(found.few),
    apparent: found.apparent.filter(({ a, b }) => told(a, b, 0)).map(pair => ({ ...pair, a: placed(pair.a), b: placed(pair.b) })),
    groups: groups.map(({ representative, members }) => ({
      representative: placed(representative),
      members: members.map(member => ({
        ...member,
        at: placed(member.at),
        r: correlateAt(ready[representative].prepared, ready[member.at].prepared, member.lag).r,
      })),
    })),
    tree,
    order,
    matrix: found.matrix,
    lags: found.lags,
    queries: queries.faults,
    checked: queries.checked,
    warnings,
  }
}

/** Differences of neighbours; where a counter began again, NaN. */
function changes(values: Float64Array): Float64Array {
  return values.map((value, i) => (i > 0 && value >= values[i - 1] ? value - values[i - 1] : NaN))
}

function isMoving(values: Float64Array): boolean {
  let known = 0
  let moves = false
  let before = NaN
  for (const value of values) {
    if (Number.isNaN(value)) continue
    known++
    if (value !== before && !Number.isNaN(before)) moves = true
    before = value
  }
  return moves && known >= FEWEST
}

function sharedLabels(all: readonly Labels[]): Labels {
  if (all.length < 2) return {}
  return Object.fromEntries(
    Object.entries(all[0]).filter(([key, value]) => key !== '__name__' && all.every(labels => labels[key] === value)),
  )
}

function shortName(labels: Labels, shared: Labels, count: number): string {
  if (count < 2) return seriesId(labels)
  return seriesId(Object.fromEntries(Object.entries(labels).filter(([key]) => shared[key] === undefined)))
}
