import { clamp } from '../../math/clamp.ts'
import { isMeasured } from '../../math/is-measured.ts'

/** Rows by which usual levels forget. */
const MEMORY = 20_000
/** Rows before levels are usual. */
const WARM_UP = 40
/** A value teaches with at most so many standard deviations, and counts beyond so many by its logarithm. */
const CLIP = 10
const CAP = 8
/** Of the level: a channel that never moved says nothing of its noise. */
const FLOOR = 0.01

/** Mean and variance of each channel, and how many values it had; after one another. */
export type LevelsState = Float64Array

/** How far all channels together are from their usual levels; slow, for departures that last and that a forecast soon follows. */
export interface ChannelLevels {
  /** Length of the vector of standardised distances; NaN where nothing is known. Fills `squares` with that of each channel, 0 where unknown. */
  look(row: ArrayLike<number>, squares: Float64Array): number
  learn(row: ArrayLike<number>): void
  snapshot(): LevelsState
}

/** Memory: 24 bytes a channel. */
export function openChannelLevels(width: number, snapshot?: LevelsState): ChannelLevels {
  const state = snapshot ? snapshot.slice() : new Float64Array(3 * width)
  const scaleOf = (j: number) => Math.max(Math.sqrt(state[width + j]), FLOOR * Math.abs(state[j]), 1e-12)
  return {
    look(row, squares) {
      squares.fill(0)
      let sum = 0
      let known = 0
      for (let j = 0; j < width; j++) {
        if (!isMeasured(row[j]) || state[2 * width + j] < WARM_UP) continue
        const distance = Math.min(Math.abs(row[j] - state[j]) / Math.max(scaleOf(j), 1e-3 * Math.abs(row[j])), 1e12)
        squares[j] = (distance > CAP ? CAP * (1 + Math.log(distance / CAP)) : distance) ** 2
        sum += squares[j]
        known++
      }
      return known > 0 ? Math.sqrt((sum * width) / known) : NaN
    },
    learn(row) {
      for (let j = 0; j < width; j++) {
        if (!isMeasured(row[j])) continue
        const count = Math.min(++state[2 * width + j], MEMORY)
        state[2 * width + j] = count
        const reach = count > WARM_UP ? CLIP * scaleOf(j) : Infinity
        const error = clamp(row[j] - state[j], -reach, reach)
        state[j] += error / count
        state[width + j] = (1 - 1 / count) * (state[width + j] + (error * error) / count)
      }
    },
    snapshot: () => state.slice(),
  }
}
