import type { Scores } from '../detectors/detector.ts'
import { concat, slice, type TimeRange } from '../frame/frame.ts'

const COLUMNS = ['score', 'value', 'expected', 'lower', 'upper'] as const

/** Stored rows outside the range, and the new ones inside it; shares no memory with either. */
export function replaceRows(stored: Scores | undefined, found: Scores, range: TimeRange): Scores {
  // Of what a detector says beyond the five columns nothing is stored.
  const scores = copyScores(slice(found, range))
  if (!stored) return scores
  const after = slice(stored, { start: range.end, end: Infinity })
  const before = slice(stored, { start: -Infinity, end: range.start })
  return copyScores(concat(concat(before, scores), after))
}

export function copyScores({ labels, times, columns }: Scores): Scores {
  return { labels, times: times.slice(), columns: fromColumns(name => columns[name].slice()) }
}

/** Rows `from` to `to` as bytes: times, then the five columns, 48 bytes a row in the machine's order. */
export function encodeRows({ times, columns }: Scores, from: number, to: number): Uint8Array {
  const rows = to - from
  const out = new Float64Array(rows * 6)
  out.set(times.subarray(from, to))
  for (let i = 0; i < COLUMNS.length; i++) out.set(columns[COLUMNS[i]].subarray(from, to), rows * (i + 1))
  return new Uint8Array(out.buffer)
}

/** The rows of chunks in order of time. */
export function decodeRows(labels: Scores['labels'], chunks: readonly Uint8Array[]): Scores {
  const rows = chunks.reduce((total, chunk) => total + chunk.byteLength / 48, 0)
  const times = new Float64Array(rows)
  const columns = fromColumns(() => new Float64Array(rows))
  let at = 0
  for (const chunk of chunks) {
    const values = new Float64Array(chunk.slice().buffer)
    const count = values.length / 6
    times.set(values.subarray(0, count), at)
    for (let i = 0; i < COLUMNS.length; i++) columns[COLUMNS[i]].set(values.subarray(count * (i + 1), count * (i + 2)), at)
    at += count
  }
  return { labels, times, columns }
}

function fromColumns(make: (name: (typeof COLUMNS)[number]) => Float64Array): Scores['columns'] {
  return { score: make('score'), value: make('value'), expected: make('expected'), lower: make('lower'), upper: make('upper') }
}
