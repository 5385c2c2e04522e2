import { clearContributions, contributionOf } from './contributions.ts'
import type { Detector, Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

/**
 * A detector of one column for frames of many: a stream per column, and each row is as strange as its strangest column, whose value and
 * band it carries, with its place as `channel`; its alarm is the highest of all columns. Undecided only while every column is. A column contributes
 * the square of its alarm, or of its score where there is no alarm: so the largest contribution is that of `channel`, unless a smoothed score
 * still speaks of another column than the alarm. Throws `TypeError` when the detector has no stream.
 */
export function perColumn(detector: Detector): Detector {
  const { open, lookback } = detector
  if (!open) throw new TypeError('detector must have a stream to run per column')
  return fromStream({ lookback, multivariate: true, takesColumns: true, open: snapshot => openPerColumn(open, snapshot) })
}

/** A stream per column of the rows; see `perColumn`. */
export function openPerColumn(open: (snapshot?: State) => Stream, snapshot?: State): Stream {
  const streams = snapshot?.version === 1 ? (snapshot.streams as State[]).map(state => open(state)) : []
  const cell = new Float64Array(1)
  const unknown: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  return {
    score(time, row) {
      let strangest = unknown
      const contributions = clearContributions(unknown, row.length)
      let alarm = NaN
      unknown.value = row[0] ?? NaN
      for (let c = 0; c < row.length; c++) {
        cell[0] = row[c]
        const judgement = (streams[c] ?? open()).score(time, cell)
        if (judgement.alarm !== undefined && !(judgement.alarm <= alarm))
          alarm = Number.isNaN(judgement.alarm) ? alarm : judgement.alarm
        if (contributions) contributions[c] = contributionOf(judgement.alarm ?? judgement.score)
        if (!(judgement.score <= strangest.score) && !(Number.isNaN(judgement.score) && strangest !== unknown)) {
          strangest = judgement
          strangest.channel = c
        }
      }
      if (strangest.alarm !== undefined) strangest.alarm = alarm
      if (contributions) strangest.contributions = contributions
      return strangest
    },
    learn(time, row) {
      for (let c = 0; c < row.length; c++) {
        cell[0] = row[c]
        streams[c] ??= open()
        streams[c].learn(time, cell)
      }
    },
    snapshot: () => ({ version: 1, streams: streams.map(stream => stream.snapshot()) }),
  }
}
