/** Numbers of an input: sixteen features and their complements. */
export const INPUT = 32
const FEATURES = 16
/** Place of the newest sample. */
const NEWEST = 15

/** Plain data of a network; arrays have room for `capacity` categories. */
export interface NetworkState {
  weights: Float32Array
  sums: Float64Array
  /** When a category was last matched, in presentations. */
  used: Float64Array
  count: number
  clock: number
}

/**
 * A fuzzy ART network (Carpenter, Grossberg & Rosen 1991) with two vigilances and complement-coded inputs in 0 … 1. When all categories are
 * used, a new one takes the place of the one that was matched longest ago.
 */
export interface Network {
  /** Best match of the input, 0 … 1, and how well the newest sample fits in that category; teaches nothing. */
  respond(input: Float32Array, high: number): { readonly match: number; readonly newest: number }
  /** Learns the input that was responded to last, at vigilances `low` ≤ `high`; whether it matched. */
  learn(input: Float32Array, low: number, high: number): boolean
  snapshot(): NetworkState
}

export function openNetwork(capacity: number, snapshot?: NetworkState): Network {
  const m: NetworkState = snapshot
    ? structuredClone(snapshot)
    : {
        weights: new Float32Array(capacity * INPUT),
        sums: new Float64Array(capacity),
        used: new Float64Array(capacity),
        count: 0,
        clock: 0,
      }
  const { weights, sums, used } = m
  /** Of the last input: the match of each category, or −1 where it can neither be the best nor reach the higher vigilance. */
  const matches = new Float64Array(capacity)
  const answer = { match: 0, newest: 0 }
  let winner = 0
  let fitted = 0

  /** Smaller of input and weight, summed, is the weights' sum less how far the input lies outside the category's box. */
  function matchOf(c: number, input: Float32Array, least: number): number {
    const at = c * INPUT
    const sum = sums[c]
    const newest = weights[at + NEWEST]
    const complement = weights[at + NEWEST + FEATURES]
    let outside = distanceOf(input[NEWEST], newest, complement)
    const fit = 1 - outside / (newest + complement)
    fitted = fit
    const bound = fit * fit
    if (bound < least) return -1
    for (let k = 0; k < NEWEST; k++) {
      const x = input[k]
      const below = weights[at + k] - x
      const above = x + weights[at + k + FEATURES] - 1
      if (below > 0) outside += below
      else if (above > 0) outside += above
      if (k === 3 || k === 7) {
        const whole = 1 - outside / sum
        if (whole * whole * whole * bound < least) return -1
      }
    }
    const whole = 1 - outside / sum
    return whole * whole * whole * bound
  }

  function put(c: number, input: Float32Array): void {
    weights.set(input, c * INPUT)
    sums[c] = sumOf(c)
    used[c] = m.clock
  }

  /** Fast learning: the category becomes the smaller of itself and the input. */
  function narrow(c: number, input: Float32Array): void {
    const at = c * INPUT
    for (let k = 0; k < INPUT; k++) if (input[k] < weights[at + k]) weights[at + k] = input[k]
    sums[c] = sumOf(c)
    used[c] = m.clock
  }

  function sumOf(c: number): number {
    let sum = 0
    for (let k = c * INPUT; k < (c + 1) * INPUT; k++) sum += weights[k]
    return sum
  }

  function oldest(): number {
    let at = 0
    for (let c = 1; c < m.count; c++) if (used[c] < used[at]) at = c
    return at
  }

  return {
    respond(input, high) {
      let best = -1
      let bestNewest = 0
      let next = 0
      // The last winner comes first, and is then met again: a good match early on spares most of the others.
      for (let i = 0; i <= m.count; i++) {
        const c = i === 0 ? winner : i - 1
        if (c >= m.count) continue
        const match = matchOf(c, input, best < high ? best : high)
        matches[c] = match
        if (match > best || (match === best && c < next)) {
          best = match
          bestNewest = fitted
          next = c
        }
      }
      winner = next
      answer.match = best < 0 ? 0 : best
      answer.newest = bestNewest
      return answer
    },

    learn(input, low, high) {
      m.clock++
      if (m.count === 0) {
        put(m.count++, input)
        return true
      }
      const matched = answer.match >= low
      if (answer.match >= high) {
        for (let c = 0; c < m.count; c++) if (matches[c] >= high) narrow(c, input)
      } else put(m.count < capacity ? m.count++ : oldest(), input)
      return matched
    },

    snapshot: () => structuredClone(m),
  }
}

/** How far `x` lies outside the box from `low` to 1 − `complement`. */
function distanceOf(x: number, low: number, complement: number): number {
  return Math.max(0, low - x, x + complement - 1)
}
