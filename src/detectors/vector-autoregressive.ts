import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { factorCholesky, solveCholesky } from '../math/cholesky.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  lags: z.int().min(1).max(10).default(1).describe('rows before the row from which every channel is predicted'),
  ridge: z.number().positive().default(0.1).describe('shrinks the weights: variance added to every channel of unit variance'),
  clip: z.number().positive().default(10).describe('a channel teaches and predicts with at most so many standard deviations'),
  smooth: z.number().min(1).default(10).describe('rows by which the ranking score forgets; 1 for none'),
  memory: z.int().min(100).default(20_000).describe('rows by which weights and scales forget'),
  band: z.number().positive().default(4).describe('half width of the band in standard deviations of the residual'),
})
export type VectorAutoregressiveConfig = z.output<typeof config>

/**
 * Ridge regression of every channel on the last rows of all channels (vector autoregression: Lütkepohl 2005, 2.1 and 3.2; ridge: Hoerl &
 * Kennard 1970), from lag covariances that are updated row by row, so the fit needs no history (Yule–Walker: Lütkepohl 3.3.4). Weights are
 * refitted at 32, 64, … 2,048 rows and every 2,048 rows after that. Residuals are divided by their own running standard deviation; the length of
 * that vector is the score, smoothed by an exponential mean of its squares. A channel contributes the square of its residual in standard
 * deviations, the largest of which names the `channel`. When calm, the score is about the root of the number of channels.
 *
 * A channel that misses up to 3 rows is held, after that it is as predicted, and its next value is not judged: its lags start anew there.
 * So do those of all channels after no rows for 5 steps.
 *
 * Memory: 8 (lags + 1 + lags) k² bytes and 88 k for k channels (k = 38, one lag: 38 KB). Above 64 channels, blocks of at most 64 neighbours are
 * predicted apart, so that it grows with k and not with k²; lags × channels of a block are held below 320 by using fewer lags.
 */
export const vectorAutoregressive = component({
  type: 'vector-autoregressive',
  summary: 'Length of the residual of many metrics when each is predicted from the last rows of all of them.',
  config,
  create: options =>
    fromStream({ lookback: 6 * HOUR, multivariate: true, open: snapshot => openVectorAutoregressive(options, snapshot) }),
  examples: [{}, { lags: 3, smooth: 1 }],
})

/** Rows before the first fit; refits double from here. */
const FIRST_FIT = 32
const EVERY = 2048
/** Residuals before a channel has a scale of its own. */
const WARM_UP = 8
const BLOCK = 64
const FEATURES = 320
/** Residuals of more standard deviations count by their logarithm: one wild channel must not hide all others. */
const CAP = 6
/** A row lets a squared scale grow by at most this part: an outage of 10 rows multiplies it by 2.6 at most, one of 100 rows is the new usual. */
const GROWTH = 0.1
/** Scales are at least this part of the range of a channel; of its level where it never moved; of the value seen. */
const RANGE_FLOOR = 0.025
const FLAT_FLOOR = 0.01
const SEEN_FLOOR = 0.001
/** A silence is so many usual steps; the rows before it tell nothing of the one after it. */
const GAP = 5
/** A channel that misses no more rows is held; it moves little meanwhile. */
const HELD = 3
/** How much faster than a mean of all rows a scale forgets its first rows, which were predicted badly. */
const HASTE = 2

/** A block of channels. All values are relative to `origin`, so that a large level does not cost digits. */
interface Block extends Record<string, unknown> {
  size: number
  lags: number
  /** Rows that taught, forgotten by `memory`; and how many there ever were. */
  weight: number
  rows: number
  origin: Float64Array
  low: Float64Array
  high: Float64Array
  sum: Float64Array
  /** Per lag 0 … lags: Σ y(t) y(t − lag)ᵀ. */
  covariance: Float64Array[]
  /** The last rows as they taught, newest first. */
  past: Float64Array
  /** Per feature a row of weights per channel; empty before the first fit. */
  weights: Float64Array
  offset: Float64Array
  mean: Float64Array
  /** Values teach and predict within mean ± reach: `clip` standard deviations. */
  reach: Float64Array
  variance: Float64Array
  count: Float64Array
  /** Rows since the channel was known. */
  missing: Float64Array
}

interface Memory {
  version: 1
  time: number
  step: number
  energy: number
  blocks: Block[]
}

function emptyBlock(size: number, lags: number): Block {
  const perChannel = () => new Float64Array(size)
  return {
    size,
    lags,
    weight: 0,
    rows: 0,
    origin: perChannel().fill(NaN),
    low: perChannel().fill(Infinity),
    high: perChannel().fill(-Infinity),
    sum: perChannel(),
    covariance: Array.from({ length: lags + 1 }, () => new Float64Array(size * size)),
    past: new Float64Array(size * lags),
    weights: new Float64Array(0),
    offset: perChannel(),
    mean: perChannel(),
    reach: perChannel(),
    variance: perChannel(),
    count: perChannel(),
    missing: perChannel(),
  }
}

/** A stream for rows of any number of columns; `alarm` is the unsmoothed score. */
export function openVectorAutoregressive(options: VectorAutoregressiveConfig, snapshot?: State): Stream {
  const { band, smooth } = options
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : { version: 1, time: NaN, step: NaN, energy: NaN, blocks: [] }
  for (const block of m.blocks) block.missing ??= new Float64Array(block.size)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }
  const clean = new Float64Array(BLOCK)
  // What each block will be, kept until it learns.
  let forecasts: Float64Array[] = []
  let forecastOfGap: boolean | undefined

  function forecast(time: number): void {
    const gap = time - m.time > GAP * m.step
    if (gap === forecastOfGap) return
    forecastOfGap = gap
    if (forecasts.length === 0) forecasts = m.blocks.map(({ size }) => new Float64Array(size))
    m.blocks.forEach((block, i) => {
      if (block.weights.length > 0) predict(block, gap, forecasts[i])
    })
  }

  /** Says the row in `judgement` and returns its energy: the squared length of the standardised residual; NaN while undecided. */
  function look(time: number, row: ArrayLike<number>): number {
    forecast(time)
    let energy = 0
    let known = 0
    let strangest = -1
    let at = 0
    judgement.value = row[0] ?? NaN
    judgement.expected = judgement.lower = judgement.upper = judgement.channel = NaN
    const contributions = clearContributions(judgement, row.length)
    for (let b = 0; b < m.blocks.length; b++) {
      const block = m.blocks[b]
      const { size, origin } = block
      for (let j = 0; j < size; j++) {
        const x = row[at + j]
        if (!isMeasured(x) || block.weights.length === 0 || block.count[j] < WARM_UP) continue
        if (forecastOfGap || block.missing[j] > HELD) continue
        const expected = forecasts[b][j] + origin[j]
        const scale = scaleOf(block, j, x)
        const strangeness = Math.min(Math.abs(x - expected) / scale, 1e12)
        const counted = strangeness <= CAP ? strangeness : CAP * (1 + Math.log(strangeness / CAP))
        known++
        energy += counted * counted
        if (contributions) contributions[at + j] = counted * counted
        if (!(counted > strangest)) continue
        strangest = counted
        const margin = band * scaleOf(block, j, expected)
        judgement.value = x
        judgement.expected = expected
        judgement.lower = expected - margin
        judgement.upper = expected + margin
        judgement.channel = at + j
      }
      at += size
    }
    return known > 0 ? (energy * at) / known : NaN
  }
  const smoothed = (energy: number) => (Number.isNaN(m.energy) ? energy : m.energy + (energy - m.energy) / smooth)

  return {
    score(time, row) {
      const energy = look(time, row)
      judgement.score = Math.sqrt(smoothed(energy))
      judgement.alarm = Math.sqrt(energy)
      return judgement
    },
    learn(time, row) {
      if (m.blocks.length === 0) m.blocks = fromWidth(row.length, options.lags)
      const energy = look(time, row)
      if (!Number.isNaN(energy)) m.energy = smoothed(energy)
      let at = 0
      m.blocks.forEach((block, i) => {
        learnRow(block, row, at, options, forecasts[i], forecastOfGap === true, clean)
        at += block.size
      })
      forecastOfGap = undefined
      const step = time - m.time
      if (step > 0) m.step = Number.isNaN(m.step) ? step : m.step + (Math.min(step, 2 * m.step) - m.step) / 20
      m.time = time
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}

function fromWidth(width: number, lags: number): Block[] {
  const count = Math.ceil(width / BLOCK)
  return Array.from({ length: count }, (_, i) => {
    const size = Math.floor(((i + 1) * width) / count) - Math.floor((i * width) / count)
    return emptyBlock(size, Math.max(1, Math.min(lags, Math.floor(FEATURES / size))))
  })
}

/** What every channel will be, relative to its origin. */
function predict(block: Block, gap: boolean, out: Float64Array): void {
  const { size, lags, past, weights, mean } = block
  out.set(gap ? mean : block.offset)
  if (gap) return
  for (let f = 0; f < size * lags; f++) {
    const value = past[f]
    if (value === 0) continue
    const at = f * size
    for (let j = 0; j < size; j++) out[j] += value * weights[at + j]
  }
}

function scaleOf(block: Block, j: number, seen: number): number {
  const range = block.high[j] - block.low[j]
  const floor = range > 0 ? RANGE_FLOOR * range : FLAT_FLOOR * Math.abs(block.origin[j])
  return Math.max(Math.sqrt(block.variance[j]), floor, SEEN_FLOOR * Math.abs(seen), 1e-12)
}

function learnRow(
  block: Block,
  row: ArrayLike<number>,
  at: number,
  options: VectorAutoregressiveConfig,
  predicted: Float64Array,
  silence: boolean,
  clean: Float64Array,
): void {
  const { size, lags, past, origin, covariance, sum, low, high, missing } = block
  const fitted = block.weights.length > 0
  for (let j = 0; j < size; j++) {
    const x = row[at + j]
    const known = isMeasured(x)
    if (known && Number.isNaN(origin[j])) origin[j] = x
    if (!known) {
      missing[j] = Math.min(missing[j] + 1, 1e9)
      clean[j] = fitted && missing[j] > HELD ? predicted[j] : past[j]
      continue
    }
    const value = x - origin[j]
    const reach = block.reach[j]
    clean[j] = fitted ? clamp(value, block.mean[j] - reach, block.mean[j] + reach) : value
    if (fitted && !silence && missing[j] <= HELD) {
      const error = value - predicted[j]
      const most = block.count[j] >= WARM_UP ? GROWTH * scaleOf(block, j, 0) ** 2 : Infinity
      block.count[j] = Math.min(block.count[j] + 1, options.memory)
      block.variance[j] += Math.min(most, (error * error - block.variance[j]) * Math.min(1, HASTE / block.count[j]))
    }
    low[j] = clean[j] < low[j] ? clean[j] : low[j] + (clean[j] - low[j]) / options.memory
    high[j] = clean[j] > high[j] ? clean[j] : high[j] + (clean[j] - high[j]) / options.memory
  }
  const keep = 1 - 1 / options.memory
  block.weight = keep * block.weight + 1
  block.rows = Math.min(block.rows + 1, 1e9)
  for (let j = 0; j < size; j++) sum[j] = keep * sum[j] + clean[j]
  accumulate(covariance[0], keep, clean, clean, 0, 1, size)
  // Both factors of a product are weighted by the root of their own age, which keeps the covariances those of one (weighted) sequence.
  for (let lag = 1; lag <= lags; lag++) accumulate(covariance[lag], keep, clean, past, (lag - 1) * size, keep ** (lag / 2), size)
  past.copyWithin(size, 0, (lags - 1) * size)
  for (let j = 0; j < size; j++) {
    past[j] = clean[j]
    if (!isMeasured(row[at + j])) continue
    if (silence || missing[j] > HELD) for (let lag = 1; lag < lags; lag++) past[lag * size + j] = clean[j]
    missing[j] = 0
  }
  if (block.rows % EVERY === 0 || (block.rows < EVERY && block.rows >= FIRST_FIT && Number.isInteger(Math.log2(block.rows))))
    fit(block, options)
}

function accumulate(
  into: Float64Array,
  keep: number,
  left: Float64Array,
  right: Float64Array,
  from: number,
  factor: number,
  size: number,
): void {
  for (let a = 0; a < size; a++) {
    const value = left[a] * factor
    const at = a * size
    for (let b = 0; b < size; b++) into[at + b] = keep * into[at + b] + value * right[from + b]
  }
}

/** Solves the normal equations of channels scaled to unit variance. Keeps the old weights when they cannot be solved. */
function fit(block: Block, { ridge, clip }: VectorAutoregressiveConfig): void {
  const { size, lags, weight, covariance, sum, low, high } = block
  const features = size * lags
  const mean = sum.map(value => value / weight)
  const spread = mean.map((value, j) => {
    const variance = covariance[0][j * size + j] / weight - value * value
    const range = high[j] - low[j]
    return Math.max(Math.sqrt(Math.max(0, variance)), range > 0 ? RANGE_FLOOR * range : 0) || 1
  })
  const moment = (lag: number, a: number, b: number) =>
    (covariance[lag][a * size + b] / weight - mean[a] * mean[b]) / (spread[a] * spread[b])
  const matrix = new Float64Array(features * features)
  const weights = new Float64Array(features * size)
  for (let older = 0; older < lags; older++)
    for (let newer = 0; newer <= older; newer++)
      for (let a = 0; a < size; a++)
        for (let b = 0; b < size; b++) matrix[(older * size + a) * features + newer * size + b] = moment(older - newer, b, a)
  for (let lag = 0; lag < lags; lag++)
    for (let a = 0; a < size; a++) for (let j = 0; j < size; j++) weights[(lag * size + a) * size + j] = moment(lag + 1, j, a)
  // Few rows know little of many weights: as many rows that say nothing are added as there are features.
  if (!solve(matrix, features, weights, size, ridge + features / weight)) return
  for (let f = 0; f < features; f++) for (let j = 0; j < size; j++) weights[f * size + j] *= spread[j] / spread[f % size]
  block.offset = mean.map((value, j) => {
    let offset = value
    for (let f = 0; f < features; f++) offset -= weights[f * size + j] * mean[f % size]
    return offset
  })
  block.weights = weights
  block.reach = spread.map((value, j) => (high[j] > low[j] ? clip * value : Infinity))
  block.mean = mean
}

/** With more ridge where the ends of a short series leave the matrix indefinite. */
function solve(matrix: Float64Array, features: number, right: Float64Array, columns: number, ridge: number): boolean {
  const factor = new Float64Array(features * features)
  for (let more = ridge; more < 1e6 * ridge; more *= 10)
    try {
      solveCholesky(factorCholesky(matrix, features, more, factor), features, right, columns)
      return true
    } catch {}
  return false
}
