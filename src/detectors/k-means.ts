import { z } from 'zod'
import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { kMeans as cluster, nearestCentre, squaredDistance } from '../math/k-means.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { seededRandom } from '../math/random.ts'
import type { RunningScale } from '../math/running-scale.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z
  .strictObject({
    window: z.int().min(1).max(200).default(20).describe('rows that are compared together'),
    clusters: z.int().min(1).max(100).default(10).describe('typical windows'),
    history: z
      .int()
      .min(200)
      .max(20_000)
      .default(2000)
      .describe('rows that typical windows are found in; 8 bytes each and column'),
    band: z.number().positive().default(4).describe('half width of the band in robust standard deviations of the column'),
  })
  .refine(({ window, history }) => history >= 10 * window, { path: ['history'], message: 'must be at least ten windows' })

/** Rows at which typical windows are found, at first; later every `history` rows. */
const EARLY = [200, 400, 800, 1600]
/** Windows that clustering looks at, at most. */
const SAMPLE = 400
/** Standardised values count at most so much. */
const CLIP = 20
/** Of a column's level: less is rounding. */
const FLOOR = 0.01
/** In standard deviations a row and column. */
const DISTANCE_FLOOR = 0.05
const FIRST = 20
/** Weight of the oldest row of a window; the newest has 1. */
const OLDEST = 0.2

/**
 * Distance of the last `window` rows, all columns together, from the nearest of a few typical windows (k-means on windows: KMeansAD, Yairi, Kato & Hori
 * 2001, section 3; Schmidl, Wenig & Papenbrock 2022). Columns are standardised by median and MAD and clipped. Departures: causal, the window ends at the
 * row; newer rows weigh more; typical windows are found anew on row counts only. The score is how far the root mean square distance lies
 * above the usual, in robust scales. A column contributes its part of the squared distance, and `channel` contributes most. A missing value is taken as
 * its last one; then the column may be the channel, for the rows before, but contributes nothing.
 */
export const kMeans = component({
  type: 'k-means',
  summary: 'How far the last rows, all columns together, lie from the nearest of a few typical windows.',
  config,
  create: options => fromStream({ lookback: WEEK, multivariate: true, open: snapshot => openKMeans(options, snapshot) }),
  examples: [{}, { window: 5, clusters: 4, history: 300 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  columns: number
  rows: number
  /** The last rows, as a ring of rows. */
  values: Float64Array
  /** Values that missing ones are taken as. */
  last: Float64Array
  centre: Float64Array
  scale: Float64Array
  /** Typical windows, weighted; empty before the first. */
  typical: Float64Array
  distance: RunningScale
}

function openKMeans({ window, clusters, history, band }: z.output<typeof config>, snapshot?: State): Stream {
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          columns: 0,
          rows: 0,
          values: new Float64Array(0),
          last: new Float64Array(0),
          centre: new Float64Array(0),
          scale: new Float64Array(0),
          typical: new Float64Array(0),
          distance: emptyScale(),
        }
  // Square roots, so that weighted differences can be squared; they add up to one row.
  const weights = Float64Array.from({ length: window }, (_, i) => OLDEST ** ((window - 1 - i) / Math.max(1, window - 1)))
  const whole = weights.reduce((a, b) => a + b)
  for (let i = 0; i < window; i++) weights[i] = Math.sqrt(weights[i] / whole)
  let point = new Float64Array(window * m.columns)
  let looked = new Float64Array(m.columns)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  function start(columns: number): void {
    m.columns = columns
    m.values = new Float64Array(history * columns)
    m.last = new Float64Array(columns).fill(NaN)
    m.centre = new Float64Array(columns)
    m.scale = new Float64Array(columns)
    point = new Float64Array(window * columns)
    looked = new Float64Array(columns)
  }

  const standardise = (value: number, c: number) =>
    Number.isNaN(value) ? 0 : clamp((value - m.centre[c]) / m.scale[c], -CLIP, CLIP)

  /** The window that ends at the row, standardised and weighted; `newest` is its last row when that is not kept yet. */
  function fill(row: number, out: Float64Array, at: number, newest?: Float64Array): void {
    const { columns, values } = m
    for (let i = 0; i < window; i++) {
      const isNewest = newest && i === window - 1
      const from = ((row - window + 1 + i) % history) * columns
      for (let c = 0; c < columns; c++)
        out[at + i * columns + c] = weights[i] * standardise(isNewest ? newest[c] : values[from + c], c)
    }
  }

  function find(): void {
    const known = Math.min(m.rows, history)
    const column = new Float64Array(known)
    for (let c = 0; c < m.columns; c++) {
      for (let i = 0; i < known; i++) column[i] = m.values[i * m.columns + c]
      const middle = median(column)
      m.centre[c] = Number.isNaN(middle) ? 0 : middle
      // Values that rarely move have no MAD: a share of the mean distance stands in for it.
      let mean = 0
      for (const value of column) if (!Number.isNaN(value)) mean += Math.abs(value - m.centre[c]) / known
      m.scale[c] = Math.max(mad(column) || 0, mean, FLOOR * Math.abs(m.centre[c]), 1e-12)
    }
    const size = window * m.columns
    const first = m.rows - known + window - 1
    const step = Math.max(1, Math.ceil((known - window) / SAMPLE))
    const count = Math.floor((m.rows - 1 - first) / step) + 1
    const points = new Float64Array(count * size)
    for (let i = 0; i < count; i++) fill(m.rows - 1 - i * step, points, i * size)
    const found = cluster(points, size, clusters, seededRandom(m.rows).next)
    m.typical = found.centres.slice()
    m.distance = emptyScale()
    for (let i = count - 1; i >= 0; i--) {
      const near = nearestCentre(points, i * size, m.typical, found.count, size)
      learnScale(m.distance, rootMeanSquare(points, i * size, near), history, DISTANCE_FLOOR)
    }
  }

  function rootMeanSquare(points: Float64Array, from: number, typical: number): number {
    const size = window * m.columns
    return Math.sqrt(squaredDistance(points, from, m.typical, typical * size, size) / m.columns)
  }

  /** Puts the values of the row, and the last ones where they are missing, into `looked`; false when all are missing. */
  function look(row: ArrayLike<number>): boolean {
    let any = false
    for (let c = 0; c < m.columns; c++) {
      const measured = isMeasured(row[c])
      looked[c] = measured ? row[c] : m.last[c]
      if (measured) any = true
    }
    return any
  }

  function isDue(): boolean {
    return EARLY.includes(m.rows) ? m.rows <= history && m.rows >= 10 * window : m.rows % history === 0
  }

  function nearest(): number {
    fill(m.rows, point, 0, looked)
    return nearestCentre(point, 0, m.typical, m.typical.length / point.length, point.length)
  }

  /** The column with the largest part of the squared distance; fills in those of all known columns. */
  function strangest(typical: number, row: ArrayLike<number>, contributions?: Float64Array): number {
    let most = -1
    let channel = 0
    for (let c = 0; c < m.columns; c++) {
      let sum = 0
      for (let i = c; i < point.length; i += m.columns) sum += (point[i] - m.typical[typical * point.length + i]) ** 2
      if (contributions && isMeasured(row[c])) contributions[c] = sum
      if (sum > most) {
        most = sum
        channel = c
      }
    }
    return channel
  }

  return {
    score(_time, row) {
      judgement.value = row[0]
      judgement.score = judgement.expected = judgement.lower = judgement.upper = judgement.channel = NaN
      const contributions = clearContributions(judgement, row.length)
      if (m.typical.length === 0 || m.distance.count < FIRST || !look(row)) return judgement
      const typical = nearest()
      const distance = rootMeanSquare(point, 0, typical)
      const channel = strangest(typical, row, contributions)
      const newest = (window - 1) * m.columns + channel
      const usual = m.typical[typical * point.length + newest] / weights[window - 1]
      judgement.score = Math.max(0, distance - m.distance.level) / scaleOf(m.distance, DISTANCE_FLOOR)
      judgement.channel = channel
      judgement.value = row[channel]
      judgement.expected = m.centre[channel] + usual * m.scale[channel]
      judgement.lower = judgement.expected - band * m.scale[channel]
      judgement.upper = judgement.expected + band * m.scale[channel]
      return judgement
    },
    learn(_time, row) {
      if (m.columns === 0) start(row.length)
      if (!look(row)) return
      if (m.typical.length > 0) learnScale(m.distance, rootMeanSquare(point, 0, nearest()), history, DISTANCE_FLOOR)
      m.values.set(looked, (m.rows % history) * m.columns)
      m.last.set(looked)
      m.rows++
      if (isDue()) find()
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
