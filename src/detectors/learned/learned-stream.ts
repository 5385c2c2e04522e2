import { clamp } from '../../math/clamp.ts'
import { isMeasured } from '../../math/is-measured.ts'
import { median } from '../../math/median.ts'
import type { Rows } from '../../models/networks/windows.ts'
import type { Judgement, State, Stream } from '../detector.ts'
import type { Expectation, RowModel } from './row-model.ts'

export interface LearnedOptions {
  /** Rows before the first fit. */
  readonly warmUp: number
  /** Rows that are kept and learned. */
  readonly memory: number
  /** Rows between fits, once that many were seen; before, at twice as many rows each time. */
  readonly refit: number
  /** Half width of the band, in deviations of the error. */
  readonly band: number
  /** Rows by which the ranking score forgets; 1 for none. */
  readonly smooth: number
}

/** Scaled values are held within ± this before a network sees them, or learns them. */
const SEEN = 10
/** Values count as at most so many usual deviations away. */
const FAR = 30
/** Usual deviation of a column, at least this share of its level. */
const FLOOR = 0.01
/** Usual deviation of a column, at least this share of its range. */
const RANGE_FLOOR = 0.025
/** Deviation of the error, in usual deviations of the column, at least. */
const LEAST_ERROR = 0.05
/** Errors of a row beyond this many deviations count by their logarithm: one wild column must not hide all others. */
const CAP = 20
/** The error on validation rows counts as so many rows. */
const PRIOR = 50
const ERROR_GAIN = 0.0002
/** A row lets a squared scale grow by at most this part: an outage of 20 rows doubles it, one of 300 rows is the new usual. */
const GROWTH = 0.04
/** Of the windows of validation, at the end, so many tell the first deviation of errors. */
const TAIL = 48

interface Memory extends Record<string, unknown> {
  version: 1
  columns: number
  rows: number
  nextFit: number
  /** The last rows in the metric's unit, row r at r modulo `memory`; NaN is unknown. */
  values: Float64Array
  centre: Float64Array
  unit: Float64Array
  /** Mean square of the error by column, in units, and how many rows it is from. */
  variance: Float64Array
  judged: number
  /** Mean square of the scores, forgotten by `smooth`. */
  energy: number
  weights: Float32Array
}

/**
 * Goes row by row with a network that learns the last rows, on a schedule that depends on the count of rows alone. Centre (median) and unit (median
 * deviation) of each column are those of the rows that are learned. A column's strangeness is |error| in its usual size; the score is the root mean
 * square of those of all known columns, `channel` the largest.
 */
export function openLearned(makeModel: (columns: number) => RowModel, options: LearnedOptions, snapshot?: State): Stream {
  const { warmUp, memory, refit, band, smooth } = options
  let m: Memory = snapshot?.version === 1 ? (structuredClone(snapshot) as unknown as Memory) : start(0)
  let model = m.columns > 0 ? makeModel(m.columns) : undefined
  let window = new Float32Array(0)
  /** Of the row that comes next, and that row when the model needed to see it: what was scored is learned next. */
  let ahead: Expectation | undefined
  let isAhead = false
  let looked = new Float64Array(0)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }

  function start(columns: number): Memory {
    return {
      version: 1,
      columns,
      rows: 0,
      nextFit: warmUp,
      values: new Float64Array(columns * memory).fill(NaN),
      centre: new Float64Array(columns),
      unit: new Float64Array(columns).fill(1),
      variance: new Float64Array(columns).fill(1),
      judged: 0,
      energy: NaN,
      weights: new Float32Array(0),
    }
  }

  const scaled = (value: number, c: number) => (isMeasured(value) ? (value - m.centre[c]) / m.unit[c] : NaN)
  const seen = (value: number, c: number) => clamp(scaled(value, c), -SEEN, SEEN)

  /** The window that ends with this row, scaled; undefined where most of it is unknown. */
  function windowWith(row?: ArrayLike<number>): Rows | undefined {
    const { columns } = m
    const span = model!.span
    if (window.length !== span * columns) window = new Float32Array(span * columns)
    let known = 0
    for (let i = 0; i < span - 1; i++) {
      const from = ((m.rows - span + 1 + i) % memory) * columns
      let isKnown = false
      for (let c = 0; c < columns; c++) {
        const value = seen(m.values[from + c], c)
        window[i * columns + c] = value
        isKnown ||= !Number.isNaN(value)
      }
      if (isKnown) known++
    }
    for (let c = 0; c < columns; c++) window[(span - 1) * columns + c] = row ? seen(row[c], c) : NaN
    return 2 * known >= span - 1 ? { values: window, columns } : undefined
  }

  function expectationOf(row: ArrayLike<number>): Expectation | undefined {
    if (isAhead && (!model!.needsLast || isLooked(row))) return ahead
    const rows = model!.needsLast ? windowWith(row) : windowWith()
    ahead = rows && copyOf(model!.expect(m.weights, rows))
    looked = Float64Array.from(row)
    isAhead = true
    return ahead
  }

  function isLooked(row: ArrayLike<number>): boolean {
    for (let c = 0; c < m.columns; c++) if (!Object.is(looked[c], row[c])) return false
    return true
  }

  /** The error of a column in its usual size; NaN where its value is unknown. */
  function strangeness(row: ArrayLike<number>, c: number, { expected, deviation }: Expectation): number {
    return errorOf(row[c], c, expected[c], deviation[c]) / scaleOf(c)
  }

  function errorOf(value: number, c: number, expected: number, deviation: number): number {
    return Math.abs(clamp(scaled(value, c), -FAR, FAR) - expected) / deviation
  }

  const scaleOf = (c: number) => Math.max(Math.sqrt(m.variance[c]), LEAST_ERROR)

  function fit(): void {
    const { columns } = m
    const count = Math.min(m.rows, memory)
    const rows = new Float32Array(count * columns)
    const column = new Float64Array(count)
    for (let c = 0; c < columns; c++) {
      for (let i = 0; i < count; i++) {
        const value = m.values[((m.rows - count + i) % memory) * columns + c]
        column[i] = isMeasured(value) ? value : NaN
      }
      scaleColumn(column, c)
      for (let i = 0; i < count; i++) rows[i * columns + c] = seen(column[i], c)
    }
    m.weights = model!.fit({ values: rows, columns }, m.weights, m.rows)
    judgeTail(rows, count)
  }

  function scaleColumn(column: Float64Array, c: number): void {
    const centre = median(column)
    if (Number.isNaN(centre)) return
    const deviations = column.map(value => Math.abs(value - centre))
    // Where most values are one, all that is known of the others is their range.
    const usual = 1.4826 * median(deviations)
    const most = usual > 0 ? FAR * usual : Infinity
    let sum = 0
    let known = 0
    let range = 0
    for (const deviation of deviations)
      if (!Number.isNaN(deviation)) {
        const counted = Math.min(deviation, most)
        sum += counted ** 2
        range = Math.max(range, counted)
        known++
      }
    m.centre[c] = centre
    m.unit[c] = Math.max(usual, Math.sqrt(sum / known), RANGE_FLOOR * range, range > 0 ? 0 : FLOOR * Math.abs(centre), 1e-9)
  }

  /** Errors of the last rows, which were learned least. */
  function judgeTail(rows: Float32Array, count: number): void {
    const { columns } = m
    const { span } = model!
    const errors = Array.from({ length: columns }, () => [] as number[])
    const every = Math.max(1, Math.floor((0.15 * count) / TAIL))
    for (let i = 0; i < TAIL; i++) {
      const from = count - span - i * every
      if (from < 0) break
      const values = rows.subarray(from * columns, (from + span) * columns)
      const { expected, deviation } = model!.expect(m.weights, { values, columns })
      for (let c = 0; c < columns; c++) {
        const value = values[(span - 1) * columns + c]
        if (!Number.isNaN(value)) errors[c].push(Math.abs(value - expected[c]) / deviation[c])
      }
    }
    for (let c = 0; c < columns; c++)
      if (errors[c].length > 0) m.variance[c] = errors[c].reduce((sum, error) => sum + error * error, 0) / errors[c].length
    m.judged = PRIOR
  }

  /** Says the row in `judgement` and returns its energy: the mean square of the strangeness of its known columns; NaN while undecided. */
  function look(row: ArrayLike<number>): number {
    judgement.value = row[0]
    judgement.expected = judgement.lower = judgement.upper = NaN
    if (row.length > 1) judgement.channel = NaN
    if (m.weights.length === 0 || row.length !== m.columns) return NaN
    const expectation = expectationOf(row)
    if (!expectation) return NaN
    let strangest = -1
    let most = -1
    let sum = 0
    let known = 0
    for (let c = 0; c < m.columns; c++) {
      const error = strangeness(row, c, expectation)
      if (Number.isNaN(error)) continue
      known++
      const counted = m.columns > 1 && error > CAP ? CAP * (1 + Math.log(error / CAP)) : error
      sum += counted * counted
      if (error > most) {
        most = error
        strangest = c
      }
    }
    const c = Math.max(0, strangest)
    const expected = m.centre[c] + m.unit[c] * expectation.expected[c]
    const margin = band * m.unit[c] * scaleOf(c) * expectation.deviation[c]
    judgement.value = row[c]
    judgement.expected = expected
    judgement.lower = expected - margin
    judgement.upper = expected + margin
    if (known === 0) return NaN
    if (row.length > 1) judgement.channel = c
    return sum / known
  }

  const smoothed = (energy: number) => (Number.isNaN(m.energy) ? energy : m.energy + (energy - m.energy) / smooth)

  return {
    score(_time, row) {
      const energy = look(row)
      judgement.score = Math.sqrt(smoothed(energy))
      judgement.alarm = Math.sqrt(energy)
      return judgement
    },
    learn(_time, row) {
      if (m.columns === 0) {
        m = start(row.length)
        model = makeModel(row.length)
      }
      if (row.length !== m.columns) return
      const energy = look(row)
      if (!Number.isNaN(energy)) m.energy = smoothed(energy)
      if (m.weights.length > 0) {
        const expectation = expectationOf(row)
        if (expectation) {
          m.judged = Math.min(m.judged + 1, 1e9)
          const gain = Math.max(1 / m.judged, ERROR_GAIN)
          for (let c = 0; c < m.columns; c++) {
            const error = errorOf(row[c], c, expectation.expected[c], expectation.deviation[c])
            if (Number.isNaN(error)) continue
            m.variance[c] += Math.min(GROWTH * scaleOf(c) ** 2, gain * (error * error - m.variance[c]))
          }
        }
      }
      const to = (m.rows % memory) * m.columns
      for (let c = 0; c < m.columns; c++) m.values[to + c] = row[c]
      m.rows++
      isAhead = false
      if (m.rows < m.nextFit) return
      fit()
      m.nextFit = m.rows + Math.min(m.rows, refit)
    },
    snapshot: () => structuredClone(m) as unknown as State,
  }
}

const copyOf = ({ expected, deviation }: Expectation): Expectation => ({
  expected: expected.slice(),
  deviation: deviation.slice(),
})
