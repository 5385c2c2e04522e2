/** Learns which values follow a set of active bits, and says how probable each is. */
export interface SdrClassifier {
  /**
   * Takes the next row: its active bits, and for each field the bucket of its value (−1 for none). What was seen 1 … `steps` rows before learns
   * these buckets. The bits are copied.
   */
  update(active: ArrayLike<number>, found: ArrayLike<number>): void
  /** Probability of each bucket, field by field, `step` rows after the latest row, or after a row with these bits; the array is the caller's. */
  predict(step: number, active?: ArrayLike<number>): Float64Array
  state(): SdrClassifierState
}

export interface SdrClassifierOptions {
  /** Bits there are: cells, or what cells are folded into. */
  readonly bits: number
  readonly buckets: number
  /** Values that each have a distribution of their own. */
  readonly fields: number
  /** Rows ahead, 1 … `steps`, each with weights of its own: 4 bytes for each bit, field and bucket. */
  readonly steps: number
  /** What a row moves the logits of its own set of bits by, however many are active, for an error of 1. */
  readonly rate: number
}

/** Plain data from which a classifier goes on. */
export interface SdrClassifierState {
  readonly rows: number
  /** Step by step, bit by bit; the last bit of each step is the one that is always set. */
  readonly weights: Float32Array
  /** The latest rows, oldest first, at most `steps`. */
  readonly past: readonly Uint32Array[]
}

/**
 * SDR classifier (Cui, Ahmad & Hawkins 2016, "Continuous online sequence learning with an unsupervised neural network model"): a softmax over value
 * buckets, one for each field and number of rows ahead, learning online. Departures: the rate is divided by the number of active bits, so that a row
 * that bursts teaches no more than another; one more bit is always set, so that no bits at all give how often each bucket came lately.
 */
export function openSdrClassifier(options: SdrClassifierOptions, from?: SdrClassifierState): SdrClassifier {
  const { bits, buckets, fields, steps, rate } = options
  if (!(Number.isInteger(steps) && steps >= 1)) throw new RangeError(`steps must be a whole number from 1 on, got ${steps}`)
  if (!(buckets >= 2)) throw new RangeError(`buckets must be at least 2, got ${buckets}`)
  const width = fields * buckets
  const stride = (bits + 1) * width
  const weights = from?.weights.slice() ?? new Float32Array(steps * stride)
  let rows = from?.rows ?? 0
  const past: Uint32Array[] = []
  for (const [i, active] of (from?.past ?? []).entries()) past[(rows - from!.past.length + i) % steps] = active.slice()
  const share = new Float64Array(width)
  /** One step from the latest row, once somebody asked; what was foretold is what teaches. */
  const next = new Float64Array(width)
  let isNextKnown = false

  function infer(step: number, active: ArrayLike<number>): void {
    const base = (step - 1) * stride
    for (let b = 0; b < width; b++) share[b] = weights[base + bits * width + b]
    for (let i = 0; i < active.length; i++) {
      const at = base + active[i] * width
      for (let b = 0; b < width; b++) share[b] += weights[at + b]
    }
    for (let first = 0; first < width; first += buckets) normalize(first, first + buckets)
  }

  function normalize(first: number, end: number): void {
    let most = share[first]
    for (let b = first + 1; b < end; b++) if (share[b] > most) most = share[b]
    let sum = 0
    for (let b = first; b < end; b++) {
      share[b] = Math.exp(share[b] - most)
      sum += share[b]
    }
    for (let b = first; b < end; b++) share[b] /= sum
  }

  function teach(step: number, active: ArrayLike<number>, found: ArrayLike<number>): void {
    if (step === 1 && isNextKnown) share.set(next)
    else infer(step, active)
    const pace = rate / (active.length + 1)
    for (let f = 0, b = 0; f < fields; f++) {
      const place = f * buckets + found[f]
      const reach = found[f] >= 0 ? pace : 0
      for (const end = b + buckets; b < end; b++) share[b] = reach * ((b === place ? 1 : 0) - share[b])
    }
    const base = (step - 1) * stride
    for (let b = 0; b < width; b++) weights[base + bits * width + b] += share[b]
    for (let i = 0; i < active.length; i++) {
      const at = base + active[i] * width
      for (let b = 0; b < width; b++) weights[at + b] += share[b]
    }
  }

  return {
    update(active, found) {
      for (let f = 0; f < fields; f++) {
        if (!(Number.isInteger(found[f]) && found[f] < buckets)) {
          throw new RangeError(`bucket of field ${f} must be a whole number below ${buckets}, got ${found[f]}`)
        }
      }
      for (let step = 1; step <= Math.min(steps, rows); step++) teach(step, past[(rows - step) % steps], found)
      past[rows % steps] = new Uint32Array(active)
      rows++
      isNextKnown = false
    },
    predict(step, active) {
      if (!(Number.isInteger(step) && step >= 1 && step <= steps)) throw new RangeError(`step must be 1 to ${steps}, got ${step}`)
      infer(step, active ?? (rows > 0 ? past[(rows - 1) % steps] : []))
      if (step === 1 && !active) {
        next.set(share)
        isNextKnown = true
      }
      return share.slice()
    },
    state() {
      const kept = Math.min(rows, steps)
      const latest = Array.from({ length: kept }, (_, i) => past[(rows - kept + i) % steps].slice())
      return { rows, weights: weights.slice(), past: latest }
    },
  }
}
