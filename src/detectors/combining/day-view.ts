import { DAY } from '../../duration.ts'
import { clamp } from '../../math/clamp.ts'
import { copyState } from '../../state.ts'
import type { View } from './level-view.ts'
import { FARTHEST } from './level-view.ts'

/** Plain data: level, spread and visits of each slot; overall spread and rows. */
export interface DayState {
  level: Float32Array
  spread: Float32Array
  visits: Float32Array
  whole: Float64Array
}

/** Five minutes each. */
const SLOTS = 288
/** Visits that a slot remembers, and rows that the overall spread does. */
const MEMORY = 50
const WHOLE_MEMORY = 20_000
const LEVEL_CLIP = 2
const SPREAD_CLIP = 4
const FLOOR = 1e-6
/** Distances before the overall spread is believed. */
const FEW = 20

/** Distance from the level that is usual at this time of day, in the usual distances there (never less than overall). `zone` is local time less UTC. */
export function openDayView(zone: (time: number) => number, snapshot?: DayState): View<DayState> {
  const m: DayState = snapshot
    ? copyState(snapshot)
    : {
        level: new Float32Array(SLOTS),
        spread: new Float32Array(SLOTS),
        visits: new Float32Array(SLOTS),
        whole: new Float64Array(2),
      }
  let at = 0
  let next = 0
  let share = 0
  let distance = 0

  function locate(time: number): void {
    const clock = (time + zone(time)) / DAY
    const phase = (clock - Math.floor(clock)) * SLOTS
    at = Math.min(SLOTS - 1, Math.floor(phase))
    next = (at + 1) % SLOTS
    share = phase - at
  }

  const between = (of: Float32Array) => of[at] + share * (of[next] - of[at])

  return {
    look(time, value) {
      locate(time)
      distance = NaN
      if (m.visits[at] === 0 || m.visits[next] === 0) return 0
      distance = Math.abs(value - between(m.level))
      const scale = Math.max(between(m.spread), m.whole[0]) + FLOOR * Math.abs(value)
      return distance === 0 || m.whole[1] < FEW ? 0 : Math.min(FARTHEST, distance / scale)
    },
    learn(_time, value) {
      if (!Number.isNaN(distance)) {
        const scale = Math.max(between(m.spread), m.whole[0])
        m.whole[1] = Math.min(m.whole[1] + 1, WHOLE_MEMORY)
        const limit = scale > 0 ? 5 * scale : Infinity
        m.whole[0] += (Math.min(distance, limit) - m.whole[0]) / m.whole[1]
      }
      const visits = (m.visits[at] = Math.min(m.visits[at] + 1, MEMORY))
      if (visits === 1) {
        m.level[at] = value
        return
      }
      const error = value - m.level[at]
      const scale = Math.max(m.spread[at], m.whole[0]) || Infinity
      m.level[at] += clamp(error, -LEVEL_CLIP * scale, LEVEL_CLIP * scale) / visits
      m.spread[at] += (Math.min(Math.abs(error), SPREAD_CLIP * scale) - m.spread[at]) / visits
    },
    snapshot: () => copyState(m),
  }
}
