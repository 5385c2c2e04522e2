import { clamp } from '../../math/clamp.ts'

/** Plain data: level, squared scale, rows. */
export type LevelState = Float64Array

/** A view: how far a value lies from what one way of looking expects, in robust scales; 0 while undecided. `learn` takes what was looked at last. */
export interface View<ViewState> {
  look(time: number, value: number): number
  learn(time: number, value: number): void
  snapshot(): ViewState
}

/** Distances are at most this. */
export const FARTHEST = 1e4
/** Rows before the first distance, and before errors are clipped. */
const WARM_UP = 30
const CLIP = 3
const FLOOR = 1e-6

/** Distance from a clipped exponential mean; the mean forgets over `memory` rows, its scale over `scaleMemory`. */
export function openLevelView(memory: number, scaleMemory: number, snapshot?: LevelState): View<LevelState> {
  const m = snapshot ? snapshot.slice() : new Float64Array(3)
  return {
    look(_time, value) {
      if (m[2] < WARM_UP) return 0
      const error = Math.abs(value - m[0])
      return error === 0 ? 0 : Math.min(FARTHEST, error / (Math.sqrt(m[1]) + FLOOR * Math.abs(m[0])))
    },
    learn(_time, value) {
      const count = Math.min(m[2] + 1, 1e9)
      if (m[2] === 0) m[0] = value
      const scale = Math.sqrt(m[1]) + FLOOR * Math.abs(m[0])
      const limit = m[2] < WARM_UP ? Infinity : CLIP * scale + FLOOR * Math.abs(value)
      const error = clamp(value - m[0], -limit, limit)
      m[0] += Math.max(1 / memory, 1 / count) * error
      m[1] += Math.max(1 / scaleMemory, 1 / count) * (error * error - m[1])
      m[2] = count
    },
    snapshot: () => m.slice(),
  }
}
