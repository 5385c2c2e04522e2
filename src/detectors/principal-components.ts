import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { factorCholesky, solveCholesky } from '../math/cholesky.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { symmetricEigen } from '../math/symmetric-eigen.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  share: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.9)
    .describe('as many components count as usual as explain this share of the variance, at most half of them'),
  window: z.number().int().min(4).max(200).default(16).describe('rows of the shape that is judged when there is one column only'),
  memory: z.number().int().min(500).default(20_000).describe('rows over which means and covariances fade'),
  clip: z.number().positive().default(10).describe('a value teaches at most so many deviations'),
  band: z.number().positive().default(4).describe('half width of the band in deviations of the remainder'),
})
type Config = z.output<typeof config>

/** Rows before the first fit; the next are at twice as many rows, and so on, then every MOST_ROWS. */
const WARM_UP = 200
const MOST_ROWS = 4000
/** Of the mean: smaller deviations are rounding. */
const FLOOR = 0.01
/** Values count as at most so many deviations from the mean, so that a column that never moved before is one voice of many. */
const FAR = 20
/** Least remainder of a feature, in deviations: columns that the components explain wholly. */
const LEAST_REMAINDER = 0.01
const SCALE_GAIN = 0.0001
/** The fit says that the mean square is one, which counts as so many rows. */
const PRIOR = 50
/** Leaves missing columns at their mean where the known ones say nothing of them. */
const RIDGE = 1e-6
/** Negative eigenvalues up to this are rounding. */
const CONTRADICTION = 1e-6
/** A score teaches its own scale as at most so many scales. */
const SCALE_CLIP = 3

/**
 * Remainder of a row after its projection on the principal components of the earlier rows (Shyu et al. 2003; Jolliffe 2002, 10.1), each
 * column in deviations of its own remainder. One column is judged by the shape of its last rows (Sub-PCA, Aggarwal 2017, 3.3; embedding as
 * in Golyandina & Zhigljavsky 2013), so that a strange row stays strange while it is part of the shape. Means and covariances fade; the
 * components are fitted at 200 rows (or 4 per column), twice as many, and so on, then every 4,000. The score is the root mean square in its
 * usual size: 1 is usual. Columns that are missing, or were known in fewer than 200 rows, are taken as the known ones let expect them
 * (projection by least squares on the known columns: Nelson, Taylor & MacGregor 1996) and have no voice; with no more known columns than
 * components nothing is left to judge by: NaN. A column contributes its squared remainder in deviations of it: the contribution plot of
 * the squared prediction error (Miller, Swanson & Heckler 1998; Nomikos & MacGregor 1995), in which we divide by each column's own
 * deviation. `channel` is the largest. Memory: 8 bytes times the columns squared, twice.
 */
export const principalComponents = component({
  type: 'principal-components',
  summary: 'What the usual joint movements of the columns, or the usual shapes of one column, cannot explain.',
  config,
  create: options => fromStream({ lookback: DAY, multivariate: true, open: snapshot => openComponents(options, snapshot) }),
  examples: [{}, { share: 0.8, window: 12 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  /** Columns, 0 before the first row. */
  columns: number
  rows: number
  nextFit: number
  /** One column only: the last rows, newest last, and how many are missing since. */
  shape: Float64Array
  missing: number
  known: number
  means: Float64Array
  /** Rows by column that taught something of it. */
  counts: Float64Array
  /** Co-moments of the columns (columns × columns); of one column, by lag. */
  moments: Float64Array
  /** As of the last fit. */
  centre: Float64Array
  unit: Float64Array
  /** Components, one after another, in units. */
  basis: Float64Array
  /** Deviation of the remainder by feature, in units; Infinity for columns of which too little was known. */
  remainder: Float64Array
  /** Mean square of the remainder. */
  power: number
  judged: number
}

function openComponents(options: Config, snapshot?: State): Stream {
  const { share, window, memory, clip, band } = options
  let m: Memory = snapshot?.version === 1 ? (copyState(snapshot) as unknown as Memory) : start(0)
  m.counts ??= new Float64Array(m.columns).fill(m.rows)
  let features = new Float64Array(0)
  let rest = new Float64Array(0)
  let gains = new Float64Array(0)
  /** Columns that the row does not tell, and what solves for them: kept from row to row, because a gap lasts. */
  let unknown: readonly number[] = []
  let solver: Solver | undefined
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  function start(columns: number): Memory {
    const size = columns === 1 ? window : columns
    return {
      version: 1,
      columns,
      rows: 0,
      nextFit: Math.max(WARM_UP, 4 * size),
      shape: new Float64Array(columns === 1 ? window : 0),
      missing: 1e9,
      known: 0,
      means: new Float64Array(columns),
      counts: new Float64Array(columns),
      moments: new Float64Array(columns === 1 ? window : columns * columns),
      centre: new Float64Array(columns),
      unit: new Float64Array(columns),
      basis: new Float64Array(0),
      remainder: new Float64Array(0),
      power: 1,
      judged: 0,
    }
  }

  const scaleOf = () => Math.max(Math.sqrt(m.power), LEAST_REMAINDER)
  const isFitted = () => m.remainder.length > 0
  const isSingle = () => m.columns === 1

  const isKnown = (row: ArrayLike<number>, c: number) => isMeasured(row[c]) && m.remainder[c] < Infinity

  /** Fills `features` and `rest` (in units); returns the root mean square of the remainder, by feature in its own deviations. */
  function project(row: ArrayLike<number>): number {
    const size = m.remainder.length
    if (features.length !== size) {
      features = new Float64Array(size)
      rest = new Float64Array(size)
    }
    let whole = true
    if (isSingle()) {
      for (let i = 0; i < size - 1; i++) features[i] = (m.shape[i + 1] - m.centre[0]) / m.unit[0]
      features[size - 1] = isMeasured(row[0]) ? toUnit(row[0], 0) : 0
    } else
      for (let c = 0; c < size; c++) {
        const known = isKnown(row, c)
        features[c] = known ? toUnit(row[c], c) : 0
        whole &&= known
      }
    takeRest(size)
    if (!whole) return projectKnown(row)
    let sum = 0
    for (let i = 0; i < size; i++) sum += (rest[i] / m.remainder[i]) ** 2
    return Math.sqrt(sum / size)
  }

  /** The same for a row with missing columns: they get the values that leave the least remainder. Fewer known columns fit better by chance. */
  function projectKnown(row: ArrayLike<number>): number {
    const size = m.columns
    const count = m.basis.length / size
    const now = Array.from(features.keys()).filter(c => !isKnown(row, c))
    if (!solver || now.length !== unknown.length || now.some((c, i) => c !== unknown[i])) {
      unknown = now
      solver = solverFor(m.basis, size, now)
    }
    // The remainder of missing columns that count as their mean is what the known ones expect of them, but for those missing beside them.
    const expected = solver(unknown.map(c => -rest[c]))
    for (let i = 0; i < unknown.length; i++) features[unknown[i]] = expected[i]
    takeRest(size)
    const known = size - unknown.length
    if (known <= count) return NaN
    let sum = 0
    for (let c = 0; c < size; c++) if (isKnown(row, c)) sum += (rest[c] / m.remainder[c]) ** 2
    return Math.sqrt(sum / (known - count)) * Math.sqrt(1 - count / size)
  }

  function takeRest(size: number): void {
    rest.set(features)
    for (let from = 0; from < m.basis.length; from += size) {
      let dot = 0
      for (let i = 0; i < size; i++) dot += m.basis[from + i] * features[i]
      for (let i = 0; i < size; i++) rest[i] -= dot * m.basis[from + i]
    }
  }

  const toUnit = (x: number, c: number) => clamp((x - m.centre[c]) / m.unit[c], -FAR, FAR)

  function fit(): void {
    const size = isSingle() ? window : m.columns
    const correlation = new Float64Array(size * size)
    const deviation = (c: number) => Math.sqrt(Math.max(0, isSingle() ? m.moments[0] : m.moments[c * size + c]))
    for (let c = 0; c < m.columns; c++) {
      m.centre[c] = m.means[c]
      m.unit[c] = Math.max(deviation(c), FLOOR * Math.abs(m.means[c]), 1e-9)
    }
    const isNew = (i: number) => !isSingle() && m.counts[i] < WARM_UP
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        if (isNew(i) || isNew(j)) continue
        correlation[i * size + j] = isSingle()
          ? m.moments[Math.abs(i - j)] / m.unit[0] ** 2
          : m.moments[i * size + j] / (m.unit[i] * m.unit[j])
      }
    const { values, vectors } = symmetricEigen(correlation, size)
    // Columns that were known at different times may contradict each other; less correlation is one that can be.
    const excess = isSingle() ? 0 : Math.max(0, -values[size - 1])
    if (excess > CONTRADICTION) for (let k = 0; k < size; k++) values[k] = (values[k] + excess) / (1 + excess)
    const total = values.reduce((sum, value) => sum + Math.max(0, value), 0)
    let count = 0
    let explained = 0
    const live = isSingle() ? size : m.counts.reduce((n, known) => (known < WARM_UP ? n : n + 1), 0)
    while (count < live >> 1 && explained < share * total) explained += Math.max(0, values[count++])
    m.basis = vectors.slice(0, count * size)
    m.remainder = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      let variance = 0
      for (let k = count; k < size; k++) variance += Math.max(0, values[k]) * vectors[k * size + i] ** 2
      m.remainder[i] = isNew(i) ? Infinity : Math.max(Math.sqrt(variance), LEAST_REMAINDER)
    }
    solver = undefined
  }

  function learnMoments(row: ArrayLike<number>): void {
    const size = m.columns
    m.rows++
    if (isSingle()) {
      const gain = Math.max(1 / m.rows, 1 / memory)
      const delta = m.shape[window - 1] - m.means[0]
      m.means[0] += gain * delta
      for (let lag = 0; lag < Math.min(window, m.known); lag++)
        m.moments[lag] += gain * (delta * (m.shape[window - 1 - lag] - m.means[0]) - m.moments[lag])
      return
    }
    if (features.length !== size) {
      features = new Float64Array(size)
      rest = new Float64Array(size)
    }
    if (gains.length !== size) gains = new Float64Array(size)
    // A missing column teaches what the others let expect of it, and the usual remainder; before that is known, nothing.
    const isFilled = (c: number) => isFitted() && m.remainder[c] < Infinity
    for (let c = 0; c < size; c++) {
      const measured = isMeasured(row[c])
      gains[c] = 0
      if (!measured && !isFilled(c)) continue
      gains[c] = Math.max(1 / ++m.counts[c], 1 / memory)
      const limit =
        m.counts[c] > WARM_UP / 4
          ? clip * Math.max(Math.sqrt(m.moments[c * size + c]), FLOOR * Math.abs(m.means[c]), 1e-9)
          : Infinity
      const value = measured ? row[c] : m.centre[c] + m.unit[c] * features[c]
      features[c] = clamp(value - m.means[c], -limit, limit)
    }
    for (let i = 0; i < size; i++) {
      if (gains[i] === 0) continue
      for (let j = 0; j <= i; j++) {
        if (gains[j] === 0) continue
        const at = i * size + j
        const gain = Math.max(gains[i], gains[j])
        m.moments[at] = (1 - gain) * (m.moments[at] + gain * features[i] * features[j])
        m.moments[j * size + i] = m.moments[at]
      }
      if (!isMeasured(row[i])) m.moments[i * size + i] += gains[i] * (m.unit[i] * m.remainder[i]) ** 2
    }
    for (let c = 0; c < size; c++) m.means[c] += gains[c] * features[c]
  }

  function pushShape(x: number): void {
    m.shape.copyWithin(0, 1)
    m.shape[window - 1] = x
    m.known = Math.min(m.known + 1, window)
  }

  return {
    score(_time, row) {
      judgement.value = row[0]
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (row.length > 1) judgement.channel = NaN
      const contributions = clearContributions(judgement, row.length)
      if (!isFitted() || row.length !== m.columns || (isSingle() && m.missing > window / 2)) return judgement
      const length = project(row)
      let strangest = m.remainder.length - 1
      let known = 0
      if (!isSingle()) {
        let most = -1
        for (let c = 0; c < m.columns; c++) {
          const part = Math.abs(rest[c]) / m.remainder[c]
          if (!isKnown(row, c)) continue
          known++
          if (contributions) contributions[c] = part * part
          if (part > most) {
            most = part
            strangest = c
          }
        }
        if (known === 0) return judgement
      }
      const c = isSingle() ? 0 : strangest
      const expected = m.centre[c] + m.unit[c] * (features[strangest] - rest[strangest])
      const margin = band * m.unit[c] * m.remainder[strangest]
      judgement.value = row[c]
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (!isSingle()) judgement.channel = c
      if (isMeasured(row[c])) judgement.score = length / scaleOf()
      return judgement
    },
    learn(_time, row) {
      if (m.columns === 0) m = start(row.length)
      if (row.length !== m.columns) return
      if (!isSingle() && isUnknown(row)) return
      if (isSingle()) {
        const x = row[0]
        if (!isMeasured(x)) {
          m.missing = Math.min(m.missing + 1, 1e9)
          if (m.known > 0) pushShape(m.shape[window - 1])
          return
        }
        if (m.missing > window / 2) {
          m.shape.fill(x)
          m.known = 1
        }
        m.missing = 0
      }
      if (isFitted()) {
        const length = project(row)
        if (!Number.isNaN(length)) {
          const seen = Math.min(length, SCALE_CLIP * scaleOf())
          m.judged = Math.min(m.judged + 1, 1e9)
          m.power += Math.max(1 / (m.judged + PRIOR), SCALE_GAIN) * (seen * seen - m.power)
        }
      }
      if (isSingle()) {
        const x = row[0]
        const scale = Math.max(Math.sqrt(m.moments[0]), FLOOR * Math.abs(m.means[0]), 1e-9)
        const limit = m.rows > WARM_UP / 4 ? clip * scale : Infinity
        pushShape(clamp(x, m.means[0] - limit, m.means[0] + limit))
      }
      learnMoments(row)
      if (m.rows < m.nextFit) return
      fit()
      m.nextFit = m.rows + Math.min(m.rows, MOST_ROWS)
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}

function isUnknown(row: ArrayLike<number>): boolean {
  for (let c = 0; c < row.length; c++) if (isMeasured(row[c])) return false
  return true
}

type Solver = (right: ArrayLike<number>) => Float64Array

/** Solves for the columns whose remainder is to be as small as possible, given the projections of the others on them. */
function solverFor(basis: Float64Array, size: number, unknown: readonly number[]): Solver {
  const n = unknown.length
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0
      for (let from = 0; from < basis.length; from += size) sum -= basis[from + unknown[i]] * basis[from + unknown[j]]
      matrix[i * n + j] = sum
    }
  const factor = factorCholesky(matrix, n, RIDGE)
  return right => solveCholesky(factor, n, Float64Array.from(right))
}
