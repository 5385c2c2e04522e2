import type { Detector, Scores, State, Stream } from '../../src/detectors/detector.ts'
import { MINUTE, WEEK } from '../../src/duration.ts'
import { budget } from '../../src/rules/budget.ts'
import type { Kind, Noise, Strength } from '../data/synthetic.ts'
import { KINDS, NOISES, STRENGTHS } from '../data/synthetic.ts'
import { APART, USUAL } from '../protocols/operators.ts'
import type { Disturbance, Kindred, Tides } from './tides.ts'
import { disturb, makeTides, pickPlaces } from './tides.ts'

/** Series of each noise, and places in each where every anomaly is tried. */
export const SEEDS = [1, 2]
export const PLACES = 3
/** Rows behind an anomaly in which an alert still counts: some detectors speak only at the end of a block of rows. */
const GRACE = 3

/** What can be wrong with a series with or without a tide. */
export function anomaliesOf({ tidal }: Kindred): Kind[] {
  return KINDS.filter(kind => kind !== 'calm' && (tidal || !kind.startsWith('season')))
}

/** One kind of anomaly at one strength under one noise. */
export interface Finding {
  readonly kind: Kind
  readonly strength: Strength
  readonly noise: Noise
  /** Share of those tried. */
  readonly found: number
  /** Minutes from the start of the anomaly to the alert, median of those found; NaN without one. */
  readonly delay: number
}

export interface Findings {
  readonly all: readonly Finding[]
  /** By noise: alerts a week where there is nothing to find. */
  readonly falseAlarms: Readonly<Record<Noise, number>>
}

type Open = NonNullable<Detector['open']>
/** The usual budget, judging from the first score on, whatever the size of scores. */
const RULE = budget.create(budget.config.parse({ ...USUAL, minimum: 0 }))

/**
 * What a detector finds at the usual budget of one false alarm a week. It goes through each series once; anomalies are tried from snapshots of the
 * stream and of the rule on the way, so that all of them meet the same past.
 */
export function findAll(open: Open, kindred: Kindred): Findings {
  const kinds = anomaliesOf(kindred)
  const tries: { of: Disturbance; noise: Noise; delay: number }[] = []
  const falseAlarms = Object.fromEntries(NOISES.map(noise => [noise, 0])) as Record<Noise, number>
  for (const noise of NOISES)
    for (const seed of SEEDS) {
      const tides = makeTides(noise, seed, kindred)
      const { trainRows, times, step } = tides
      const calm = follow(open, tides, pickPlaces(tides, seed, PLACES))
      const weeks = (SEEDS.length * (times.length - trainRows) * step) / WEEK
      falseAlarms[noise] += alertRows(calm.strength).filter(row => row >= trainRows).length / weeks
      for (const [k, start] of calm.starts.entries())
        for (const kind of kinds)
          for (const strength of STRENGTHS) {
            const of = disturb(tides, kind, strength, (seed + k) % kindred.width, start.row, 10 * seed + k)
            tries.push({ of, noise, delay: tryOne(open, tides, of, start, calm.strength) })
          }
    }
  const all = kinds.flatMap(kind =>
    STRENGTHS.flatMap(strength =>
      NOISES.map(noise => {
        const these = tries.filter(one => one.of.kind === kind && one.of.strength === strength && one.noise === noise)
        const delays = these.map(({ delay }) => delay).filter(delay => !Number.isNaN(delay))
        delays.sort((a, b) => a - b)
        const delay = (delays[delays.length >> 1] ?? NaN) / MINUTE
        return { kind, strength, noise, found: delays.length / these.length, delay }
      }),
    ),
  )
  return { all, falseAlarms }
}

/** Where to go on from: the row that comes next, and what stream and rule know before it. */
interface Start {
  readonly row: number
  readonly stream: State
  readonly rule: State | undefined
}

/** Goes through all rows without an anomaly and takes a snapshot at each of these places. */
function follow(open: Open, { times, columns }: Tides, places: readonly number[]): { strength: Float64Array; starts: Start[] } {
  const stream = open()
  const strength = new Float64Array(times.length)
  const starts: Start[] = []
  let rule: State | undefined
  let from = 0
  for (const to of [...places, times.length]) {
    const alarms = step(stream, times, columns, from, to)
    const verdict = RULE.judge(asScores(times.subarray(from, to), alarms), rule)
    strength.set(verdict.strength, from)
    rule = verdict.state
    from = to
    if (to < times.length) starts.push({ row: to, stream: stream.snapshot(), rule })
  }
  return { strength, starts }
}

/** ms from the start of the anomaly to the alert; NaN without one. An alarm that was there before is none. */
function tryOne(open: Open, tides: Tides, { column, values }: Disturbance, start: Start, before: Float64Array): number {
  const { times } = tides
  const to = Math.min(times.length, start.row + values.length + GRACE)
  const columns = tides.columns.map(own => own.subarray(start.row, to))
  columns[column] = Float64Array.from(columns[column], (value, i) => (i < values.length ? values[i] : value))
  const own = times.subarray(start.row, to)
  const alarms = step(open(start.stream), own, columns, 0, own.length)
  const strength = RULE.judge(asScores(own, alarms), start.rule).strength
  const lead = before.subarray(start.row - APART - 1, start.row)
  const [row] = alertRows(Float64Array.of(...lead, ...strength)).filter(row => row >= lead.length)
  return row === undefined ? NaN : own[row - lead.length] - own[0]
}

/** What a rule judges of these rows. */
function step(stream: Stream, times: Float64Array, columns: readonly Float64Array[], from: number, to: number): Float64Array {
  const row = new Float64Array(columns.length)
  const alarms = new Float64Array(to - from)
  for (let i = from; i < to; i++) {
    for (let c = 0; c < row.length; c++) row[c] = columns[c][i]
    const { alarm, score } = stream.score(times[i], row)
    alarms[i - from] = alarm ?? score
    stream.learn(times[i], row)
  }
  return alarms
}

/** Rows at which somebody is told: the first strange row after `APART` others. */
function alertRows(strength: Float64Array): number[] {
  const rows: number[] = []
  let last = -Infinity
  for (let i = 0; i < strength.length; i++) {
    if (!(strength[i] >= 1)) continue
    if (i - last > APART) rows.push(i)
    last = i
  }
  return rows
}

function asScores(times: Float64Array, score: Float64Array): Scores {
  const unknown = new Float64Array(times.length).fill(NaN)
  return { labels: {}, times, columns: { score, value: unknown, expected: unknown, lower: unknown, upper: unknown } }
}
