import { z } from 'zod'
import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { median } from '../math/median.ts'
import type { RunningScale } from '../math/running-scale.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z
  .strictObject({
    window: z.int().min(8).max(2880).default(100).describe('rows of a shape'),
    history: z
      .int()
      .min(100)
      .max(100_000)
      .default(10_080)
      .describe('rows in which the nearest earlier shape is sought; a row costs 16 bytes and about a nanosecond per new row'),
    band: z.number().positive().default(4).describe('half width of the band in robust standard deviations of the forecast'),
  })
  .refine(({ window, history }) => history >= 4 * window, { path: ['history'], message: 'must be at least four windows' })

/** Rows after which running sums are made anew, since their rounding errors add up. */
const REFRESH = 512
/** Values that the usual distance is learned from, at most. */
const MEMORY = 2000
const FIRST = 20
/** Of the distance, which is 0 for the same shape, 1 for unrelated and √2 for opposite ones. */
const DISTANCE_FLOOR = 0.02
/** Standard deviation below which a window is constant, of its level. */
const CONSTANT = 1e-9
/** Half of a constant window's squared distance from one that is not: √window by definition. */
const TO_CONSTANT = 0.5
const FLOOR = 0.005

/**
 * Left matrix profile (Yeh et al. 2016; left profile and streaming: STUMPI of section 3.5 there, LAMP and DAMP of Lu et al. 2022):
 * distance √(1 − ρ) of the window that ends at the row from its nearest earlier, not overlapping window by z-normalised shape. Dot products of
 * all lags go from row to row (STOMP, Zhu et al. 2016, section 3). Two constant windows are at distance 0, a constant one is at √½ from others.
 * The score is how far the distance lies above the usual, in robust scales. What followed the nearest shape is what is expected.
 * Works on rows: a tenth of a window without values is bridged, longer gaps leave it undecided for a window. Blind to size alone.
 */
export const matrixProfile = component({
  type: 'matrix-profile',
  summary: 'How unlike the shape of the last rows is to every shape seen before them, whatever its level and size.',
  config,
  create: options => fromStream({ lookback: WEEK, open: snapshot => openMatrixProfile(options, snapshot) }),
  examples: [{}, { window: 48, history: 1000 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  rows: number
  /** Rows since the last break, and since the last value. */
  run: number
  gap: number
  /** Subtracted from all values, so that sums of products stay exact. */
  offset: number
  /** What followed the nearest shape. */
  forecast: number
  profile: RunningScale
  residual: RunningScale
}

function openMatrixProfile({ window: m, history, band }: z.output<typeof config>, snapshot?: State): Stream {
  const kept = history + m
  const size = kept + Math.max(history, 1024)
  const fill = Math.min(10, Math.floor(m / 10))
  // By row: value less offset, window mean, 1 / root of the window's squared deviations (0: constant, NaN: broken), break, constants so far.
  const x = new Float64Array(size + 1)
  const mean = new Float64Array(size + 1)
  const inverse = new Float64Array(size + 1).fill(NaN)
  const broken = new Uint8Array(size + 1)
  const constants = new Int32Array(size + 1)
  // By lag: dot product of the window with the one so many rows before, as learned and as looked at.
  let products: Float64Array = new Float64Array(history)
  let looked: Float64Array = new Float64Array(history)
  let length = 0
  let pending = NaN
  const found = { distance: NaN, lag: 0 }
  const s: Memory = {
    version: 1,
    rows: 0,
    run: 0,
    gap: 0,
    offset: 0,
    forecast: NaN,
    profile: emptyScale(),
    residual: emptyScale(),
  }
  if (snapshot?.version === 1) restore(copyState(snapshot) as unknown as Memory & { x: Float64Array; products: Float64Array })
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  function restore({ x: values, products: dots, ...rest }: Memory & { x: Float64Array; products: Float64Array }): void {
    Object.assign(s, rest)
    products = dots
    length = Math.min(rest.rows, kept)
    for (let i = 0; i < length; i++) {
      const value = values[kept - length + i]
      broken[i] = Number.isNaN(value) ? 1 : 0
      x[i] = broken[i] ? 0 : value
    }
    measureAll()
  }

  /** Mean and deviation of the window that ends at the row; by definition, since running sums lose small deviations. */
  function measure(at: number, run: number): void {
    if (run < m) {
      inverse[at] = NaN
      constants[at] = at > 0 ? constants[at - 1] : 0
      return
    }
    let sum = 0
    for (let i = at - m + 1; i <= at; i++) sum += x[i]
    const centre = sum / m
    let squares = 0
    for (let i = at - m + 1; i <= at; i++) squares += (x[i] - centre) * (x[i] - centre)
    const least = CONSTANT * Math.abs(centre + s.offset)
    const constant = squares <= m * least * least
    mean[at] = centre
    inverse[at] = constant ? 0 : 1 / Math.sqrt(squares)
    constants[at] = (at > 0 ? constants[at - 1] : 0) + (constant ? 1 : 0)
  }

  function measureAll(): void {
    let run = 0
    for (let i = 0; i < length; i++) {
      run = broken[i] ? 0 : run + 1
      measure(i, run)
    }
  }

  function dot(a: number, b: number): number {
    let sum = 0
    for (let i = 0; i < m; i++) sum += x[a - i] * x[b - i]
    return sum
  }

  /** Puts the value after the last row, without keeping it, and finds the nearest earlier window. */
  function look(value: number, run: number): void {
    const t = length
    x[t] = value
    broken[t] = 0
    measure(t, run)
    const last = Math.min(history - 1, t - m)
    const leaving = t >= m ? x[t - m] : 0
    const weight = m * mean[t]
    let best = -Infinity
    let lag = 0
    if (run >= m)
      for (let k = m, j = t - m; k <= last; k++, j--) {
        const product = products[k] + value * x[j] - leaving * x[j - m]
        looked[k] = product
        const covariance = (product - weight * mean[j]) * inverse[j]
        if (covariance > best) {
          best = covariance
          lag = k
        }
      }
    else for (let k = m, j = t - m; k <= last; k++, j--) looked[k] = products[k] + value * x[j] - leaving * x[j - m]
    // The first window of all has no window before it to go on from.
    const first = t - m + 1
    if (first >= m && first < history) {
      looked[first] = dot(t, m - 1)
      const covariance = (looked[first] - weight * mean[m - 1]) * inverse[m - 1]
      if (covariance > best) {
        best = covariance
        lag = first
      }
    }
    found.distance = distanceAt(t, best, run, Math.min(history - 1, first))
    found.lag = lag
    pending = value
  }

  function distanceAt(t: number, best: number, run: number, last: number): number {
    if (run < m || last < 3 * m || best === -Infinity) return NaN
    const earlier = constants[t - m] - (t - last > 0 ? constants[t - last - 1] : 0)
    if (inverse[t] === 0) return earlier > 0 ? 0 : Math.sqrt(TO_CONSTANT)
    const distance = 1 - best * inverse[t]
    return Math.sqrt(Math.max(0, earlier > 0 ? Math.min(distance, TO_CONSTANT) : distance))
  }

  function push(value: number): void {
    const run = s.run + 1
    if (!(pending === value)) look(value, run)
    if (!Number.isNaN(found.distance)) learnScale(s.profile, found.distance, MEMORY, DISTANCE_FLOOR)
    keep(run)
    s.forecast = forecast()
  }

  function forecast(): number {
    const t = length - 1
    if (Number.isNaN(found.distance)) return NaN
    if (inverse[t] === 0) return s.offset + mean[t]
    const j = t - found.lag
    if (!(inverse[j] > 0)) return NaN
    // The nearest shape, brought to the level and size of this one, goes on by one row.
    const size = Math.min(inverse[j] / inverse[t], 1e6)
    return s.offset + mean[t] + size * (x[j + 1] - mean[j])
  }

  function pushBreak(): void {
    look(0, 0)
    broken[length] = 1
    keep(0)
    s.forecast = NaN
  }

  /** Makes what was looked at part of the history. */
  function keep(run: number): void {
    const before = products
    products = looked
    looked = before
    pending = NaN
    s.run = run
    s.rows++
    if (++length === size) {
      for (const rows of [x, mean, inverse, broken, constants]) rows.copyWithin(0, length - kept, length)
      length = kept
    }
    if (s.rows % REFRESH === 0) refresh()
  }

  function refresh(): void {
    const sample: number[] = []
    for (let i = length - 1; i >= Math.max(0, length - history); i -= 16) if (!broken[i]) sample.push(x[i])
    const shift = sample.length > 0 ? median(sample) : 0
    s.offset += shift
    for (let i = 0; i < length; i++) if (!broken[i]) x[i] -= shift
    measureAll()
    const t = length - 1
    for (let k = m; k <= Math.min(history - 1, t - m + 1); k++) products[k] = dot(t, t - k)
  }

  function residualFloor(expected: number): number {
    return Math.max(FLOOR * Math.abs(expected), 1e-12)
  }

  return {
    score(_time, row) {
      const value = row[0]
      judgement.value = value
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (s.residual.count >= FIRST && !Number.isNaN(s.forecast)) {
        const margin = band * scaleOf(s.residual, residualFloor(s.forecast))
        judgement.expected = s.forecast
        judgement.lower = s.forecast - margin
        judgement.upper = s.forecast + margin
      }
      if (!isMeasured(value) || s.rows === 0) return judgement
      look(value - s.offset, s.run + 1)
      if (s.profile.count >= FIRST && !Number.isNaN(found.distance))
        judgement.score = Math.max(0, found.distance - s.profile.level) / scaleOf(s.profile, DISTANCE_FLOOR)
      return judgement
    },
    learn(_time, row) {
      const value = row[0]
      if (isMeasured(value)) {
        if (s.rows === 0) s.offset = value
        if (!Number.isNaN(s.forecast)) learnScale(s.residual, value - s.forecast, MEMORY, residualFloor(s.forecast))
        s.gap = 0
        push(value - s.offset)
        return
      }
      if (s.rows === 0 || s.gap > fill) return
      s.gap++
      if (s.gap <= fill) push(x[length - 1])
      else pushBreak()
    },
    snapshot() {
      const values = new Float64Array(kept)
      const from = Math.max(0, length - kept)
      for (let i = from; i < length; i++) values[kept - length + i] = broken[i] ? NaN : x[i]
      const { profile, residual, ...rest } = s
      return { ...rest, profile: { ...profile }, residual: { ...residual }, x: values, products: products.slice() }
    },
  }
}
