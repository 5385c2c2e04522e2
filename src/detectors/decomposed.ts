import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import type { RunningScale } from '../math/running-scale.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import type { Judgement, State, Stream } from './detector.ts'
import type { SeasonSlots } from './season-slots.ts'
import { addToSlots, atPhase, emptySlots, SLOTS, wholeSeasons } from './season-slots.ts'

/** How a decomposition is kept up to date and asked. */
export interface DecomposedOptions {
  /** Periods in ms, ascending, each a multiple of the first. */
  readonly seasons: readonly number[]
  /** Seasons of the first period that are decomposed. */
  readonly keep: number
  /** Seasons of the first period between decompositions. */
  readonly every: number
  readonly band: number
  /** Components by period (in values, ascending; those that fit into the values), and what is left of them. */
  decompose(values: Float64Array, periods: readonly number[]): { seasonals: Float64Array[]; trend: Float64Array }
}

/** Rows that a scale is learned from before it judges. */
const FIRST = 20
/** A season is used when the remainder's spread is below this share of the spread of season and remainder: strength above 0.4 (Wang, Smith & Hyndman 2006). */
const WEAK = Math.sqrt(0.6)
const FLOOR = 0.005
const CLIP = 2.5

interface Memory extends Record<string, unknown> {
  version: 1
  slots: SeasonSlots
  /** Seasons seen, and the mean cycle of each component; NaN while undecided or too weak to use. */
  ended: number
  fitted: boolean
  cycles: Float64Array[]
  residual: RunningScale
  last: number
  /** The smallest change seen: less is no noise. */
  resolution: number
  time: number
  step: number
  /** The present run of errors on one side. */
  runStart: number
  runSum: number
  runCount: number
}

/** Mean over the cycles by place in the season, counted from the epoch: one cycle, at the end of a loess, is mostly noise. */
function meanCycle(seasonal: Float64Array, period: number, first: number): Float64Array {
  const cycle = new Float64Array(period)
  const counts = new Float64Array(period)
  for (let i = 0; i < seasonal.length; i++) {
    const at = (first + i) % period
    counts[at]++
    cycle[at] += (seasonal[i] - cycle[at]) / counts[at]
  }
  // Neighbours smooth it further (post-smoothing, Cleveland et al. 1990).
  const out = new Float64Array(period)
  for (let i = 0; i < period; i++) out[i] = (cycle[(i + period - 1) % period] + 2 * cycle[i] + cycle[(i + 1) % period]) / 4
  return out
}

/**
 * A stream around a decomposition: slot means of the last whole seasons are decomposed when a season ends, the mean cycle of each component is
 * expected to come again, on a level that follows the rows with clipped errors. The score is the distance in robust scales of the rows' errors.
 */
export function openDecomposed(options: DecomposedOptions, snapshot?: State): Stream {
  const { seasons, keep, every, band, decompose } = options
  const period = seasons[0]
  const m: Memory =
    snapshot?.version === 1
      ? (structuredClone(snapshot) as unknown as Memory)
      : {
          version: 1,
          slots: emptySlots(keep),
          ended: 0,
          fitted: false,
          cycles: seasons.map((season, k) => new Float64Array(k === 0 ? SLOTS : Math.min(7, season / period) * SLOTS).fill(NaN)),
          residual: emptyScale(),
          last: NaN,
          resolution: Infinity,
          time: NaN,
          step: NaN,
          runStart: NaN,
          runSum: 0,
          runCount: 0,
        }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const phaseOf = (time: number, season: number) => time / season - Math.floor(time / season)

  function seasonAt(time: number): number {
    let sum = 0
    for (let k = 0; k < seasons.length; k++)
      if (!Number.isNaN(m.cycles[k][0])) sum += atPhase(m.cycles[k], phaseOf(time, seasons[k]))
    return sum
  }

  function fit(): void {
    const whole = wholeSeasons(m.slots)
    if (!whole) return
    const { values, perSeason } = whole
    const firstSlot = (Math.floor(m.slots.slot / SLOTS) - values.length / perSeason) * perSeason
    // A longer season is told from chance only when it came three times.
    const known = seasons.filter((season, k) => values.length >= (k === 0 ? 2 : 3) * perSeason * (season / period))
    const periods = known.map(season => (perSeason * season) / period)
    const { seasonals, trend } = decompose(values, periods)
    const cycles = periods.map((length, k) => meanCycle(seasonals[k], length, firstSlot))
    const seasonAt = (i: number, k: number) => cycles[k][(firstSlot + i) % periods[k]]
    const remainder = values.map((value, i) => value - trend[i] - periods.reduce((sum, _, k) => sum + seasonAt(i, k), 0))
    const noise = mad(remainder)
    for (const [k, target] of m.cycles.entries()) {
      target.fill(NaN)
      if (k >= periods.length) continue
      // A mean of c cycles takes 1/c of the variance of pure noise with it.
      const chance = Math.sqrt(1 - periods[k] / values.length)
      if (noise >= WEAK * chance * mad(remainder.map((value, i) => value + seasonAt(i, k)))) continue
      for (let i = 0; i < target.length; i++) target[i] = atPhase(cycles[k], (i + 0.5) / target.length)
    }
    m.fitted = true
  }

  const floorAt = (expected: number, x: number) => Math.max(FLOOR * Math.max(Math.abs(expected), Math.abs(x)), 1e-12)
  /** An outlier must not make its own floor; a flat line that begins to move must not stay without scale. */
  const floorToLearn = (expected: number) =>
    Math.max(floorAt(expected, expected), Number.isFinite(m.resolution) ? m.resolution / 2 : 0)

  /** Half a season of errors on one side is a new level. */
  function followLevel(time: number, error: number, scale: number): void {
    if (Math.abs(error) <= CLIP * scale || m.runSum * error < 0) {
      m.runCount = 0
      m.runSum = 0
      if (Math.abs(error) <= CLIP * scale) return
    }
    if (m.runCount === 0) m.runStart = time
    m.runCount++
    m.runSum += error
    if (time - m.runStart < period / 2 || m.runCount < FIRST) return
    m.residual.level += m.runSum / m.runCount
    m.runCount = 0
    m.runSum = 0
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.residual.count < FIRST) return judgement
      const expected = m.residual.level + seasonAt(time)
      const margin = band * scaleOf(m.residual, floorAt(expected, expected))
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / scaleOf(m.residual, floorAt(expected, x))
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      const gap = time - m.time
      if (gap > 0) m.step = !(m.step <= gap) ? gap : gap < 1.5 * m.step ? m.step + 0.05 * (gap - m.step) : m.step
      m.time = time
      const change = Math.abs(x - m.last)
      if (change > 0) m.resolution = Math.min(m.resolution, change)
      m.last = x
      const ended = addToSlots(m.slots, Math.floor((time / period) * SLOTS), x)
      if (ended > 0) {
        const before = m.ended
        m.ended = Math.min(m.ended + ended, 1e6)
        const present = Math.floor(time / period)
        const due = Math.floor(present / every) > Math.floor((present - ended) / every)
        if (due || before < 8) fit()
      }
      if (!m.fitted) return
      const season = seasonAt(time)
      const rest = x - season
      const rows = period / m.step
      const floor = floorToLearn(m.residual.level + season)
      followLevel(time, rest - m.residual.level, scaleOf(m.residual, floor))
      learnScale(m.residual, rest, Math.max(30, rows / 6), floor, Math.min(4000, Math.max(200, rows)))
    },
    snapshot: () => structuredClone(m) as unknown as State,
  }
}
