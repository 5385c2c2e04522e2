import { weekdayOf } from '../../calendars/wall-time.ts'
import { DAY, HOUR } from '../../duration.ts'
import { clamp } from '../../math/clamp.ts'
import { fromZone } from '../../math/zone-offset.ts'
import type { BoostedTrees } from '../../models/boosted-trees/boosted-trees.ts'
import { marginOf } from '../../models/boosted-trees/boosted-trees.ts'
import type { State } from '../detector.ts'
import type { Life } from './model-life.ts'

export interface TreeOptions {
  readonly lags: number
  readonly others: number
  readonly timezone: string
  readonly history: number
  readonly trees: number
  readonly depth: number
  readonly eta: number
  readonly clip: number
}

/** What predicts a metric. */
export interface Expert {
  /** Other metrics that help, by place. */
  others: number[]
  trees: BoostedTrees | undefined
  /** Of the trees' values. */
  unit: number
}

/** A metric, and what a stream without models fitted to it. */
export interface Metric extends Expert, Record<string, unknown> {
  /** Rows as they are lags, clipped, and as they were, by row number modulo the history; NaN where missing. */
  taught: Float64Array
  seen: Float64Array
  variance: number
  judged: number
  /** Clipped errors in a row; negative below what was expected. */
  run: number
}

/** What a stream remembers; plain data. */
export interface TreeState extends Record<string, unknown> {
  version: 1
  rows: number
  nextFit: number
  times: Float64Array
  metrics: Metric[]
  /** Smoothed mean square of the errors in scales. */
  energy: number
  /** Where models are given. */
  life?: Life
  cold?: State
}

/** Of the expected value: smaller errors are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps scores below 1,000. */
const SEEN_FLOOR = 0.001
/** Of several metrics: more scales count by their logarithm, so that one wild metric does not hide all others. */
const CAP = 8
/** Rows over which the metrics that follow each other most are looked for. */
const COMPARED = 400

export const scaleAt = (variance: number, middle: number, x: number) =>
  Math.max(Math.sqrt(variance), FLOOR * Math.abs(middle), SEEN_FLOOR * Math.abs(x), 1e-12)

/** What an error in scales counts in a row of so many metrics. */
export const capError = (error: number, columns: number) =>
  error > CAP && columns > 1 ? CAP * (1 + Math.log(error / CAP)) : error

export interface TreeRows {
  /** Of the row that was described last. */
  readonly features: Float64Array
  /** Fills `features` with what is known of a metric just before row `row`, at `time`; returns its level. */
  describe(m: TreeState, metric: Metric, others: readonly number[], row: number, time: number): number
  /** What is expected of a metric in row `row`; NaN where nothing can be. */
  predict(m: TreeState, metric: Metric, expert: Expert, row: number, time: number): number
}

export function openTreeRows({ lags, others: most, timezone, history }: TreeOptions): TreeRows {
  const zone = fromZone(timezone)
  const features = new Float64Array(lags + 3 + most)

  function describe(m: TreeState, metric: Metric, others: readonly number[], row: number, time: number): number {
    const level = levelOf(m, metric, row, lags, history)
    const wall = time + zone(time)
    const oldest = Math.max(0, m.rows - history)
    for (let i = 0; i < lags; i++) features[i] = row - 1 - i >= oldest ? metric.taught[(row - 1 - i) % history] - level : NaN
    features[lags] = level
    features[lags + 1] = (wall - Math.floor(wall / DAY) * DAY) / HOUR
    features[lags + 2] = weekdayOf(wall)
    features.fill(NaN, lags + 3)
    for (let i = 0; i < others.length; i++) {
      const other = m.metrics[others[i]]
      const before = row > oldest ? other.taught[(row - 1) % history] - levelOf(m, other, row, lags, history) : NaN
      features[lags + 3 + i] = before
    }
    return level
  }

  return {
    features,
    describe,
    predict: (m, metric, { trees, others, unit }, row, time) =>
      trees ? describe(m, metric, others, row, time) + unit * marginOf(trees, features) : NaN,
  }
}

/** Mean of the rows before `row`; NaN when all are missing. */
function levelOf(m: TreeState, { taught }: Metric, row: number, lags: number, history: number): number {
  let sum = 0
  let known = 0
  for (let r = Math.max(0, row - lags, m.rows - history); r < row; r++) {
    const value = taught[r % history]
    if (value !== value) continue
    sum += value
    known++
  }
  return known > 0 ? sum / known : NaN
}

/** For each metric those whose last row goes most with its next one (correlation of ranks would cost more and say little else), in the rows before `end`. */
export function chooseOthers(m: TreeState, end: number, { lags, history, others }: TreeOptions): number[][] {
  const size = m.metrics.length
  if (size === 1 || others === 0) return m.metrics.map(() => [])
  const oldest = Math.max(0, m.rows - history)
  const step = Math.max(1, Math.floor((end - oldest) / COMPARED))
  const now: Float64Array[] = []
  const before: Float64Array[] = []
  for (const metric of m.metrics) {
    const [moves, earlier]: [number[], number[]] = [[], []]
    for (let row = oldest + 1; row < end; row += step) {
      const level = levelOf(m, metric, row, lags, history)
      moves.push(metric.taught[row % history] - level)
      earlier.push(metric.taught[(row - 1) % history] - level)
    }
    now.push(standardize(moves))
    before.push(standardize(earlier))
  }
  return m.metrics.map((_, c) => {
    const shared = before.map(other => Math.abs(other.reduce((sum, value, i) => sum + value * now[c][i], 0)))
    const places = Array.from({ length: size }, (_, place) => place).filter(place => place !== c)
    return places.sort((a, b) => shared[b] - shared[a]).slice(0, others)
  })
}

/** Mean 0 and deviation 1, clipped; the unknown are 0. */
function standardize(values: readonly number[]): Float64Array {
  const known = values.filter(Number.isFinite)
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length)
  const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length))
  return Float64Array.from(values, value =>
    Number.isFinite(value) && deviation > 0 ? clamp((value - mean) / deviation, -3, 3) : 0,
  )
}
