import type { Labels } from '../anomaly.ts'
import { InputError } from '../errors.ts'

/**
 * Named columns over one time axis. Times ascend strictly, epoch ms; a gap is NaN, and a value may be infinite where the source said so.
 * Plain data: clonable, transferable, drawable. Nobody writes into a frame they were given.
 */
export interface Frame<Column extends string = string> {
  readonly labels: Labels
  readonly times: Float64Array
  readonly columns: Readonly<Record<Column, Float64Array>>
  /**
   * 1 for each row that is NaN because the source sent a sample and that sample was "not a number"; 0 for the others. Absent when there is no
   * such row. It separates a series that reports NaN from a series that is missing; only a frame of a source has it.
   */
  readonly notANumber?: Uint8Array
}

/** Half open: start ≤ t < end, epoch ms. */
export interface TimeRange {
  readonly start: number
  readonly end: number
}

/** Makes a one-column frame (`value`); throws `InputError` when lengths differ or times do not ascend. Does not copy typed arrays. */
export function fromValues(times: ArrayLike<number>, values: ArrayLike<number>, labels: Labels = {}): Frame<'value'> {
  return checkFrame({ labels, times: toFloat64(times), columns: { value: toFloat64(values) } })
}

/** Returns the frame, or throws `InputError` when it breaks the contract. */
export function checkFrame<Column extends string>(frame: Frame<Column>): Frame<Column> {
  const { times, columns } = frame
  for (const [name, column] of Object.entries<Float64Array>(columns))
    if (column.length !== times.length)
      throw new InputError(`column ${name} must have ${times.length} values like times, got ${column.length}`)
  if (frame.notANumber && frame.notANumber.length !== times.length)
    throw new InputError(`notANumber must have ${times.length} marks like times, got ${frame.notANumber.length}`)
  for (let i = 0; i < times.length; i++) {
    if (!Number.isFinite(times[i])) throw new InputError(`times must be finite, got ${times[i]} at row ${i}`)
    if (i > 0 && times[i] <= times[i - 1])
      throw new InputError(`times must ascend strictly, got ${times[i]} after ${times[i - 1]} at row ${i}`)
  }
  return frame
}

/** First row whose time is at or after `time` (0 … n). */
export function rowAt(times: Float64Array, time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle] < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Rows of the range; shares memory with the frame (read-only by contract). */
export function slice<Given extends Frame>(frame: Given, range: TimeRange): Given {
  const from = rowAt(frame.times, range.start)
  const to = rowAt(frame.times, range.end)
  const columns = Object.fromEntries(
    Object.entries<Float64Array>(frame.columns).map(([name, column]) => [name, column.subarray(from, to)]),
  )
  const marks = frame.notANumber && { notANumber: frame.notANumber.subarray(from, to) }
  return { ...frame, times: frame.times.subarray(from, to), columns, ...marks }
}

/** Rows of `a` before the first row of `b`, then all of `b`: later data wins. Both must have the same columns. */
export function concat<Given extends Frame>(a: Given, b: Given): Given {
  if (b.times.length === 0) return a
  const keep = rowAt(a.times, b.times[0])
  if (keep === 0) return b
  const join = (x: Float64Array, y: Float64Array) => {
    const out = new Float64Array(keep + y.length)
    out.set(x.subarray(0, keep))
    out.set(y, keep)
    return out
  }
  const columns = Object.fromEntries(Object.keys(b.columns).map(name => [name, join(a.columns[name], b.columns[name])]))
  const marks = new Uint8Array(keep + b.times.length)
  if (a.notANumber) marks.set(a.notANumber.subarray(0, keep))
  if (b.notANumber) marks.set(b.notANumber, keep)
  return { ...b, times: join(a.times, b.times), columns, ...((a.notANumber ?? b.notANumber) && { notANumber: marks }) }
}

/** Puts rows on the grid of multiples of `step` in the range; a grid point without a row is NaN. Rows off the grid are left out. */
export function align<Column extends string>(frame: Frame<Column>, range: TimeRange, step: number): Frame<Column> {
  const first = Math.ceil(range.start / step) * step
  const count = Math.max(0, Math.ceil((range.end - first) / step))
  const times = Float64Array.from({ length: count }, (_, i) => first + i * step)
  const columns = Object.fromEntries(Object.keys(frame.columns).map(name => [name, new Float64Array(count).fill(NaN)])) as Record<
    Column,
    Float64Array
  >
  const marks = frame.notANumber && new Uint8Array(count)
  for (let i = rowAt(frame.times, first); i < frame.times.length; i++) {
    const at = (frame.times[i] - first) / step
    if (at >= count) break
    if (!Number.isInteger(at)) continue
    for (const name of Object.keys(columns)) columns[name as Column][at] = frame.columns[name as Column][i]
    if (marks) marks[at] = frame.notANumber![i]
  }
  return { labels: frame.labels, times, columns, ...(marks && { notANumber: marks }) }
}

function toFloat64(values: ArrayLike<number>): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values)
}
