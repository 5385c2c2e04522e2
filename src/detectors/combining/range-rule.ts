import { WEEK } from '../../duration.ts'

/** Plain data: two generations of least and greatest value; when the younger one began; rows, and its rows. */
export type RangeState = Float64Array

/** Whether a value lies outside all that was seen. */
export interface RangeRule {
  /** How far outside, as a part of the range; 0 inside, and while little was seen. */
  look(value: number): number
  learn(time: number, value: number): void
  snapshot(): RangeState
}

const [LOW, HIGH, OLD_LOW, OLD_HIGH, SINCE, ROWS, YOUNG] = [0, 1, 2, 3, 4, 5, 6]
/** Rows before a range is believed. */
const WARM_UP = 40
/** A generation lives so long, and so many rows at least; then the one before it is forgotten. */
const GENERATION = 4 * WEEK
const GENERATION_ROWS = 4000

/** The range rule of NAB's reference detector, which forgets here: a range is that of the last four to eight weeks. */
export function openRangeRule(snapshot?: RangeState): RangeRule {
  const m = snapshot ? snapshot.slice() : Float64Array.of(Infinity, -Infinity, Infinity, -Infinity, NaN, 0, 0)
  return {
    look(value) {
      if (m[ROWS] < WARM_UP) return 0
      const low = Math.min(m[LOW], m[OLD_LOW])
      const high = Math.max(m[HIGH], m[OLD_HIGH])
      if (!(high > low)) return 0
      return Math.max(0, value - high, low - value) / (high - low)
    },
    learn(time, value) {
      if (Number.isNaN(m[SINCE])) m[SINCE] = time
      m[ROWS] = Math.min(m[ROWS] + 1, 1e9)
      m[YOUNG]++
      if (value < m[LOW]) m[LOW] = value
      if (value > m[HIGH]) m[HIGH] = value
      if (time - m[SINCE] < GENERATION || m[YOUNG] < GENERATION_ROWS) return
      m[OLD_LOW] = m[LOW]
      m[OLD_HIGH] = m[HIGH]
      m[LOW] = m[HIGH] = value
      m[SINCE] = time
      m[YOUNG] = 0
    },
    snapshot: () => m.slice(),
  }
}
