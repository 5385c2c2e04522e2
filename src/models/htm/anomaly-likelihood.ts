/** Judges raw anomaly scores by their own recent distribution. */
export interface AnomalyLikelihood {
  /** Likelihood, 0 … 1, that the raw score (0 … 1) of a row and those before it are unusual; 0.5 during probation. The row must be known. */
  update(raw: number, value: number): number
  /** The tail, 0 … 1, that `update` would find for this raw score; NaN during probation. Changes nothing. */
  tail(raw: number): number
  state(): AnomalyLikelihoodState
}

export interface AnomalyLikelihoodOptions {
  /** Rows at the start that no distribution is made of. */
  readonly learning: number
  /** Rows after those until likelihoods begin. */
  readonly estimation: number
  /** Rows between estimates of the distribution. */
  readonly every: number
  /** Rows that the distribution is made of. */
  readonly history: number
  /** Raw scores in an average. */
  readonly averaging: number
  /** In the place of `learning`, once there are twice as many rows; until then half of them. Absent: `learning`. */
  readonly settling?: number
}

/** The settings of the Numenta Anomaly Benchmark for a probation of this many rows. */
export function likelihoodOptions(probation: number): AnomalyLikelihoodOptions {
  const learning = Math.floor(probation / 2)
  return { learning, estimation: probation - learning, every: 100, history: 8640, averaging: 10 }
}

/** Plain data of one size, from which a likelihood goes on: 16 bytes for each row of the history. */
export interface AnomalyLikelihoodState {
  readonly rows: number
  readonly mean: number
  readonly deviation: number
  readonly previousTail: number
  readonly raws: Float64Array
  readonly averages: Float64Array
  readonly values: Float64Array
}

const LEAST_MEAN = 0.03
const LEAST_VARIANCE = 0.0003
/** A metric that varies less is flat: its raw scores say nothing. */
const FLAT_VARIANCE = 1.5e-5
const RED_TAIL = 1e-5
const YELLOW_TAIL = 1e-3

/**
 * Anomaly likelihood (Ahmad, Lavin, Purdy & Agha 2017, "Unsupervised real-time anomaly detection for streaming data"; filter and
 * bounds as in the Numenta Anomaly Benchmark): the tail of a normal distribution beyond the average of the latest raw scores. An
 * average below the mean is as unusual as one above. Of a run beyond the red tail only the first stays red.
 */
export function openAnomalyLikelihood(options: AnomalyLikelihoodOptions, from?: AnomalyLikelihoodState): AnomalyLikelihood {
  const { learning, estimation, every, history, averaging, settling } = options
  const raws = from?.raws.slice() ?? new Float64Array(averaging)
  const averages = from?.averages.slice() ?? new Float64Array(history)
  const values = from?.values.slice() ?? new Float64Array(history)
  let rows = from?.rows ?? 0
  let mean = from?.mean ?? NaN
  let deviation = from?.deviation ?? NaN
  let previousTail = from?.previousTail ?? 1

  function estimate(): void {
    const young = settling === undefined ? learning : Math.min(settling, Math.floor(rows / 2))
    const first = Math.max(young, rows - history)
    if (rows - first < 1 || !(varianceOf(values, first) >= FLAT_VARIANCE)) {
      mean = 0.5
      deviation = 1000
      return
    }
    mean = Math.max(LEAST_MEAN, meanOf(averages, first))
    deviation = Math.sqrt(Math.max(LEAST_VARIANCE, varianceOf(averages, first)))
  }

  function meanOf(ring: Float64Array, first: number): number {
    let sum = 0
    for (let i = first; i < rows; i++) sum += ring[i % history]
    return sum / (rows - first)
  }

  function varianceOf(ring: Float64Array, first: number): number {
    const middle = meanOf(ring, first)
    let sum = 0
    for (let i = first; i < rows; i++) sum += (ring[i % history] - middle) ** 2
    return sum / (rows - first)
  }

  function averageWith(raw: number): number {
    let sum = raw
    const before = Math.min(rows, averaging - 1)
    for (let back = 1; back <= before; back++) sum += raws[(rows - back) % averaging]
    return sum / (before + 1)
  }

  function tail(raw: number): number {
    if (rows < learning + estimation) return NaN
    return 0.5 * complementaryError(Math.abs(averageWith(raw) - mean) / (deviation * Math.SQRT2))
  }

  return {
    update(raw, value) {
      const found = tail(raw)
      const isRun = found <= RED_TAIL && previousTail <= RED_TAIL
      if (!Number.isNaN(found)) previousTail = found
      averages[rows % history] = averageWith(raw)
      values[rows % history] = value
      raws[rows % averaging] = raw
      rows++
      if (rows >= learning + estimation && (Number.isNaN(mean) || rows % every === 0)) estimate()
      return Number.isNaN(found) ? 0.5 : 1 - (isRun ? YELLOW_TAIL : found)
    },
    tail,
    state: () => ({
      rows,
      mean,
      deviation,
      previousTail,
      raws: raws.slice(),
      averages: averages.slice(),
      values: values.slice(),
    }),
  }
}

/** Spreads likelihoods near 1 over 0 … 1: 0.999 is 0.3, 0.99999 is 0.5, 1 is 1. */
export function logLikelihood(likelihood: number): number {
  return Math.log(1.0000000001 - likelihood) / -23.02585084720009
}

/** erfc(x) for x ≥ 0 to about 12 digits (Abramowitz & Stegun 7.1.6 below 2, the continued fraction 7.1.14 above). */
export function complementaryError(x: number): number {
  if (x < 2) {
    let term = x
    let sum = x
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1)
      sum += term
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
  }
  let fraction = 0
  for (let k = 100; k > 0; k--) fraction = k / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}
