import type { Labels } from '../../anomaly.ts'
import { formatDuration } from '../../duration.ts'
import { InputError } from '../../errors.ts'
import type { Frame, TimeRange } from '../../frame/frame.ts'
import { rowAt } from '../../frame/frame.ts'
import { orderOf, type Table } from './read-table.ts'

/** Columns over one strictly ascending time axis, and the usual distance of its rows (ms, NaN when unknown). */
export interface Series {
  readonly times: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
  readonly step: number
}

/** A table as series: rows in order of time; of rows with the same time the last one of the file counts, whole. */
export function toSeries(table: Table): Series {
  const order = orderOf(table.times)
  const keep: number[] = []
  let repeated = false
  for (let i = 0; i < table.times.length; i++) {
    const row = order ? order[i] : i
    if (keep.length > 0 && table.times[keep[keep.length - 1]] === table.times[row]) {
      keep[keep.length - 1] = row
      repeated = true
    } else keep.push(row)
  }
  if (!order && !repeated) return table
  const pick = (values: Float64Array) => Float64Array.from(keep, row => values[row])
  return {
    times: pick(table.times),
    columns: Object.fromEntries(Object.entries(table.columns).map(([name, column]) => [name, pick(column)])),
    step: table.step,
  }
}

/** Four months of seconds; every column takes as much again. */
const MAX_GRID = 10_000_000

/** The multiples of `step` in the range; throws `InputError`, before memory is taken, when they are more than anybody looks at. */
export function gridOf(range: TimeRange, step: number): Float64Array {
  const first = Math.ceil(range.start / step) * step
  const count = Math.max(0, Math.ceil((range.end - first) / step))
  if (count > MAX_GRID)
    throw new InputError(
      `step must be so long that the range has at most ${MAX_GRID} rows, got ${count} for ${formatDuration(step)}`,
    )
  const times = new Float64Array(count)
  for (let i = 0; i < count; i++) times[i] = first + i * step
  return times
}

/**
 * For each time the last row at or before it that is younger than `window`, else -1. `times` may jump, as a loop does.
 */
export function rowsAt(series: Series, times: Float64Array, window: number): Int32Array {
  const rows = new Int32Array(times.length)
  let row = times.length > 0 ? rowAt(series.times, times[0]) : 0
  for (let i = 0; i < times.length; i++) {
    const time = times[i]
    if (i > 0 && time < times[i - 1]) row = rowAt(series.times, time)
    while (row < series.times.length && series.times[row] <= time) row++
    rows[i] = row > 0 && series.times[row - 1] > time - window ? row - 1 : -1
  }
  return rows
}

/** How long a row stands: until the next is due, or for one step of the question when that is longer. */
export function windowOf(series: Series, step: number): number {
  return Number.isNaN(series.step) ? step : Math.max(step, series.step)
}

/** Values of the last known cell at or before each time and within `window`, NaN where there is none. */
export function valuesAt(
  series: Series,
  column: Float64Array,
  times: Float64Array,
  rows: Int32Array,
  window: number,
): Float64Array {
  const values = new Float64Array(times.length)
  for (let i = 0; i < times.length; i++) {
    let row = rows[i]
    while (row > 0 && Number.isNaN(column[row]) && series.times[row - 1] > times[i] - window) row--
    values[i] = row >= 0 ? column[row] : NaN
  }
  return values
}

/** One frame over `shown` with the values that the series has at `looked` (the same grid, shifted when it is a replay). */
export function frameOf(
  series: Series,
  column: string,
  labels: Labels,
  shown: Float64Array,
  looked: Float64Array,
  rows: Int32Array,
  window: number,
): Frame<'value'> {
  return { labels, times: shown, columns: { value: valuesAt(series, series.columns[column], looked, rows, window) } }
}
