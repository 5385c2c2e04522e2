import type { Scores } from '../detectors/detector.ts'

/**
 * Rows to draw when there are more than `most`: of each of equally long groups the lowest, the highest and the strangest, in order of time,
 * so that no spike is lost. A group without values gives its first row, so that gaps stay gaps. At most `most` rows, never fewer than one.
 */
export function thinRows(scores: Scores, most: number): number[] {
  const { times, columns } = scores
  if (times.length <= most) return Array.from(times, (_, row) => row)
  const groups = Math.max(1, Math.floor(most / 3))
  const rows: number[] = []
  for (let group = 0; group < groups; group++) {
    const from = Math.floor((group * times.length) / groups)
    const to = Math.floor(((group + 1) * times.length) / groups)
    const kept = new Set([
      extreme(columns.value, from, to, -1),
      extreme(columns.value, from, to, 1),
      extreme(columns.score, from, to, 1),
    ])
    rows.push(...[...kept].sort((a, b) => a - b))
  }
  return rows.slice(0, most)
}

/** Row of the largest (`sign` 1) or smallest (-1) finite value; the first row when there is none. */
function extreme(values: Float64Array, from: number, to: number, sign: 1 | -1): number {
  let best = from
  for (let i = from + 1; i < to; i++)
    if (Number.isFinite(values[i]) && !(sign * values[i] <= sign * values[best] && Number.isFinite(values[best]))) best = i
  return best
}
