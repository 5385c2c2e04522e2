/** Shape γ (0 exponential, above 0 heavier) and scale σ of a generalized Pareto tail. */
export interface ParetoTail {
  readonly gamma: number
  readonly sigma: number
}

const HEAVIEST = 0.5
const LIGHTEST = -0.25

/**
 * Fits excesses over a threshold, ascending, by probability-weighted moments (Hosking & Wallis 1987, section 3), which need no search and stay
 * sane on ties and small samples, unlike Grimshaw's likelihood of SPOT. The shape is drawn to `prior` as if `weight` excesses had said so, held
 * between −0.25 and 0.5, and the scale follows from the mean. σ is 0 when all excesses are 0.
 */
export function fitTail(excesses: ArrayLike<number>, prior: number, weight: number): ParetoTail {
  const n = excesses.length
  let mean = 0
  let weighted = 0
  for (let i = 0; i < n; i++) {
    mean += excesses[i]
    weighted += excesses[i] * (1 - (i + 0.65) / n)
  }
  mean /= n
  weighted /= n
  if (!(mean > 0)) return { gamma: prior, sigma: 0 }
  const spread = mean - 2 * weighted
  const fitted = spread > 0 ? 2 - mean / spread : LIGHTEST
  const bounded = Math.min(HEAVIEST, Math.max(LIGHTEST, fitted))
  const gamma = (n * bounded + weight * prior) / (n + weight)
  return { gamma, sigma: mean * (1 - gamma) }
}

/** The excess that is exceeded with probability `p`, given that the threshold is. 0 for p ≥ 1. */
export function excessAt({ gamma, sigma }: ParetoTail, p: number): number {
  if (p >= 1) return 0
  const distance = -Math.log(p)
  return Math.abs(gamma) < 1e-6 ? sigma * distance : (sigma / gamma) * Math.expm1(gamma * distance)
}
