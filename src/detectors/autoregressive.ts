import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { factorCholesky, solveCholesky } from '../math/cholesky.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { startInverse, updateLeastSquares } from '../math/recursive-least-squares.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  lags: z.number().int().min(1).max(200).default(20).describe('rows that the next one is predicted from'),
  fit: z
    .enum(['recursive', 'scheduled'])
    .default('recursive')
    .describe('recursive: with every row, old rows forgotten; scheduled: ridge regression over the history, twice per history'),
  forget: z.number().min(0.9).max(1).default(0.9995).describe('recursive: weight that a row keeps from one row to the next'),
  ridge: z.number().positive().default(1e-4).describe('scheduled: penalty on large weights, per equation'),
  history: z.number().int().min(500).max(100_000).default(4000).describe('scheduled: rows that are kept, 8 bytes each'),
  clip: z.number().positive().default(5).describe('an error teaches at most so many scales'),
  band: z.number().positive().default(4).describe('half width of the band in scales of the error'),
})

/** Of the expected value: smaller errors are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps scores below 1,000. */
const SEEN_FLOOR = 0.001
/** So many clipped errors on one side are no incident but a new level. */
const NEW_LEVEL = 5
/** Rows count as absent after a silence of so many usual steps: less may be a late scrape. */
const SILENCE = 2.5
/** Values so many units from the centre call for new ones. */
const FAR = 1000
/** The scale follows over about ten thousand rows, so that a calm night does not make the morning strange. */
const SCALE_GAIN = 0.0001

/**
 * Linear prediction from the last rows (Hamilton 1994, ch. 3; recursive: Haykin, Adaptive Filter Theory, ch. 10), in units of the first rows.
 * What is learned of a row is clipped, in the weights and in the lags, so that a spike is no echo. A missing row is as expected; after more
 * than half the lags are missing, the lags start anew at the next value. Rows that are absent for 2.5 usual steps or more are missing too. The score is |error| in scales of the clipped error. Memory:
 * recursive 8·lags² bytes (4 KB at 20 lags), scheduled 8 bytes per row of history.
 */
export const autoregressive = component({
  type: 'autoregressive',
  summary: 'Distance from what the last rows predict (linear autoregression), learned row by row.',
  config,
  create: options => fromStream({ lookback: DAY, open: snapshot => openAutoregressive(options, snapshot) }),
  examples: [{}, { lags: 30, fit: 'scheduled', history: 1000 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  /** Known rows so far; large counts wrap. */
  count: number
  /** First rows, until units are known; then empty. */
  first: Float64Array
  centre: number
  unit: number
  /** Rows as they were learned and as they were, newest last, in the unit of the metric. */
  taught: Float64Array
  seen: Float64Array
  missing: number
  /** Of the last row, and the usual ms from one to the next; NaN before there are any. */
  time: number
  step: number
  /** For the newest row first …, then the constant. */
  weights: Float64Array
  /** Recursive only. */
  inverse: Float64Array
  /** Scheduled only: learned rows by number modulo the size, NaN where missing. */
  history: Float64Array
  rows: number
  nextFit: number
  variance: number
  judged: number
  /** Clipped errors in a row; negative below what was expected. */
  run: number
}

function openAutoregressive(options: z.output<typeof config>, snapshot?: State): Stream {
  const { lags, fit, forget, ridge, clip, band } = options
  const warmUp = Math.max(50, 3 * lags)
  const recursive = fit === 'recursive'
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          count: 0,
          first: new Float64Array(warmUp),
          centre: 0,
          unit: 1,
          taught: new Float64Array(lags),
          seen: new Float64Array(lags),
          missing: 0,
          time: NaN,
          step: NaN,
          weights: new Float64Array(lags + 1),
          inverse: new Float64Array(recursive ? (lags + 1) ** 2 : 0),
          history: new Float64Array(recursive ? 0 : options.history).fill(NaN),
          rows: 0,
          nextFit: warmUp,
          variance: 0,
          judged: 0,
          run: 0,
        }
  m.time ??= NaN
  m.step ??= NaN
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const features = new Float64Array(lags + 1)
  const gain = new Float64Array(lags + 1)

  const scaleAt = (expected: number, x: number) =>
    Math.max(Math.sqrt(m.variance), FLOOR * Math.abs(expected), SEEN_FLOOR * Math.abs(x), 1e-12)

  /** The lags are in the middle of a gap that is too long to bridge. */
  const isLost = () => m.missing > lags / 2

  /** Rows that should have come since the last one; when there are more than can be bridged it does not matter how many. */
  const absentAt = (time: number) =>
    time - m.time >= SILENCE * m.step ? Math.min(Math.round((time - m.time) / m.step) - 1, lags) : 0

  /** One row of a gap: as expected. */
  function skip(): void {
    m.missing = Math.min(m.missing + 1, 1e9)
    const expected = isLost() ? m.taught[lags - 1] : predict()
    push(expected, expected)
    if (!recursive) m.history[(m.rows - 1) % options.history] = NaN
  }

  /** What comes next after so many absent rows; NaN when that are too many. Changes nothing. */
  function predictAfter(absent: number): number {
    if (m.missing + absent > lags / 2) return NaN
    if (absent === 0) return predict()
    const [taught, seen] = [m.taught.slice(), m.seen.slice()]
    for (let i = 0; i < absent; i++) {
      const expected = predict()
      pushLags(expected, expected)
    }
    const expected = predict()
    m.taught.set(taught)
    m.seen.set(seen)
    return expected
  }

  /** Held within one range of the last rows, because a model that has gone wrong must not run away on its own predictions. */
  function predict(): number {
    const { taught, seen, weights, centre, unit } = m
    let sum = weights[lags]
    let low = seen[0]
    let high = low
    for (let i = 0; i < lags; i++) {
      sum += (weights[i] * (taught[lags - 1 - i] - centre)) / unit
      low = Math.min(low, seen[i])
      high = Math.max(high, seen[i])
    }
    const room = Math.max(high - low, clip * Math.sqrt(m.variance))
    return clamp(centre + unit * sum, low - room, high + room)
  }

  function pushLags(taught: number, seen: number): void {
    m.taught.copyWithin(0, 1)
    m.taught[lags - 1] = taught
    m.seen.copyWithin(0, 1)
    m.seen[lags - 1] = seen
  }

  function push(taught: number, seen: number): void {
    pushLags(taught, seen)
    if (recursive) return
    m.history[m.rows % options.history] = taught
    m.rows = m.rows + 1 >= 1000 * options.history ? m.rows + 1 - 999 * options.history : m.rows + 1
  }

  function start(): void {
    const { first } = m
    m.centre = median(first)
    m.unit = unitOf(first)
    m.first = new Float64Array(0)
    m.variance = mad(first.map((value, i) => (i > 0 ? value - first[i - 1] : NaN))) ** 2
    m.seen.fill(first[0])
    startWeights()
    for (const value of first) take(value)
  }

  const unitOf = (values: Float64Array) => {
    let sum = 0
    let squares = 0
    for (const value of values) sum += value
    const mean = sum / values.length
    for (const value of values) squares += (value - mean) ** 2
    return Math.max(Math.sqrt(squares / values.length), FLOOR * Math.abs(mean), 1e-9)
  }

  function take(x: number): void {
    const expected = predict()
    const scale = scaleAt(expected, x)
    const error = clamp(x - expected, -clip * scale, clip * scale)
    const side = Math.sign(x - expected - error)
    m.run = side === 0 ? 0 : Math.sign(m.run) === side ? m.run + side : side
    m.judged = Math.min(m.judged + 1, 1e9)
    m.variance += Math.max(1 / (m.judged + 10), SCALE_GAIN) * (error * error - m.variance)
    if (recursive) {
      for (let i = 0; i < lags; i++) features[i] = (m.taught[lags - 1 - i] - m.centre) / m.unit
      features[lags] = 1
      updateLeastSquares(m.weights, m.inverse, features, error / m.unit, forget, gain)
    }
    push(expected + error, x)
    if (Math.abs(m.run) >= NEW_LEVEL) {
      m.taught.set(m.seen)
      m.run = 0
    }
    if (Math.abs(m.taught[lags - 1] - m.centre) > FAR * m.unit) renew()
    if (!Number.isFinite(predict())) startWeights()
  }

  /** New centre and unit; weights of lags stay what they were, that of the constant follows. */
  function renew(): void {
    const centre = median(m.taught)
    const unit = unitOf(m.taught)
    let sum = 0
    for (let i = 0; i < lags; i++) sum += m.weights[i]
    m.weights[lags] = (m.weights[lags] * m.unit + (m.centre - centre) * (1 - sum)) / unit
    m.centre = centre
    m.unit = unit
    if (recursive) startInverse(m.inverse, lags + 1)
  }

  /** The next row is like the last one. */
  function startWeights(): void {
    m.weights.fill(0)
    m.weights[0] = 1
    if (recursive) startInverse(m.inverse, lags + 1)
    m.taught.set(m.seen)
  }

  /** Ridge regression over the history (normal equations); kept weights where it has no solution. */
  function refit(): void {
    const n = lags + 1
    const size = options.history
    const normal = new Float64Array(n * n)
    const right = new Float64Array(n)
    const known = Math.min(m.rows, size)
    const z = new Float64Array(known)
    for (let i = 0; i < known; i++) z[i] = (m.history[(m.rows - known + i) % size] - m.centre) / m.unit
    let equations = 0
    let unknown = lags
    for (let t = 0; t < known; t++) {
      if (unknown === 0 && !Number.isNaN(z[t])) {
        for (let i = 0; i < lags; i++) {
          const value = z[t - 1 - i]
          const row = i * n
          for (let j = 0; j <= i; j++) normal[row + j] += value * z[t - 1 - j]
          right[i] += value * z[t]
          normal[lags * n + i] += value
        }
        right[lags] += z[t]
        equations++
      }
      unknown = Number.isNaN(z[t]) ? lags : Math.max(0, unknown - 1)
    }
    if (equations < 2 * lags) return
    normal[lags * n + lags] = equations
    try {
      m.weights.set(solveCholesky(factorCholesky(normal, n, ridge * equations), n, right))
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.first.length > 0) return judgement
      const expected = predictAfter(absentAt(time))
      if (Number.isNaN(expected)) return judgement
      const margin = band * scaleAt(expected, expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / scaleAt(expected, x)
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      const measured = isMeasured(x)
      const absent = absentAt(time)
      const step = time - m.time
      if (!(step <= 0)) {
        m.step = Number.isNaN(m.step) ? step : m.step + (Math.min(step, 2 * m.step) - m.step) / 20
        m.time = time
      }
      if (m.first.length > 0) {
        if (!measured) return
        m.first[m.count++] = x
        if (m.count === m.first.length) start()
        return
      }
      for (let i = 0; i < absent; i++) skip()
      if (!measured) skip()
      else if (isLost()) {
        m.taught.fill(x)
        m.seen.fill(x)
        m.missing = 0
        m.run = 0
      } else {
        m.missing = 0
        take(x)
      }
      if (recursive) return
      m.count = Math.min(m.count + 1, 1e15)
      if (m.count < m.nextFit) return
      refit()
      m.nextFit = m.count + Math.min(m.count, options.history / 2)
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
