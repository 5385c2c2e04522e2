/** Uniform numbers in [0, 1) whose whole state is one 32-bit number, so that a snapshot can keep it. */
export interface Random {
  next(): number
  state(): number
}

/** Goes on from a seed or an earlier state (mulberry32, T. Ettinger; period 2³²). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    },
    state: () => state,
  }
}
