import { type Labels, seriesId } from '../../anomaly.ts'
import { formatDuration } from '../../duration.ts'
import { InputError } from '../../errors.ts'
import type { TimeRange } from '../../frame/frame.ts'
import type { Source } from '../../sources/source.ts'
import { readTable } from '../../sources/table/read-table.ts'
import { parseSelector, parseSeriesId, printSelector } from '../../sources/table/selector.ts'
import { toSeries } from '../../sources/table/series.ts'
import { fileLimit } from '../file-limit.ts'
import { findHistory } from '../scan/discover.ts'

/** One series to explore, as it was read. */
export interface Given {
  readonly labels: Labels
  /** A counter of Prometheus is read through `rate`. */
  readonly read: 'value' | 'rate'
  /** On the grid of all; a gap is NaN. */
  readonly values: Float64Array
}

/** Series on one grid. */
export interface Collection {
  readonly series: readonly Given[]
  readonly times: Float64Array
  readonly step: number
  /** Rows at the end of a series that may be missing without meaning anything. */
  readonly late: number
  /** Names of all metrics of the source, beside those that were read. */
  readonly names: readonly string[]
  readonly warnings: readonly string[]
}

export interface ReadOptions {
  readonly since?: number
  readonly step?: number
  /** Most series that are read. */
  readonly limit: number
  /** Bytes of a file. */
  readonly maxSize?: number | undefined
}

/** Rows of a file that are looked at; longer ones are averaged. */
const ROWS = 10_000
/** Queries under way at a time. */
const AT_ONCE = 4

/** Columns of a CSV file. Rows that share a row of the grid are averaged. */
export async function readFileSeries(file: string, { since, step: wanted, limit, maxSize }: ReadOptions): Promise<Collection> {
  const table = await readTable(file, fileLimit(maxSize))
  const { times, columns, step: own } = toSeries(table)
  const warnings = [...table.warnings]
  const end = times.at(-1) ?? 0
  const first = Math.max(times[0] ?? 0, since === undefined ? -Infinity : end + own - since)
  if (!(own > 0)) throw new InputError(`${file} must have rows at two times or more, got ${times.length}`)
  const factor = Math.max(1, Math.ceil((end - first) / own / ROWS))
  const step = wanted ?? factor * own
  if (wanted === undefined && factor > 1) warnings.push(`rows are averaged to ${formatDuration(step)}; --step sets another`)
  const shift = step > own ? 0 : 0.5
  const rows = Math.floor((end - first) / step + shift) + 1
  const place = Int32Array.from(times, time => (time < first ? -1 : Math.floor((time - first) / step + shift)))
  const names = Object.keys(columns)
  if (names.length > limit) warnings.push(`the first ${limit} of ${names.length} columns were looked at; --limit sets another`)
  const series = names.slice(0, limit).map((name): Given => {
    const labels = parseSeriesId(name) ?? { __name__: name }
    return { labels, read: 'value', values: gather(columns[name], place, rows) }
  })
  const grid = Float64Array.from({ length: rows }, (_, i) => first + i * step)
  const metrics = [...new Set(series.map(({ labels }) => labels.__name__ ?? seriesId(labels)))]
  return { series, times: grid, step, late: 2, names: metrics, warnings }
}

function gather(column: Float64Array, place: Int32Array, rows: number): Float64Array {
  const sums = new Float64Array(rows)
  const counts = new Float64Array(rows)
  for (let i = 0; i < column.length; i++) {
    if (place[i] < 0 || !Number.isFinite(column[i])) continue
    sums[place[i]] += column[i]
    counts[place[i]]++
  }
  return sums.map((sum, row) => sum / counts[row])
}

/** Every series that the selector has had in the range, metric by metric: counters through `rate`, histogram buckets only when they are named. */
export async function readSourceSeries(
  source: Source,
  selector: string,
  options: ReadOptions & { readonly now: number; say(text: string): void },
  abort: AbortSignal,
): Promise<Collection> {
  const matchers = parseSelector(selector)
  if (!matchers)
    throw new InputError(`--match must be a selector like {job="dns"} or up{job="dns"}, got ${JSON.stringify(selector)}`)
  const names = await source.names(abort)
  const history = await findHistory(source, names, options, abort)
  const { range, step, window } = history
  const expr = `count by (__name__) (last_over_time(${selector}[${secondsOf(range)}s]))`
  const { frames } = await source.latest({ expr, time: range.end - 1 }, abort)
  const warnings: string[] = []
  const found = frames.flatMap(({ labels, columns }) =>
    labels.__name__ === undefined ? [] : [{ name: labels.__name__, count: columns.value[0] }],
  )
  const named = matchers.some(({ label }) => label === '__name__')
  const buckets = named ? [] : found.filter(({ name }) => name.endsWith('_bucket'))
  if (buckets.length > 0)
    warnings.push(`${buckets.length} histograms: their buckets are left out; --match looks at one by its name`)
  const chosen = fit(
    found.filter(each => !buckets.includes(each)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    options.limit,
    warnings,
  )
  const rest = matchers.filter(({ label, operator }) => !(label === '__name__' && operator === '='))
  const parts = new Map<string, readonly Given[]>()
  let times = new Float64Array(0)
  const queue = chosen.values()
  const work = async () => {
    for (const { name } of queue) {
      const read = isCounter(name, names) ? 'rate' : 'value'
      const text = printSelector([{ label: '__name__', operator: '=', value: name }, ...rest])
      try {
        const answer = await source.read({ expr: read === 'rate' ? `rate(${text}[${window}])` : text, range, step }, abort)
        for (const frame of answer.frames) times = frame.times as typeof times
        parts.set(
          name,
          answer.frames.map(frame => ({ labels: { ...frame.labels, __name__: name }, read, values: frame.columns.value })),
        )
      } catch (error) {
        warnings.push(`${name}: ${(error as Error).message}`)
      }
      options.say(`${parts.size} of ${chosen.length} metrics read`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const series = chosen.flatMap(({ name }) => parts.get(name) ?? [])
  if (series.length > options.limit)
    warnings.push(`the first ${options.limit} of ${series.length} series were looked at; --limit sets another`)
  // A sample counts for five minutes in Prometheus, and a rate for its window.
  return { series: series.slice(0, options.limit), times, step, late: 2, names, warnings }
}

/** The metrics whose series fit together into the limit; one alone may go beyond it. */
function fit<Metric extends { readonly name: string; readonly count: number }>(
  metrics: readonly Metric[],
  limit: number,
  warnings: string[],
): readonly Metric[] {
  let sum = 0
  const chosen: Metric[] = []
  const left: Metric[] = []
  for (const metric of metrics) {
    if (chosen.length > 0 && sum + metric.count > limit) left.push(metric)
    else {
      chosen.push(metric)
      sum += metric.count
    }
  }
  if (left.length > 0) {
    const shown = left.slice(0, 5).map(({ name, count }) => `${name} (${count})`)
    const more = left.length > 5 ? ` and ${left.length - 5} more` : ''
    warnings.push(`more than ${limit} series: ${shown.join(', ')}${more} left out; --limit sets another`)
  }
  return chosen
}

function isCounter(name: string, names: readonly string[]): boolean {
  if (/_(total|bucket)$/.test(name)) return true
  const base = /^(.*)_(sum|count)$/.exec(name)?.[1]
  return base !== undefined && names.includes(`${base}_sum`) && names.includes(`${base}_count`)
}

/** Length of a range in whole seconds, at least one. */
export function secondsOf({ start, end }: TimeRange): number {
  return Math.max(1, Math.ceil((end - start) / 1000))
}
