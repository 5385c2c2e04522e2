/** Numbers of an input: sixteen features and their complements. */
export const INPUT = 32
/** Places of the newest sample and of its complement. */
const NEWEST = 15
const NEWEST_COMPLEMENT = 31

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
  respond(input: Float64Array): { readonly match: number; readonly newest: number }
  /** Learns the input that was responded to last; whether it matched at vigilances `low` ≤ `high`. */
  learn(input: Float64Array, low: number, high: number): boolean
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
  const matches = new Float64Array(capacity)
  let winner = 0
  const answer = { match: 0, newest: 0 }

  function put(at: number, input: Float64Array): void {
    let sum = 0
    for (let k = 0; k < INPUT; k++) {
      m.weights[at * INPUT + k] = input[k]
      sum += m.weights[at * INPUT + k]
    }
    m.sums[at] = sum
    m.used[at] = m.clock
  }

  function oldest(): number {
    let at = 0
    for (let c = 1; c < m.count; c++) if (m.used[c] < m.used[at]) at = c
    return at
  }

  return {
    respond(input) {
      const { weights, sums, count } = m
      const newest = input[NEWEST]
      const complement = input[NEWEST_COMPLEMENT]
      let best = -1
      let bestNewest = 0
      let next = 0
      // The last winner comes first, and is then met again: a good match early on spares most of the others.
      for (let i = 0; i <= count; i++) {
        const c = i === 0 ? winner : i - 1
        if (c >= count) continue
        const at = c * INPUT
        const a = weights[at + NEWEST]
        const b = weights[at + NEWEST_COMPLEMENT]
        const fit = ((newest < a ? newest : a) + (complement < b ? complement : b)) / (a + b)
        // The match cannot exceed this, so a category that fits worse than the best one need not be compared in full.
        const bound = fit * fit
        matches[c] = bound
        if (bound < best) continue
        let common = 0
        for (let k = 0; k < INPUT; k++) {
          const x = input[k]
          const w = weights[at + k]
          common += x < w ? x : w
        }
        const whole = common / sums[c]
        const match = whole * whole * whole * bound
        matches[c] = match
        if (match > best || (match === best && c < next)) {
          best = match
          bestNewest = fit
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
        for (let c = 0; c < m.count; c++) if (matches[c] >= high) narrow(c, input, high)
      } else put(m.count < capacity ? m.count++ : oldest(), input)
      return matched
    },

    snapshot: () => structuredClone(m),
  }

  /** Fast learning: the category becomes the smaller of itself and the input, if it truly matches (`matches` may hold its bound). */
  function narrow(c: number, input: Float64Array, high: number): void {
    const at = c * INPUT
    const { weights } = m
    let common = 0
    for (let k = 0; k < INPUT; k++) common += Math.min(input[k], weights[at + k])
    const a = weights[at + NEWEST]
    const b = weights[at + NEWEST_COMPLEMENT]
    const fit = (Math.min(input[NEWEST], a) + Math.min(input[NEWEST_COMPLEMENT], b)) / (a + b)
    const whole = common / m.sums[c]
    if (whole * whole * whole * fit * fit < high) return
    let sum = 0
    for (let k = 0; k < INPUT; k++) {
      const w = Math.min(input[k], weights[at + k])
      weights[at + k] = w
      sum += weights[at + k]
    }
    m.sums[c] = sum
    m.used[c] = m.clock
  }
}
