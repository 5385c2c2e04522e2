/** Slots of a season: five minutes of a day. */
export const SLOTS = 288

/** Means of the slots of the last seasons; plain data. Slots are counted from the epoch. */
export interface SeasonSlots {
  slot: number
  /** The first slot of all, or the first after a gap that left nothing. */
  first: number
  sum: number
  rows: number
  /** A ring by slot number; NaN is a slot without rows. */
  means: Float64Array
}

export function emptySlots(seasons: number): SeasonSlots {
  return { slot: NaN, first: NaN, sum: 0, rows: 0, means: new Float64Array(seasons * SLOTS).fill(NaN) }
}

/** Adds a row of the slot; returns how many seasons ended since the last row. */
export function addToSlots(slots: SeasonSlots, slot: number, value: number): number {
  if (Number.isNaN(slots.slot)) slots.slot = slots.first = slot
  let ended = 0
  if (slot > slots.slot) {
    ended = Math.floor(slot / SLOTS) - Math.floor(slots.slot / SLOTS)
    const size = slots.means.length
    if (slot - slots.slot > size) {
      slots.means.fill(NaN)
      slots.first = slot
    } else {
      slots.means[wrap(slots.slot, size)] = slots.rows > 0 ? slots.sum / slots.rows : NaN
      for (let at = slots.slot + 1; at < slot; at++) slots.means[wrap(at, size)] = NaN
    }
    slots.slot = slot
    slots.sum = 0
    slots.rows = 0
  }
  slots.sum += value
  slots.rows++
  return ended
}

/**
 * The whole seasons before the present one, without holes: rows coarser than slots are joined (`perSeason` is what is left of 288), holes are drawn
 * over. Undefined when there are fewer than two seasons, or too many holes.
 */
export function wholeSeasons(slots: SeasonSlots): { values: Float64Array; perSeason: number } | undefined {
  const end = Math.floor(slots.slot / SLOTS) * SLOTS
  const seasons = Math.min(slots.means.length / SLOTS, Math.floor((end - slots.first) / SLOTS))
  if (!(seasons >= 2)) return undefined
  for (const joined of [1, 2, 3, 4, 6, 12, 24]) {
    const values = new Float64Array((seasons * SLOTS) / joined)
    let known = 0
    for (let i = 0; i < values.length; i++) {
      let sum = 0
      let count = 0
      for (let k = 0; k < joined; k++) {
        const mean = slots.means[wrap(end - seasons * SLOTS + i * joined + k, slots.means.length)]
        if (Number.isNaN(mean)) continue
        sum += mean
        count++
      }
      values[i] = count > 0 ? sum / count : NaN
      if (count > 0) known++
    }
    if (known < 0.8 * values.length) continue
    bridge(values)
    return { values, perSeason: SLOTS / joined }
  }
  return undefined
}

/** Puts lines over unknown values, and the nearest known value at the ends. */
function bridge(values: Float64Array): void {
  let last = -1
  for (let i = 0; i <= values.length; i++) {
    if (i < values.length && Number.isNaN(values[i])) continue
    for (let j = last + 1; j < i; j++) {
      if (last < 0) values[j] = values[i]
      else if (i === values.length) values[j] = values[last]
      else values[j] = values[last] + ((values[i] - values[last]) * (j - last)) / (i - last)
    }
    last = i
  }
}

/** Value of the cycle at a phase (0 … 1), between the middles of its slots. */
export function atPhase(cycle: Float64Array, phase: number): number {
  const size = cycle.length
  const at = phase * size - 0.5
  const low = Math.floor(at)
  const share = at - low
  return cycle[wrap(low, size)] * (1 - share) + cycle[wrap(low + 1, size)] * share
}

function wrap(at: number, size: number): number {
  return ((at % size) + size) % size
}
