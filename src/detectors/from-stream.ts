import type { Frame, TimeRange } from '../frame/frame.ts'
import { rowAt } from '../frame/frame.ts'
import { isBeyondMeasure } from '../math/is-measured.ts'
import type { Detector, Judgement, MissingData, Models, Scores, State, Stream } from './detector.ts'

/** Makes a detector of a stream: the batch is the stream, gone through once. */
export function fromStream(options: {
  readonly lookback: number
  readonly multivariate?: boolean
  readonly takesColumns?: boolean
  readonly fewestColumns?: number
  readonly missingData?: MissingData
  readonly open: (snapshot?: State, models?: Models) => Stream
  readonly fit?: Detector['fit']
}): Detector {
  const { lookback, multivariate = false, takesColumns = false, fewestColumns = 1, missingData, open, fit } = options
  return {
    lookback,
    multivariate,
    takesColumns,
    fewestColumns,
    causal: true,
    open,
    ...(fit ? { fit } : {}),
    ...(missingData ? { missingData } : {}),
    detect: (input, range) => runStream(open(), input, range),
  }
}

/** Goes through the rows before the end of the range, teaching all of them and keeping what is said of those inside the range. */
export function runStream(stream: Stream, input: Frame, range: TimeRange): Scores {
  const { times } = input
  const columns = Object.values(input.columns)
  const from = rowAt(times, range.start)
  const to = rowAt(times, range.end)
  const size = Math.max(0, to - from)
  const value = new Float64Array(size)
  const score = new Float64Array(size)
  const expected = new Float64Array(size)
  const lower = new Float64Array(size)
  const upper = new Float64Array(size)
  const channel = columns.length > 1 ? new Float64Array(size) : undefined
  const row = new Float64Array(columns.length).fill(NaN)
  // Asked of an unknown row, since even a range without rows has the columns of its stream.
  const unknown = stream.score(times[0] ?? 0, row)
  const alarm = unknown.alarm === undefined ? undefined : new Float64Array(size)
  const shares = columns.length > 1 && unknown.contributions ? columns.map(() => new Float64Array(size).fill(NaN)) : []
  /** To a detector such a column is unknown, and what it says of the others is of no use; the rule judges it without a score. */
  const pointAt = (column: number, x: number, at: number) => {
    value[at] = x
    score[at] = expected[at] = lower[at] = upper[at] = NaN
    if (alarm) alarm[at] = NaN
    channel![at] = column
    shares.forEach((share, c) => (share[at] = c === column ? 1 : 0))
  }
  for (let i = 0; i < to; i++) {
    for (let c = 0; c < columns.length; c++) row[c] = columns[c][i]
    if (i >= from) {
      const judgement = stream.score(times[i], row)
      const at = i - from
      score[at] = judgement.score
      value[at] = judgement.value
      expected[at] = judgement.expected
      lower[at] = judgement.lower
      upper[at] = judgement.upper
      if (channel) channel[at] = judgement.channel ?? NaN
      if (alarm) alarm[at] = judgement.alarm ?? NaN
      if (shares.length > 0) writeShares(shares, at, judgement)
      const beyond = channel ? row.findIndex(isBeyondMeasure) : -1
      if (beyond >= 0) pointAt(beyond, row[beyond], at)
    }
    stream.learn(times[i], row)
  }
  const said = {
    score,
    value,
    expected,
    lower,
    upper,
    ...(channel ? { channel } : {}),
    ...(alarm ? { alarm } : {}),
    ...Object.fromEntries(shares.map((share, c) => [`share${c}` as const, share])),
  }
  return { labels: input.labels, times: times.slice(from, to), columns: said }
}

/** Writes each column's part of all contributions into row `at`; leaves it as it is when the score is unknown or nothing was added. */
function writeShares(shares: readonly Float64Array[], at: number, { score, contributions }: Judgement): void {
  if (Number.isNaN(score) || !contributions) return
  let most = 0
  for (const added of contributions) if (added > most) most = added
  if (most === 0) return
  // Relative to the largest, because the sum of very large numbers is no number.
  let sum = 0
  for (const added of contributions) sum += added / most
  for (let c = 0; c < shares.length; c++) shares[c][at] = contributions[c] / most / sum
}
