import { isMeasured } from '../math/is-measured.ts'
import type { RunningScale } from '../math/running-scale.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import type { Decompose } from './season-cycles.ts'
import { emptyCycles, findCycles, seasonAt } from './season-cycles.ts'
import type { SeasonSlots } from './season-slots.ts'
import { addToSlots, emptySlots, SLOTS } from './season-slots.ts'

/** How a decomposition is kept up to date and asked. */
export interface DecomposedOptions {
  /** Periods in ms, ascending, each a multiple of the first. */
  readonly seasons: readonly number[]
  /** Seasons of the first period that are decomposed. */
  readonly keep: number
  /** Seasons of the first period between decompositions. */
  readonly every: number
  readonly band: number
  readonly decompose: Decompose
}

/** Rows that a scale is learned from before it judges. */
const FIRST = 20
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

/**
 * A stream around a decomposition: slot means of the last whole seasons are decomposed when a season ends, the mean cycle of each component is
 * expected to come again, on a level that follows the rows with clipped errors. The score is the distance in robust scales of the rows' errors.
 */
export function openDecomposed(options: DecomposedOptions, snapshot?: State): Stream {
  const { seasons, keep, every, band, decompose } = options
  const period = seasons[0]
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          slots: emptySlots(keep),
          ended: 0,
          fitted: false,
          cycles: emptyCycles(seasons),
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
      const expected = m.residual.level + seasonAt(m.cycles, seasons, time)
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
        if ((due || before < 8) && findCycles(m.slots, seasons, decompose, m.cycles)) m.fitted = true
      }
      if (!m.fitted) return
      const season = seasonAt(m.cycles, seasons, time)
      const rest = x - season
      const rows = period / m.step
      const floor = floorToLearn(m.residual.level + season)
      followLevel(time, rest - m.residual.level, scaleOf(m.residual, floor))
      learnScale(m.residual, rest, Math.max(30, rows / 6), floor, Math.min(4000, Math.max(200, rows)))
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
