import { z } from 'zod'
import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { factorCholesky, solveLower } from '../math/cholesky.ts'
import { isMeasured } from '../math/is-measured.ts'
import type { RunningScale } from '../math/running-scale.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { normalQuantile } from '../math/student-t.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z
  .strictObject({
    window: z.int().min(2).max(100).default(19).describe('rows that are compared together'),
    neighbours: z.int().min(1).max(100).default(27).describe('nearest earlier windows whose distances are added up'),
    training: z
      .int()
      .min(50)
      .max(5000)
      .default(400)
      .describe(
        'windows that are searched, and later ones that say what distance is usual; 24 bytes each, and a microsecond per fifty',
      ),
    band: z.number().positive().default(4).describe('half width of the band in robust standard deviations of the forecast'),
  })
  .refine(({ training, neighbours }) => training >= 2 * neighbours, {
    path: ['training'],
    message: 'must be at least twice the neighbours',
  })

/** Calibration scores before the first judgement. */
const FIRST = 50
/** From this share of the calibration scores on, the distance itself says how extreme a row is. */
const TAIL = 0.95
/** The distance counts at most so many times the tail's. */
const MOST = 1000
/** Share of the mean variance that is added to every one, and of the level that is rounding. */
const RIDGE = 0.01
const FLOOR = 0.01
const RESIDUAL_FLOOR = 0.005

/**
 * Lazy drifting conformal detector (Ishimtsev, Bernstein, Burnaev & Nazarov 2017, sections 3 and 4): the sum of squared Mahalanobis distances of the
 * last `window` rows from their nearest neighbours among windows that are `training` rows old or older, ranked among those of the last `training` rows.
 * Departures: the covariance is centred, with a ridge; the p-value of the rank is said as a normal deviate, and multiplied by the distance relative
 * to the 95th percentile, since a rank alone cannot tell a large distance from a huge one. What followed the neighbours is expected. Missing rows are skipped.
 */
export const nearestNeighbours = component({
  type: 'nearest-neighbours',
  summary: 'How far the last rows lie from the most similar earlier ones, ranked among the usual distances (conformal).',
  config,
  create: options => fromStream({ lookback: WEEK, open: snapshot => openNeighbours(options, snapshot) }),
  examples: [{}, { window: 19, neighbours: 5, training: 100 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  rows: number
  /** The last values, as a ring: training, calibration and one window. */
  values: Float64Array
  /** Factor of the covariance of windows; empty before the first training. */
  factor: Float64Array
  /** Calibration scores of the last rows, as a ring. */
  usual: Float64Array
  usualCount: number
  forecast: number
  residual: RunningScale
}

function openNeighbours({ window, neighbours, training, band }: z.output<typeof config>, snapshot?: State): Stream {
  const size = 2 * training + window
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          rows: 0,
          values: new Float64Array(size),
          factor: new Float64Array(0),
          usual: new Float64Array(training),
          usualCount: 0,
          forecast: NaN,
          residual: emptyScale(),
        }
  // Whitened training windows by row of their end, modulo training; made anew from the values after a restart.
  const trained = new Float64Array(training * window)
  const whitened = new Float64Array(window)
  const sorted = new Float64Array(training)
  // The nearest so far, ascending, and the rows of their ends.
  const nearest = new Float64Array(neighbours)
  const ends = new Float64Array(neighbours)
  let pending = NaN
  let found = NaN
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  if (m.factor.length > 0) whitenAll()
  sorted.set(m.usual.subarray(0, Math.min(m.usualCount, training)))
  sorted.subarray(0, Math.min(m.usualCount, training)).sort()

  /** First and last row whose windows are searched at a row. */
  function searched(row: number): [number, number] {
    const last = Math.max(window - 1 + training - 1, row - training)
    return [last - training + 1, last]
  }

  /** Whitens the window that ends at the row, in which `value` is the newest when given. */
  function whiten(row: number, out: Float64Array, value?: number): void {
    for (let i = 0; i < window; i++) out[i] = m.values[(row - window + 1 + i) % size]
    if (value !== undefined) out[window - 1] = value
    solveLower(m.factor, window, out)
  }

  function place(row: number): void {
    whiten(row, whitened)
    trained.set(whitened, (row % training) * window)
  }

  function whitenAll(): void {
    const [first, last] = searched(m.rows)
    for (let row = first; row <= last; row++) place(row)
  }

  function train(): void {
    const [first, last] = searched(m.rows)
    const mean = new Float64Array(window)
    const covariance = new Float64Array(window * window)
    const at = (row: number, i: number) => m.values[(row - window + 1 + i) % size]
    for (let row = first; row <= last; row++) for (let i = 0; i < window; i++) mean[i] += at(row, i) / training
    for (let row = first; row <= last; row++)
      for (let i = 0; i < window; i++)
        for (let j = 0; j <= i; j++) covariance[i * window + j] += ((at(row, i) - mean[i]) * (at(row, j) - mean[j])) / training
    let trace = 0
    for (let i = 0; i < window; i++) trace += covariance[i * window + i] / window
    m.factor = factorCholesky(covariance, window, RIDGE * trace + (FLOOR * mean[0]) ** 2 + 1e-12)
    whitenAll()
  }

  /** Sum of the distances of the window that ends at the row from its nearest neighbours. */
  function measure(row: number, value: number): number {
    whiten(row, whitened, value)
    const [first, last] = searched(row)
    nearest.fill(Infinity)
    for (let other = first; other <= last; other++) {
      const from = (other % training) * window
      let distance = 0
      for (let i = 0; i < window; i++) {
        const difference = whitened[i] - trained[from + i]
        distance += difference * difference
      }
      if (!(distance < nearest[neighbours - 1])) continue
      let i = neighbours - 1
      for (; i > 0 && nearest[i - 1] > distance; i--) {
        nearest[i] = nearest[i - 1]
        ends[i] = ends[i - 1]
      }
      nearest[i] = distance
      ends[i] = other
    }
    let sum = 0
    for (let i = 0; i < neighbours; i++) sum += nearest[i]
    return Math.min(sum, 1e290)
  }

  function look(value: number): void {
    if (pending === value) return
    found = measure(m.rows, value)
    pending = value
  }

  /** How many calibration scores are below. */
  function rank(value: number): number {
    let low = 0
    let high = Math.min(m.usualCount, training)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle] < value) low = middle + 1
      else high = middle
    }
    return low
  }

  function scoreOf(value: number): number {
    const count = Math.min(m.usualCount, training)
    const below = rank(value)
    if (below === 0) return 0
    const tail = sorted[Math.floor(TAIL * (count - 1))]
    const times = value > tail ? Math.min(MOST, Math.sqrt(value / Math.max(tail, 1e-9))) : 1
    return Math.abs(normalQuantile((1 + count - below) / (count + 1) / 2)) * times
  }

  function learnUsual(value: number): void {
    const at = m.usualCount % training
    const count = Math.min(m.usualCount, training)
    if (count === training) {
      const old = rank(m.usual[at])
      sorted.copyWithin(old, old + 1, count)
    }
    const left = count === training ? count - 1 : count
    let low = 0
    for (let high = left; low < high; ) {
      const middle = (low + high) >>> 1
      if (sorted[middle] < value) low = middle + 1
      else high = middle
    }
    sorted.copyWithin(low + 1, low, left)
    sorted[low] = value
    m.usual[at] = value
    m.usualCount++
  }

  /** Mean of what followed the neighbours. */
  function forecast(): number {
    let sum = 0
    for (let i = 0; i < neighbours; i++) sum += m.values[(ends[i] + 1) % size]
    return sum / neighbours
  }

  const floorAt = (expected: number) => Math.max(RESIDUAL_FLOOR * Math.abs(expected), 1e-12)

  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.usualCount < FIRST) return judgement
      const margin = band * scaleOf(m.residual, floorAt(m.forecast))
      judgement.expected = m.forecast
      judgement.lower = m.forecast - margin
      judgement.upper = m.forecast + margin
      if (!isMeasured(x)) return judgement
      look(x)
      judgement.score = scoreOf(found)
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      if (m.factor.length > 0) {
        look(x)
        learnUsual(found)
        if (!Number.isNaN(m.forecast)) learnScale(m.residual, x - m.forecast, 2 * training, floorAt(m.forecast))
      }
      pending = NaN
      m.values[m.rows % size] = x
      m.rows++
      const ready = window - 1 + training
      if (m.rows >= ready && (m.rows - ready) % training === 0) train()
      else if (m.factor.length > 0 && m.rows - training >= ready) place(m.rows - training)
      if (m.usualCount > 0) m.forecast = forecast()
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
