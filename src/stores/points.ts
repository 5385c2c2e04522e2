import type { Scores } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'
import { concat, slice, type TimeRange } from '../frame/frame.ts'

export const COLUMNS = ['score', 'value', 'expected', 'lower', 'upper'] as const

/** Numbers of 32 bits that are nearer to zero have fewer digits. */
const SMALLEST = 2 ** -126

/** Stored rows outside the range, and the new ones inside it; shares no memory with either. */
export function replaceRows(stored: Scores | undefined, found: Scores, range: TimeRange): Scores {
  // Of what a detector says beyond the five columns nothing is stored.
  const scores = roundScores(copyScores(slice(found, range)))
  if (!stored) return scores
  const after = slice(stored, { start: range.end, end: Infinity })
  const before = slice(stored, { start: -Infinity, end: range.start })
  return copyScores(concat(concat(before, scores), after))
}

/** In place: seven digits are enough for a chart, and bytes that are zero take no room in a file. */
function roundScores(scores: Scores): Scores {
  for (const name of COLUMNS) {
    const column = scores.columns[name]
    for (let i = 0; i < column.length; i++) column[i] = roundValue(column[i])
  }
  return scores
}

/** The nearest number of 32 bits, where there is one with as many digits. */
function roundValue(value: number): number {
  const rounded = Math.fround(value)
  return Math.abs(rounded) >= SMALLEST && Math.abs(rounded) < Infinity ? rounded : value
}

export function copyScores({ labels, times, columns }: Scores): Scores {
  return { labels, times: times.slice(), columns: fromColumns(name => columns[name].slice()) }
}

/** Rows of parts that are in order of time and do not overlap; undefined when there are none. */
export function joinRows(labels: Scores['labels'], parts: readonly Scores[]): Scores | undefined {
  const rows = parts.reduce((total, { times }) => total + times.length, 0)
  if (rows === 0) return undefined
  const times = new Float64Array(rows)
  const columns = fromColumns(() => new Float64Array(rows))
  let at = 0
  for (const part of parts) {
    times.set(part.times, at)
    for (const name of COLUMNS) columns[name].set(part.columns[name], at)
    at += part.times.length
  }
  return { labels, times, columns }
}

/** The rows of a chunk of the first schema: times, then the five columns, 48 bytes a row in the machine's order. */
export function decodeRows(labels: Scores['labels'], chunk: Uint8Array): Scores {
  if (chunk.byteLength % 48 !== 0) throw new StoreError(`points must have 48 bytes a row, got ${chunk.byteLength} bytes`)
  const values = new Float64Array(chunk.slice().buffer)
  const rows = values.length / 6
  let at = 0
  const next = () => values.slice(rows * at, rows * ++at)
  return { labels, times: next(), columns: fromColumns(next) }
}

export function fromColumns(make: (name: (typeof COLUMNS)[number]) => Float64Array): Scores['columns'] {
  return { score: make('score'), value: make('value'), expected: make('expected'), lower: make('lower'), upper: make('upper') }
}
