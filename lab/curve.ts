/** The shape of the load; lengths in ms. `day` 0 is a flat load. */
export interface Curve {
  /** Mean queries per second over a day. */
  readonly base: number
  readonly day: number
  /** Days in a week whose last two are a weekend; 0 is no week. */
  readonly week: number
  /** Load of a weekend day against a working day. */
  readonly weekend: number
}

/** Queries per second expected at `t` ms after the start: two harmonics of the day, the week and a tooth at the start of each twenty-fourth of a day. */
export function rateAt({ base, day, week, weekend }: Curve, t: number): number {
  if (day === 0) return base
  const phase = (t / day) * 2 * Math.PI
  const hours = 1 - 0.5 * Math.cos(phase) - 0.12 * Math.sin(2 * phase)
  const index = Math.floor(t / day)
  const rest = week > 0 && index % week >= week - 2 ? weekend : 1
  const hour = (t / day) * 24
  const tooth = hour - Math.floor(hour) < 1 / 15 ? 1.3 : 1
  return base * hours * rest * tooth
}

/** Slow noise around 1: an AR(1) process of logarithms with correlation `rho` a step and standard deviation `sigma`. */
export function fromDrift(random: () => number, rho = 0.97, sigma = 0.05): () => number {
  let level = 0
  return () => {
    level = rho * level + sigma * Math.sqrt(1 - rho * rho) * normal(random)
    return Math.exp(level)
  }
}

/** A reproducible source of numbers in [0, 1): Mulberry32. */
export function fromSeed(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** A count with the given mean: Knuth's product for small means, the rounded normal above 30. */
export function poisson(mean: number, random: () => number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count++
  return count
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
