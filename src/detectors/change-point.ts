import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { logGamma } from '../math/log-gamma.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  every: z.number().min(2).default(250).describe('rows from one change to the next, on average: the prior'),
  recent: z.number().int().min(1).max(200).default(10).describe('a change within so many rows counts as now'),
  runs: z.number().int().min(10).max(1000).default(40).describe('run lengths that are kept, 40 bytes each'),
  clip: z.number().positive().default(5).describe('a row is taken as at most so many deviations from the likeliest run'),
  band: z.number().positive().default(4).describe('half width of the band in deviations'),
})

/** Rows that say what values are usual at all: the prior of every new run. */
const WARM_UP = 50
/** Of the mean: smaller deviations are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps scores below 1,000. */
const SEEN_FLOOR = 0.001
/** Log probability below which a run length is forgotten. */
const LEAST = Math.log(1e-8)
/** A run longer than this learns as if it had so many rows, so that it follows slowly. */
const MOST_ROWS = 2000
/** Shape of the prior of a run: one row's worth of mean and of variance. */
const PRIOR_ROWS = 1

/** What of the log density depends on the rows of the run alone, by their number. */
const CONSTANTS = Float64Array.from({ length: MOST_ROWS + 1 }, (_, n) => {
  const freedom = n + PRIOR_ROWS
  return logGamma((freedom + 1) / 2) - logGamma(freedom / 2) - 0.5 * Math.log(freedom * Math.PI)
})

/**
 * Bayesian online change point detection (Adams & MacKay 2007, algorithm 1) with constant hazard and normal runs of unknown mean and variance
 * (normal-inverse-gamma; Murphy 2007, section 3), the least likely run lengths pruned. The score is the larger of two, in deviations: the row's
 * distance from the mean of the likeliest run, and √(2·log Bayes factor) of "a change within the last `recent` rows" against "none".
 * Departures: rows are clipped before they are learned. A series with a tide changes all day: take the tide out first.
 */
export const changePoint = component({
  type: 'change-point',
  summary:
    'Changes of the level or the variance, by the probability that a new run of rows has begun; for series without a tide.',
  config,
  create: options => fromStream({ lookback: DAY, open: snapshot => openChangePoint(options, snapshot) }),
  examples: [{}, { every: 1000, recent: 5, runs: 20 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  count: number
  /** First rows, until the prior is known; then empty. */
  first: Float64Array
  centre: number
  unit: number
  /** Run lengths kept, and for each: age in rows, log probability, rows learned, mean and sum of squares about it (in units). */
  kept: number
  ages: Float64Array
  logs: Float64Array
  rows: Float64Array
  means: Float64Array
  squares: Float64Array
}

function openChangePoint({ every, recent, runs, clip, band }: z.output<typeof config>, snapshot?: State): Stream {
  const column = () => new Float64Array(runs + 1)
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          count: 0,
          first: new Float64Array(WARM_UP),
          centre: 0,
          unit: 1,
          kept: 0,
          ages: column(),
          logs: column(),
          rows: column(),
          means: column(),
          squares: column(),
        }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const logChange = Math.log(1 / every)
  const logStay = Math.log(1 - 1 / every)
  const next = new Float64Array(runs + 1)
  /** The row that `next` was weighed for; NaN once runs have moved. */
  let weighed = NaN

  const varianceOf = (run: number) => (m.squares[run] + PRIOR_ROWS) / (m.rows[run] + PRIOR_ROWS)

  /** Log density of the row under a run: Student's t. */
  function density(run: number, z: number): number {
    const n = m.rows[run]
    const freedom = n + PRIOR_ROWS
    const spread = varianceOf(run) * (1 + 1 / (n + PRIOR_ROWS))
    const off = z - m.means[run]
    return CONSTANTS[n] - 0.5 * Math.log(spread) - ((freedom + 1) / 2) * Math.log1p((off * off) / (freedom * spread))
  }

  function likeliest(): number {
    let best = 0
    for (let run = 1; run < m.kept; run++) if (m.logs[run] > m.logs[best]) best = run
    return best
  }

  /** √(2·log Bayes factor) for a change within the recent rows, after the row; 0 where the odds speak against it. */
  function evidence(logs: Float64Array): number {
    let young = 0
    let old = 0
    for (let run = 0; run < m.kept; run++)
      if (m.ages[run] < recent) young += Math.exp(logs[run])
      else old += Math.exp(logs[run])
    if (old === 0 && young === 0) return 0
    const prior = Math.log(Math.expm1(-recent * logStay))
    return Math.sqrt(2 * Math.max(0, Math.log(Math.max(young, 1e-300) / Math.max(old, 1e-300)) - prior))
  }

  /** Log probabilities of all runs after one more row, into `next`, normalised. */
  function weigh(z: number): void {
    if (z === weighed) return
    weighed = z
    let most = -Infinity
    for (let run = 0; run < m.kept; run++) {
      next[run] = m.logs[run] + density(run, z)
      most = Math.max(most, next[run])
    }
    let sum = 0
    for (let run = 0; run < m.kept; run++) sum += Math.exp(next[run] - most)
    for (let run = 0; run < m.kept; run++) next[run] -= most + Math.log(sum)
  }

  const scaleOf = (run: number) =>
    Math.max(m.unit * Math.sqrt(varianceOf(run)), FLOOR * Math.abs(m.centre + m.unit * m.means[run]), 1e-12)

  /** The row in units, at most `clip` deviations from the likeliest run. */
  function toUnit(x: number, run: number): number {
    const most = (clip * Math.max(scaleOf(run), SEEN_FLOOR * Math.abs(x))) / m.unit
    return clamp((x - m.centre) / m.unit, m.means[run] - most, m.means[run] + most)
  }

  function learnRow(z: number): void {
    weigh(z)
    weighed = NaN
    for (let run = 0; run < m.kept; run++) {
      m.logs[run] = next[run] + logStay
      const n = m.rows[run]
      const gain = 1 / (n + PRIOR_ROWS + 1)
      const off = z - m.means[run]
      m.means[run] += gain * off
      if (n < MOST_ROWS) {
        m.rows[run] = n + 1
        m.squares[run] += (1 - gain) * off * off
      } else m.squares[run] += off * off * (1 - gain) - m.squares[run] / (n + PRIOR_ROWS)
      m.ages[run] = Math.min(m.ages[run] + 1, 1e9)
    }
    prune()
    const run = m.kept++
    m.ages[run] = 0
    m.logs[run] = logChange
    m.rows[run] = 0
    m.means[run] = 0
    m.squares[run] = 0
  }

  /** Keeps room for a new run: forgets all hardly likely ones, and the least likely one when there are still too many. */
  function prune(): void {
    let kept = 0
    let least = 0
    for (let run = 0; run < m.kept; run++) {
      if (m.logs[run] < LEAST) continue
      move(run, kept)
      if (m.logs[kept] < m.logs[least]) least = kept
      kept++
    }
    m.kept = kept
    if (kept < runs) return
    for (let run = least + 1; run < kept; run++) move(run, run - 1)
    m.kept--
  }

  function move(from: number, to: number): void {
    for (const values of [m.ages, m.logs, m.rows, m.means, m.squares]) values[to] = values[from]
  }

  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.first.length > 0) return judgement
      const run = likeliest()
      const expected = m.centre + m.unit * m.means[run]
      const margin = band * scaleOf(run)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (!isMeasured(x)) return judgement
      weigh(toUnit(x, run))
      const distance = Math.abs(x - expected) / Math.max(scaleOf(run), SEEN_FLOOR * Math.abs(x))
      judgement.score = Math.max(distance, evidence(next))
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      if (m.first.length === 0) return learnRow(toUnit(x, likeliest()))
      m.first[m.count++] = x
      if (m.count < WARM_UP) return
      const { first } = m
      m.centre = median(first)
      m.unit = Math.max(mad(first), FLOOR * Math.abs(m.centre), 1e-9)
      m.first = new Float64Array(0)
      m.kept = 1
      for (const value of first) learnRow(toUnit(value, likeliest()))
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
