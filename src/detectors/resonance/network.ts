import { copyState } from '../../state.ts'

/** Numbers of an input: sixteen features and their complements. */
export const INPUT = 32
const FEATURES = 16
/** Place of the newest sample. */
const NEWEST = 15
/** More than what rounding can do to a match. */
const TINY = 1e-9

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
    ? copyState(snapshot)
    : {
        weights: new Float32Array(capacity * INPUT),
        sums: new Float64Array(capacity),
        used: new Float64Array(capacity),
        count: 0,
        clock: 0,
      }
  const { weights, sums, used } = m
  // The newest sample decides most: the part of the weights that belongs to it, side by side.
  const newestLow = new Float64Array(capacity)
  const newestRoom = new Float64Array(capacity)
  for (let c = 0; c < m.count; c++) copyNewest(c)
  /** Of the last input: the categories that reach the higher vigilance, and how far the input lies outside each. */
  const reached = new Int32Array(capacity)
  const outsides = new Float64Array(capacity)
  let reachedCount = 0
  const answer = { match: 0, newest: 0 }
  let winner = 0
  let fitted = 0
  let outside = 0

  function copyNewest(c: number): void {
    newestLow[c] = weights[c * INPUT + NEWEST]
    newestRoom[c] = weights[c * INPUT + NEWEST + FEATURES]
  }

  /**
   * Smaller of input and weight, summed, is the weights' sum less how far the input lies outside the category's box. −1 where that cannot
   * reach `least`.
   */
  function matchOf(c: number, input: Float32Array, least: number, outsideNewest: number): number {
    const at = c * INPUT
    const fit = 1 - outsideNewest / (newestLow[c] + newestRoom[c])
    const bound = fit * fit
    fitted = fit
    outside = outsideNewest
    if (bound < least) return -1
    const sum = sums[c]
    addOutside(at, input, 0, 4)
    if (outside > 0 && cubed(1 - outside / sum) * bound < least) return -1
    addOutside(at, input, 4, 8)
    if (outside > 0 && cubed(1 - outside / sum) * bound < least) return -1
    addOutside(at, input, 8, NEWEST)
    return cubed(1 - outside / sum) * bound
  }

  function addOutside(at: number, input: Float32Array, from: number, to: number): void {
    let all = outside
    for (let k = from; k < to; k++) {
      const x = input[k]
      const below = weights[at + k] - x
      const above = x + weights[at + k + FEATURES] - 1
      if (below > 0) all += below
      else if (above > 0) all += above
    }
    outside = all
  }

  function put(c: number, input: Float32Array): void {
    weights.set(input, c * INPUT)
    sums[c] = sumOf(c)
    copyNewest(c)
    used[c] = m.clock
  }

  /** Fast learning: the category becomes the smaller of itself and the input. */
  function narrow(c: number, input: Float32Array): void {
    const at = c * INPUT
    for (let k = 0; k < INPUT; k++) if (input[k] < weights[at + k]) weights[at + k] = input[k]
    sums[c] = sumOf(c)
    copyNewest(c)
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
      const x = input[NEWEST]
      let best = -1
      let bestNewest = 0
      let next = 0
      let most = Infinity
      reachedCount = 0
      // The last winner comes first: a good match early on spares most of the others.
      for (let i = 0; i <= m.count; i++) {
        const c = i === 0 ? winner : i - 1
        if (c >= m.count || (i > 0 && c === winner)) continue
        const low = newestLow[c]
        const room = newestRoom[c]
        const away = distanceOf(x, low, room)
        if (away > most * (low + room) + TINY) continue
        const match = matchOf(c, input, best < high ? best : high, away)
        if (match >= high) {
          outsides[reachedCount] = outside
          reached[reachedCount++] = c
        }
        if (match > best || (match === best && c < next)) {
          if (match > best) most = 1 - Math.sqrt(match < high ? match : high)
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
      if (answer.match >= high)
        for (let i = 0; i < reachedCount; i++) {
          // An input inside of the box narrows nothing.
          if (outsides[i] > 0) narrow(reached[i], input)
          else used[reached[i]] = m.clock
        }
      else put(m.count < capacity ? m.count++ : oldest(), input)
      return matched
    },

    snapshot: () => copyState(m),
  }
}

/** How far `x` lies outside the box from `low` to 1 − `complement`. */
function distanceOf(x: number, low: number, complement: number): number {
  const below = low - x
  const above = x + complement - 1
  const most = above > below ? above : below
  return most > 0 ? most : 0
}

const cubed = (x: number) => x * x * x
