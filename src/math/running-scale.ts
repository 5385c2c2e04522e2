import { clamp } from './clamp.ts'

/** Robust level and squared scale of a stream of numbers; plain data. */
export interface RunningScale {
  level: number
  variance: number
  count: number
}

/** Values that teach as they are; later ones are clipped. */
const OPEN = 20
const CLIP = 2.5
const SCALE_CLIP = 3

export const emptyScale = (): RunningScale => ({ level: 0, variance: 0, count: 0 })

/**
 * Huber's recursive M-estimates (Huber 1964): an error teaches the level at most 2.5 scales and the scale at most 3. The level forgets over `memory`
 * values, the scale over `scaleMemory`.
 */
export function learnScale(scale: RunningScale, value: number, memory: number, floor: number, scaleMemory = memory): void {
  const count = Math.min(scale.count + 1, 1e9)
  const gain = Math.max(1 / count, 1 / memory)
  const spread = count > OPEN ? Math.max(Math.sqrt(scale.variance), floor) : Infinity
  const error = value - scale.level
  scale.level += gain * clamp(error, -CLIP * spread, CLIP * spread)
  const seen = Math.min(Math.abs(error), SCALE_CLIP * spread)
  if (count > 1) scale.variance += Math.max(1 / count, 1 / scaleMemory) * (seen * seen - scale.variance)
  scale.count = count
}

/** The scale, at least `floor`. */
export function scaleOf(scale: RunningScale, floor: number): number {
  return Math.max(Math.sqrt(scale.variance), floor)
}
