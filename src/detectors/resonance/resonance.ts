import { clamp } from '../../math/clamp.ts'
import { copyState } from '../../state.ts'
import type { NetworkState } from './network.ts'
import { INPUT, openNetwork } from './network.ts'
import { SHAPE, writeShape } from './shape-of.ts'

export interface ResonanceOptions {
  /** Rows of a block, from which one sample is taken. */
  readonly block: number
  /** Samples of the training window. */
  readonly training: number
  /** Categories that are kept. */
  readonly categories: number
}

/** What the newest row says; zero except at the last row of a block. */
export interface Resonance {
  /** One minus the best match: how unlike the shape is to all that was seen, 0 … 1; NaN where no shape was completed. */
  readonly novelty: number
  /** The strength of a mismatch that is worth telling, 0 … 1; mostly 0. */
  readonly surprise: number
}

/** Looks at values, one a row, without learning; then learns the value that it looked at last. */
export interface ResonanceStream {
  look(value: number): Resonance
  learn(value: number): void
  snapshot(): ResonanceState
}

/** Plain data, of one size. */
export type ResonanceState = Memory

interface Memory extends Record<string, unknown> {
  /** Rows of the open block. */
  rows: Float64Array
  /** Of the last `training` blocks, as rings: sample, least and greatest row. */
  samples: Float64Array
  least: Float64Array
  greatest: Float64Array
  /** Scaled samples of the last shape. */
  shape: Float64Array
  /** Samples seen per level of the scale. */
  levels: Float64Array
  /** Of the last samples, as rings: the match, and how far it lay below the higher vigilance. */
  matches: Float64Array
  gaps: Float64Array
  /** None before the first training. */
  network: NetworkState | undefined
  n: Float64Array
}

/** Places of the single numbers in `n`. */
const FILL = 0
const BLOCKS = 1
const LEVEL = 2
const LOW = 3
const HIGH = 4
const MEDIAN = 5
const CLIPPED = 6
const TIME = 7
const MATCH_SUM = 8
const LOW_VIGILANCE = 9
const HIGH_VIGILANCE = 10
const ANOMALY_TIME = 11
const ANOMALY_MATCH = 12
const ANOMALIES = 13
const ANOMALY_SUM = 14
const SETTLING = 15
const RUN = 16
const UPDATED = 17
const READY = 18
const NUMBERS = 19

/** Levels of the scale, less one. */
const LEVELS = 80
/** A sample so close to the running median is the median. */
const SNAP = 0.075
/** The scale reaches so many ranges of the training window to either side of it. */
const WIDEN = 1
/** An extreme closer to the mean than this part of it is the mean. */
const PLAIN = 0.1
/** Samples after an anomaly in which another must be much stranger to be told. */
const MASK = 12
const FIRST_VIGILANCE = 0.8
const HIGHEST_VIGILANCE = 0.97
/** When so great a part of the recent samples lies outside the scale, the scale is of another time: train anew on the last window. */
const OUTGROWN = 0.5

/**
 * The novelty detector behind ARTime, built from its description: each block of rows becomes one sample, eight samples a shape (Haar coefficients
 * and values), and shapes are clustered by a fuzzy ART network whose vigilances follow the data. Causal: the scale is that of the training
 * window, widened by one range on either side. When the data leaves that scale for good, the last window is the new training window.
 */
export function openResonance({ block, training, categories }: ResonanceOptions, snapshot?: ResonanceState): ResonanceStream {
  // The network copies what is its own.
  const m: Memory = snapshot ? copyState({ ...snapshot, network: undefined }) : emptyMemory(block, training)
  const n = m.n
  let network = openNetwork(categories, snapshot?.network)

  const input = new Float32Array(INPUT)
  const shape = new Float64Array(SHAPE)
  const silent: Resonance = { novelty: NaN, surprise: 0 }
  const said = { novelty: NaN, surprise: 0 }
  // What was found by the last look, for `learn`.
  const seen = { sample: 0, mean: 0, least: 0, greatest: 0, level: 0, slot: 0, median: 0, outside: false, match: 0, newest: 0 }

  function takeSample(value: number): void {
    let least = value
    let greatest = value
    let sum = value
    for (let i = 0; i < block - 1; i++) {
      const x = m.rows[i]
      sum += x
      if (x < least) least = x
      if (x > greatest) greatest = x
    }
    const mean = sum / block
    const level = n[BLOCKS] === 0 ? mean : (n[LEVEL] + mean) / 2
    const extreme = Math.abs(least - level) > Math.abs(greatest - level) ? least : greatest
    seen.sample = Math.abs(extreme - mean) < PLAIN * mean ? mean : extreme
    seen.least = least
    seen.greatest = greatest
    seen.level = level
  }

  /** Scaled, rounded, and equal to the median when close to it; finds the new median, too. */
  function scale(sample: number): number {
    const range = n[HIGH] - n[LOW]
    const place = range > 0 ? (sample - n[LOW]) / range : sample > n[HIGH] ? 1 : sample < n[LOW] ? 0 : 0.5
    const slot = Math.round(clamp(place, 0, 1) * LEVELS)
    seen.outside = place < 0 || place > 1 || (range === 0 && sample !== n[HIGH])
    seen.slot = slot
    let median = n[MEDIAN]
    if (median < 0) median = slot
    else {
      const { levels } = m
      let total = 1
      let above = slot > median ? 1 : 0
      let below = slot < median ? 1 : 0
      for (let i = 0; i <= LEVELS; i++) {
        total += levels[i]
        if (i < median) below += levels[i]
        else if (i > median) above += levels[i]
      }
      const half = Math.floor(total / 2)
      if (above > half) {
        median++
        while (median !== slot && levels[median] === 0) median++
      } else if (below > half) {
        median--
        while (median !== slot && levels[median] === 0) median--
      }
    }
    seen.median = median
    const y = slot / LEVELS
    const middle = median / LEVELS
    return Math.abs(y - middle) < SNAP ? middle : y
  }

  function commitScale(): void {
    m.levels[seen.slot]++
    n[MEDIAN] = seen.median
  }

  function makeShape(sample: number): void {
    for (let i = 1; i < SHAPE; i++) shape[i - 1] = m.shape[i]
    shape[SHAPE - 1] = scale(sample)
    writeShape(shape, input)
  }

  function strengthOf(match: number, newest: number): number {
    const t = n[TIME] + 1
    if (t <= training || match >= n[LOW_VIGILANCE]) return 0
    const near = t - n[ANOMALY_TIME] <= MASK
    const settling = n[SETTLING] === 1 && !(t > training + MASK && n[RUN] >= MASK)
    if ((settling || near) && !(match < (near ? 0.9 : 0.7) * n[ANOMALY_MATCH])) return 0
    const a = Math.min(match, 0.999)
    const mismatch = (0.35 * (n[HIGH_VIGILANCE] - a) + 0.65 * (n[LOW_VIGILANCE] - a)) / (1 - a)
    return clamp(mismatch + 1.5 * (1 - newest), 0, 1)
  }

  /** Presents the shape in `input`; `taught` is false while the first shape is not complete. */
  function present(match: number, surprise: number, taught: boolean): void {
    const t = ++n[TIME]
    const matched = taught ? network.learn(input, n[LOW_VIGILANCE], n[HIGH_VIGILANCE]) : true
    m.matches[t % (training + 1)] = match
    m.gaps[t % (training + 1)] = n[HIGH_VIGILANCE] - match
    n[MATCH_SUM] += match
    if (t > training + MASK && n[RUN] >= MASK) n[SETTLING] = 0
    const sinceAnomaly = n[ANOMALY_TIME] > 0 ? t - n[ANOMALY_TIME] : Infinity
    const due = t > training && (sinceAnomaly === MASK || t - n[UPDATED] >= Math.floor(training / 2))
    if (due) updateVigilance(t)
    if (t > training && n[ANOMALIES] > 0 && sinceAnomaly < MASK && match < n[ANOMALY_MATCH]) {
      n[ANOMALY_SUM] += match - n[ANOMALY_MATCH]
      n[ANOMALY_MATCH] = match
    }
    if (surprise > 0) {
      n[ANOMALIES]++
      n[ANOMALY_SUM] += match
      n[ANOMALY_MATCH] = match
      n[ANOMALY_TIME] = t
    }
    if (!matched || due) n[SETTLING] = 1
    n[RUN] = matched ? n[RUN] + 1 : 0
  }

  function updateVigilance(t: number): void {
    const high = Math.min(HIGHEST_VIGILANCE, n[MATCH_SUM] / t)
    let low = n[LOW_VIGILANCE]
    let smallest = Infinity
    for (let i = 0; i <= Math.floor(training / 2) && i < t; i++)
      smallest = Math.min(smallest, m.matches[(t - i) % (training + 1)])
    if (low <= smallest) low += 0.19 * (smallest - low)
    else {
      let sum = 0
      let count = 0
      if (t > 2 * training)
        for (let i = 0; i <= training; i++) {
          const at = (t - i) % (training + 1)
          if (m.gaps[at] <= 0.05) continue
          sum += Math.min(0.37, high - m.matches[at])
          count++
        }
      const fall = 0.5 * Math.max(0.01, count > 0 ? sum / count : 0)
      low = Math.max(low - fall, n[ANOMALIES] > 0 ? n[ANOMALY_SUM] / n[ANOMALIES] : 0)
    }
    n[HIGH_VIGILANCE] = high
    n[LOW_VIGILANCE] = Math.min(low, high)
    n[UPDATED] = t
  }

  /** Trains on the last `training` samples: finds the first vigilance on the shapes in order of their strangeness, then presents them in order of time. */
  function train(): void {
    const first = n[BLOCKS] % training
    const at = (i: number) => (first + i) % training
    let low = Infinity
    let high = -Infinity
    for (let i = 0; i < training; i++) {
      low = Math.min(low, m.least[i])
      high = Math.max(high, m.greatest[i])
    }
    n[LOW] = low - WIDEN * (high - low)
    n[HIGH] = high + WIDEN * (high - low)
    n.fill(0, CLIPPED)
    n[MEDIAN] = -1
    m.levels.fill(0)
    m.shape.fill(0)
    const shapes: Float32Array[] = []
    for (let i = 0; i < training; i++) {
      makeShape(m.samples[at(i)])
      commitScale()
      m.shape.set(shape)
      shapes.push(input.slice())
    }
    const complete = shapes.slice(SHAPE - 1)
    network = openNetwork(categories)
    let sum = 0
    let count = 0
    for (const [k, i] of orderByStrangeness(complete).entries()) {
      const { match } = network.respond(complete[i], FIRST_VIGILANCE)
      network.learn(complete[i], FIRST_VIGILANCE, FIRST_VIGILANCE)
      if (k + 1 < Math.floor(training / 2)) continue
      sum += match
      count++
    }
    n[LOW_VIGILANCE] = n[HIGH_VIGILANCE] = count > 0 ? sum / count : FIRST_VIGILANCE
    network = openNetwork(categories)
    for (const [i, x] of shapes.entries()) {
      input.set(x)
      const taught = i >= SHAPE - 1
      present(taught ? network.respond(input, n[HIGH_VIGILANCE]).match : 0, 0, taught)
    }
    n[READY] = 1
  }

  return {
    look(value) {
      if (n[FILL] < block - 1) return silent
      takeSample(value)
      if (n[READY] === 0) return silent
      makeShape(seen.sample)
      const { match, newest } = network.respond(input, n[HIGH_VIGILANCE])
      seen.match = match
      said.novelty = 1 - match
      said.surprise = strengthOf(match, newest)
      return said
    },

    learn(value) {
      if (n[FILL] < block - 1) {
        m.rows[n[FILL]++] = value
        return
      }
      n[FILL] = 0
      const place = n[BLOCKS] % training
      n[LEVEL] = seen.level
      n[BLOCKS]++
      m.samples[place] = seen.sample
      m.least[place] = seen.least
      m.greatest[place] = seen.greatest
      if (n[READY] === 0) {
        if (n[BLOCKS] >= training) train()
        return
      }
      commitScale()
      m.shape.set(shape)
      present(seen.match, said.surprise, true)
      n[CLIPPED] += (2 / training) * ((seen.outside ? 1 : 0) - n[CLIPPED])
      if (n[CLIPPED] > OUTGROWN) train()
    },

    snapshot: () => ({ ...copyState(m), network: n[READY] === 1 ? network.snapshot() : undefined }),
  }
}

function emptyMemory(block: number, training: number): Memory {
  const n = new Float64Array(NUMBERS)
  n[MEDIAN] = -1
  return {
    rows: new Float64Array(block - 1),
    samples: new Float64Array(training),
    least: new Float64Array(training),
    greatest: new Float64Array(training),
    shape: new Float64Array(SHAPE),
    levels: new Float64Array(LEVELS + 1),
    matches: new Float64Array(training + 1),
    gaps: new Float64Array(training + 1),
    network: undefined,
    n,
  }
}

/** Places of the shapes by ascending sum of cosine similarities to all of them. */
function orderByStrangeness(shapes: readonly Float32Array[]): number[] {
  const norms = shapes.map(x => Math.hypot(...x))
  const sums = shapes.map((x, i) => {
    let sum = 0
    for (const [j, y] of shapes.entries()) {
      if (norms[i] === 0 || norms[j] === 0) sum += 1 - (norms[i] || norms[j])
      else {
        let product = 0
        for (let k = 0; k < INPUT; k++) product += x[k] * y[k]
        sum += product / norms[i] / norms[j]
      }
    }
    return sum
  })
  return shapes.map((_, i) => i).sort((a, b) => sums[a] - sums[b] || a - b)
}
