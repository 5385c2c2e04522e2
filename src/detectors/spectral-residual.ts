import { z } from 'zod'
import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { realFourier } from '../math/fft.ts'
import { isMeasured } from '../math/is-measured.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  window: z
    .int()
    .min(64)
    .max(8192)
    .multipleOf(2)
    .default(256)
    .describe('length of the transform: past rows, the row and five extrapolated ones; powers of two are much faster'),
  smoothing: z.int().min(1).max(31).default(3).describe('neighbouring frequencies whose mean is taken off the log amplitude'),
  local: z.int().min(3).max(1000).default(21).describe('past rows whose mean saliency is usual'),
})

/** Extrapolated points, and past rows that the slope is taken from (section 3.3). */
const AHEAD = 5
const SLOPE = 5
/** Of the highest amplitude: lower ones are rounding. */
const FAINT = 1e-8
/** Standard deviation below which a window is constant, of its level. */
const CONSTANT = 1e-9
/** Of the highest saliency: keeps the ratio below 1,000. */
const LEAST = 1e-3

/**
 * Spectral residual (Ren et al. 2019, sections 3.2 and 3.3): the log amplitude spectrum less its moving mean, transformed back, is high where the
 * series surprises. The window ends at the row, and the slope before it is extrapolated behind it (as the authors' program does; the paper's
 * formula takes the row itself in, and its outliers twice over), so the score is causal. The score is how many times the saliency of the row exceeds the mean of the rows before. Departures: the mean of the window is taken off first, so that scores do not
 * depend on the level. `expected` is the mean of the local rows; there is no band. Missing rows are skipped.
 */
export const spectralResidual = component({
  type: 'spectral-residual',
  summary: 'How much a row stands out after the usual frequencies of the last rows are taken away; needs no season.',
  config,
  create: options => fromStream({ lookback: WEEK, open: snapshot => openSpectralResidual(options, snapshot) }),
  examples: [{}, { window: 64, local: 15 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  rows: number
  /** The last rows, as a ring. */
  values: Float64Array
}

function openSpectralResidual({ window: n, smoothing, local }: z.output<typeof config>, snapshot?: State): Stream {
  const past = n - AHEAD - 1
  const s: Memory =
    snapshot?.version === 1 ? (copyState(snapshot) as unknown as Memory) : { version: 1, rows: 0, values: new Float64Array(past) }
  const { forward, inverse } = realFourier(n)
  const half = n / 2
  const points = new Float64Array(n)
  const re = new Float64Array(half + 1)
  const im = new Float64Array(half + 1)
  const log = new Float64Array(half + 1)
  const reach = smoothing >> 1
  const near = Math.min(local, past - 1)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  /** Past rows in order, the value, and the points behind it. */
  function fill(value: number): void {
    const oldest = s.rows % past
    points.set(s.values.subarray(oldest))
    points.set(s.values.subarray(0, oldest), past - oldest)
    points[past] = value
    let slope = 0
    for (let i = 1; i <= SLOPE; i++) slope += (points[past - 1] - points[past - 1 - i]) / i / SLOPE
    points.fill(points[past - SLOPE] + slope * SLOPE, past + 1)
  }

  /** Centres and scales the window; false when it is constant. */
  function standardise(): boolean {
    let largest = 0
    for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(points[i]))
    let mean = 0
    for (let i = 0; i < n; i++) mean += points[i]
    mean /= n
    let squares = 0
    for (let i = 0; i < n; i++) squares += (points[i] - mean) ** 2
    const deviation = Math.sqrt(squares / n)
    if (!(deviation > CONSTANT * largest)) return false
    for (let i = 0; i < n; i++) points[i] = (points[i] - mean) / deviation
    return true
  }

  /** Turns the spectrum into the residual one: each amplitude a becomes exp(log a − mean log a nearby), the phase stays. */
  function takeResidual(): void {
    let highest = 0
    for (let k = 1; k <= half; k++) {
      log[k] = Math.sqrt(re[k] * re[k] + im[k] * im[k])
      if (log[k] > highest) highest = log[k]
    }
    for (let k = 1; k <= half; k++) log[k] = Math.log(Math.max(log[k], FAINT * highest))
    // The mean was taken off: its place says nothing.
    log[0] = log[1]
    re[0] = im[0] = 0
    for (let k = 1; k <= half; k++) {
      let sum = 0
      for (let d = -reach; d <= reach; d++) {
        const at = Math.abs(k + d)
        sum += log[at > half ? n - at : at]
      }
      const factor = Math.exp(-sum / (2 * reach + 1))
      re[k] *= factor
      im[k] *= factor
    }
  }

  function scoreOf(value: number): number {
    fill(value)
    if (!standardise()) return 0
    forward(points, re, im)
    takeResidual()
    inverse(re, im, points)
    let usual = 0
    for (let i = past - near; i < past; i++) usual += Math.abs(points[i])
    usual /= near
    let highest = 0
    for (let i = 0; i <= past; i++) if (Math.abs(points[i]) > highest) highest = Math.abs(points[i])
    return Math.max(0, Math.abs(points[past]) - usual) / Math.max(usual, LEAST * highest)
  }

  function localMean(): number {
    let mean = 0
    for (let i = 1; i <= near; i++) mean += s.values[(s.rows + past - i) % past] / near
    return mean
  }

  return {
    score(_time, row) {
      const value = row[0]
      judgement.value = value
      judgement.score = judgement.expected = NaN
      if (s.rows < past) return judgement
      judgement.expected = localMean()
      if (isMeasured(value)) judgement.score = scoreOf(value)
      return judgement
    },
    learn(_time, row) {
      const value = row[0]
      if (!isMeasured(value)) return
      s.values[s.rows % past] = value
      s.rows++
      // The count stays small, and its place in the ring the same.
      if (s.rows >= 2 * past) s.rows -= past
    },
    snapshot: () => ({ ...s, values: s.values.slice() }),
  }
}
