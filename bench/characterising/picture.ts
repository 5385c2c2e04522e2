import { plotSvg } from '../../src/cli/plot.ts'
import type { Detector, Scores } from '../../src/detectors/detector.ts'
import { DAY, HOUR, MINUTE, WEEK } from '../../src/duration.ts'
import type { TimeRange } from '../../src/frame/frame.ts'
import type { Examination } from '../../src/pipeline/examine.ts'
import { examine } from '../../src/pipeline/examine.ts'
import { budget } from '../../src/rules/budget.ts'
import { USUAL } from '../protocols/operators.ts'
import { COLUMNS, disturb, makeTides, withDisturbances } from './tides.ts'

/** What happens in the picture: one thing a day, at this hour. */
const EVENTS = [
  { kind: 'spike', hour: 9 },
  { kind: 'level shift', hour: 13 },
  { kind: 'season amplitude', hour: 2 },
  { kind: 'missing', hour: 12 },
] as const
/** Times the limit where the second panel ends. */
const MOST = 3
/** Rows drawn are these apart, so that the file stays small. */
const STEP = 15 * MINUTE
/** The column with the anomalies, where there are several. */
const ODD = 2

/** Four days with one strong anomaly each: the series with band and anomalies, and the score as a multiple of the limit. */
export function drawPicture(type: string, detector: Detector, { width, tidal }: { width: number; tidal: boolean }): string {
  const tides = makeTides('heavy', 5, { width, tidal }, { step: STEP, length: 2 * WEEK + 5 * DAY, train: 2 * WEEK })
  const column = width > 1 ? ODD : 0
  const { times, trainRows } = tides
  const events = EVENTS.filter(({ kind }) => tidal || kind !== 'season amplitude')
  const odd = events.map(({ kind, hour }, day) =>
    disturb(tides, kind, 'strong', column, trainRows + (day * DAY + hour * HOUR) / STEP, day),
  )
  const columns = withDisturbances(tides, odd)
  const frame = { labels: {}, times, columns: Object.fromEntries(columns.map((values, c) => [`c${c}`, values])) }
  const rule = budget.create(budget.config.parse({ ...USUAL, minimum: 0 }))
  const [whole] = examine(frame, [{ name: type, detector, rule }], [], STEP)
  const shown = lastRows(whole!, trainRows)
  const marks = odd.map(({ first, values }) => ({ start: times[first], end: times[first + values.length] }))
  const title = width > 1 ? `one of ${COLUMNS} columns` : 'series'
  return plotSvg([
    {
      title: `${title}: ${events.map(({ kind }) => kind).join(', ')}`,
      marks,
      examination: ofColumn(shown, columns[column], column),
    },
    { title: `score, as a multiple of the limit (cut at ${MOST})`, marks, examination: ofStrength(shown) },
  ])
}

function lastRows({ detector, scores, strength, anomalies }: Examination, from: number): Examination {
  const times = scores.times.subarray(from)
  const columns = Object.fromEntries(Object.entries(scores.columns).map(([name, column]) => [name, column.subarray(from)]))
  return {
    detector,
    scores: { labels: {}, times, columns: columns as Scores['columns'] },
    strength: strength.subarray(from),
    anomalies: anomalies.filter(({ end }: TimeRange) => end > times[0]),
  }
}

/** Value and band of the strangest column jump from one to the next: only where it is this one are they drawn. */
function ofColumn({ scores, ...rest }: Examination, whole: Float64Array, column: number): Examination {
  const { channel } = scores.columns
  if (!channel) return { scores, ...rest }
  const own = (values: Float64Array) => values.map((value, i) => (channel[i] === column ? value : NaN))
  const { expected, lower, upper } = scores.columns
  const columns = {
    ...scores.columns,
    value: whole.subarray(whole.length - scores.times.length),
    expected: own(expected),
    lower: own(lower),
    upper: own(upper),
  }
  return { ...rest, scores: { ...scores, columns } }
}

/** The strengths as a series of their own, with what is calm as the band. */
function ofStrength({ detector, scores, strength, anomalies }: Examination): Examination {
  const all = (level: number) => new Float64Array(strength.length).fill(level)
  const value = strength.map(one => Math.min(one, MOST))
  const columns = { score: value, value, expected: all(NaN), lower: all(0), upper: all(1) }
  return {
    detector,
    scores: { labels: {}, times: scores.times, columns },
    strength,
    anomalies: anomalies.map(anomaly => ({ ...anomaly, current: Math.min(anomaly.strength, MOST) })),
  }
}
