import { z } from 'zod'
import { isZone, weekdayOf } from '../calendars/wall-time.ts'
import { component } from '../component.ts'
import { DAY, HOUR, WEEK } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { quantile } from '../math/quantile.ts'
import { fromZone } from '../math/zone-offset.ts'
import type { BoostedTrees } from '../models/boosted-trees/boosted-trees.ts'
import { marginOf } from '../models/boosted-trees/boosted-trees.ts'
import { finish, fitBoostedTrees } from '../models/boosted-trees/fit-boosted-trees.ts'
import { padTrees } from '../models/boosted-trees/join-trees.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  lags: z.int().min(1).max(100).default(12).describe('rows of a metric that its next one is predicted from'),
  others: z.int().min(0).max(100).default(12).describe('other metrics whose last row helps, those that follow each other most'),
  timezone: z
    .string()
    .default('UTC')
    .refine(isZone, 'must be an IANA time zone like Europe/Berlin')
    .describe('where people live by the clock: hour and day of the week are features'),
  history: z.int().min(400).max(100_000).default(4000).describe('rows that are kept and learned from, 16 bytes per metric each'),
  trees: z.int().min(1).max(1000).default(50).describe('at most so many per metric; fewer where more do not help'),
  depth: z.int().min(1).max(8).default(5).describe('conditions that may come together'),
  eta: z.number().gt(0).max(1).default(0.2).describe('part of an error that a tree mends'),
  clip: z.number().positive().default(5).describe('an error teaches at most so many scales'),
  smooth: z.number().min(1).default(10).describe('of several metrics: rows by which the ranking score forgets; 1 for none'),
  band: z.number().positive().default(4).describe('half width of the band in scales of the error'),
})
type Config = z.output<typeof config>

/** Rows before the first fit; the next fits come at twice as many, until there is one per half a history. */
const FIRST_FIT = 200
/** The last part of the rows tells when to stop. */
const VALIDATION = 0.2
const PATIENCE = 8
/** Targets of more deviations than this teach no more, unless as many as this share are so large: those are no incidents but openings. */
const TARGET_CLIP = 8
const REGULAR = 0.005
/** Rows over which the metrics that follow each other most are looked for. */
const COMPARED = 400
/** Of the expected value: smaller errors are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps scores below 1,000. */
const SEEN_FLOOR = 0.001
/** So many clipped errors on one side are no incident but a new level. */
const NEW_LEVEL = 5
/** The scale follows over about ten thousand rows, so that a calm night does not make the morning strange. */
const SCALE_GAIN = 0.0001
/** Of several metrics: more scales count by their logarithm, so that one wild metric does not hide all others. */
const CAP = 8

/**
 * Gradient-boosted trees (Chen & Guestrin 2016) that predict each metric's distance from its level, the mean of its last rows, out of those rows, the
 * level, the hour and day of the week, and the last row of other metrics: so they follow a level that they have not seen, which trees on values cannot.
 * Fitted at 200 rows, 400, 800 … and then twice per history, to the rows before the last fifth, which says when to stop. What
 * is learned of a row is clipped; missing lags are the trees' missing values. The score is |error| in scales of the clipped error; of several metrics it is
 * the root mean square of these, with more than 8 counted by their logarithm, smoothed (`alarm` is not), and `channel` is the largest. Memory per metric: 16 bytes
 * per row of history and 29 per node, 190 KB by default; going through a row takes about 7 µs, fits included.
 */
export const boostedTrees = component({
  type: 'boosted-trees',
  summary: 'Distance from what gradient-boosted trees expect of the last rows, the hour, the day of the week and other metrics.',
  config,
  create: options => fromStream({ lookback: WEEK, multivariate: true, open: snapshot => openBoostedTrees(options, snapshot) }),
  examples: [{}, { lags: 4, others: 2, history: 800, trees: 20, depth: 3, eta: 0.2, timezone: 'Europe/Berlin' }],
})

interface Metric extends Record<string, unknown> {
  /** Rows as they are lags, clipped, and as they were, by row number modulo the history; NaN where missing. */
  taught: Float64Array
  seen: Float64Array
  /** Other metrics that help, by place. */
  others: number[]
  trees: BoostedTrees | undefined
  /** Of the trees' values. */
  unit: number
  variance: number
  judged: number
  /** Clipped errors in a row; negative below what was expected. */
  run: number
}

interface Memory extends Record<string, unknown> {
  version: 1
  rows: number
  nextFit: number
  times: Float64Array
  metrics: Metric[]
  /** Smoothed mean square of the errors in scales. */
  energy: number
}

function openBoostedTrees(options: Config, snapshot?: State): Stream {
  const { lags, history, trees: most, depth, eta, clip, band } = options
  const m: Memory =
    snapshot?.version === 1
      ? (structuredClone(snapshot) as unknown as Memory)
      : { version: 1, rows: 0, nextFit: FIRST_FIT, times: new Float64Array(history), metrics: [], energy: NaN }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const zone = fromZone(options.timezone)
  const features = new Float64Array(lags + 3 + options.others)
  const capacity = most * (2 ** (depth + 1) - 1) + 1
  let expected = new Float64Array(0)
  let expectedAt = NaN

  const at = (row: number) => row % history

  /** Mean of the rows before `row`; NaN when all are missing. */
  function levelOf({ taught }: Metric, row: number): number {
    let sum = 0
    let known = 0
    for (let r = Math.max(0, row - lags, m.rows - history); r < row; r++) {
      const value = taught[at(r)]
      if (value !== value) continue
      sum += value
      known++
    }
    return known > 0 ? sum / known : NaN
  }

  /** Fills `features` with what is known of a metric just before row `row`, at `time`; returns its level. */
  function describe(metric: Metric, row: number, time: number): number {
    const level = levelOf(metric, row)
    const wall = time + zone(time)
    const oldest = Math.max(0, m.rows - history)
    for (let i = 0; i < lags; i++) features[i] = row - 1 - i >= oldest ? metric.taught[at(row - 1 - i)] - level : NaN
    features[lags] = level
    features[lags + 1] = (wall - Math.floor(wall / DAY) * DAY) / HOUR
    features[lags + 2] = weekdayOf(wall)
    features.fill(NaN, lags + 3)
    metric.others.forEach((place, i) => {
      const other = m.metrics[place]
      features[lags + 3 + i] = row > oldest ? other.taught[at(row - 1)] - levelOf(other, row) : NaN
    })
    return level
  }

  function predict(time: number): void {
    if (time === expectedAt) return
    expectedAt = time
    if (expected.length !== m.metrics.length) expected = new Float64Array(m.metrics.length)
    m.metrics.forEach((metric, c) => {
      expected[c] = NaN
      if (metric.trees) expected[c] = describe(metric, m.rows, time) + metric.unit * marginOf(metric.trees, features)
    })
  }

  const scaleAt = (metric: Metric, middle: number, x: number) =>
    Math.max(Math.sqrt(metric.variance), FLOOR * Math.abs(middle), SEEN_FLOOR * Math.abs(x), 1e-12)

  function fit(): void {
    const oldest = Math.max(0, m.rows - history)
    const width = features.length
    if (m.metrics.length > 1 && options.others > 0) chooseOthers(oldest)
    for (const metric of m.metrics) {
      const values: number[] = []
      const targets: number[] = []
      for (let row = oldest + 1; row < m.rows; row++) {
        const value = metric.seen[at(row)]
        if (value !== value) continue
        const level = describe(metric, row, m.times[at(row)])
        if (level !== level) continue
        targets.push(value - level)
        for (let i = 0; i < width; i++) values.push(features[i])
      }
      if (targets.length >= FIRST_FIT / 2) fitMetric(metric, Float64Array.from(values), targets)
    }
  }

  function fitMetric(metric: Metric, values: Float64Array, targets: number[]): void {
    const columns = features.length
    const limit = Math.max(TARGET_CLIP * mad(targets), quantile(targets.map(Math.abs), 1 - REGULAR))
    const clipped = targets.map(target => clamp(target, -limit, limit))
    const unit = Math.max(Math.sqrt(clipped.reduce((sum, target) => sum + target * target, 0) / clipped.length), 1e-12)
    const labels = clipped.map(target => target / unit)
    const cut = Math.floor((1 - VALIDATION) * labels.length)
    const fitting = fitBoostedTrees(
      { values: values.subarray(0, cut * columns), columns, labels: labels.slice(0, cut) },
      { rounds: most, maxDepth: depth, eta, minChildWeight: 5, patience: PATIENCE },
      { values: values.subarray(cut * columns), columns, labels: labels.slice(cut) },
    )
    metric.trees = padTrees(finish(fitting), most, capacity)
    metric.unit = unit
    if (metric.judged > 0) return
    const errors = labels.slice(cut).map((label, i) => label - marginOf(metric.trees!, values, (cut + i) * columns))
    metric.variance = (unit * mad(errors)) ** 2
  }

  /** For each metric those whose last row goes most with its next one (correlation of ranks would cost more and say little else). */
  function chooseOthers(oldest: number): void {
    const step = Math.max(1, Math.floor((m.rows - oldest) / COMPARED))
    const size = m.metrics.length
    const now: Float64Array[] = []
    const before: Float64Array[] = []
    for (const metric of m.metrics) {
      const [moves, earlier]: [number[], number[]] = [[], []]
      for (let row = oldest + 1; row < m.rows; row += step) {
        const level = levelOf(metric, row)
        moves.push(metric.taught[at(row)] - level)
        earlier.push(metric.taught[at(row - 1)] - level)
      }
      now.push(standardize(moves))
      before.push(standardize(earlier))
    }
    m.metrics.forEach((metric, c) => {
      const shared = before.map(other => Math.abs(other.reduce((sum, value, i) => sum + value * now[c][i], 0)))
      const places = Array.from({ length: size }, (_, place) => place).filter(place => place !== c)
      metric.others = places.sort((a, b) => shared[b] - shared[a]).slice(0, options.others)
    })
  }

  function take(metric: Metric, x: number, middle: number): void {
    let taught = x
    if (middle === middle && x === x) {
      const scale = scaleAt(metric, middle, x)
      const error = clamp(x - middle, -clip * scale, clip * scale)
      const side = Math.sign(x - middle - error)
      metric.run = side === 0 ? 0 : Math.sign(metric.run) === side ? metric.run + side : side
      metric.judged = Math.min(metric.judged + 1, 1e9)
      metric.variance += Math.max(1 / (metric.judged + 100), SCALE_GAIN) * (error * error - metric.variance)
      taught = middle + error
    }
    metric.taught[at(m.rows)] = taught
    metric.seen[at(m.rows)] = x
    if (Math.abs(metric.run) < NEW_LEVEL) return
    for (let i = 0; i < NEW_LEVEL; i++) metric.taught[at(m.rows - i)] = metric.seen[at(m.rows - i)]
    metric.run = 0
  }

  /** Says the row in `judgement`, but for the scores; returns the mean square of the errors in scales, NaN while undecided. */
  function look(time: number, row: ArrayLike<number>): number {
    judgement.value = row[0] ?? NaN
    judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
    if (row.length > 1) judgement.channel = judgement.alarm = NaN
    if (row.length !== m.metrics.length) return NaN
    predict(time)
    let sum = 0
    let known = 0
    let worst = -1
    let channel = 0
    for (let c = 0; c < row.length; c++) {
      const x = row[c]
      if (Number.isNaN(expected[c]) || !isMeasured(x)) continue
      const error = Math.abs(x - expected[c]) / scaleAt(m.metrics[c], expected[c], x)
      sum += (error > CAP && row.length > 1 ? CAP * (1 + Math.log(error / CAP)) : error) ** 2
      known++
      if (error <= worst) continue
      worst = error
      channel = c
    }
    if (row.length > 1 && known === 0) return NaN
    const middle = expected[channel]
    const margin = band * scaleAt(m.metrics[channel], middle, middle)
    judgement.value = row[channel]
    judgement.expected = middle
    judgement.lower = middle - margin
    judgement.upper = middle + margin
    if (row.length > 1) judgement.channel = channel
    return sum / known
  }

  const smoothed = (energy: number) => (Number.isNaN(m.energy) ? energy : m.energy + (energy - m.energy) / options.smooth)

  return {
    score(time, row) {
      const energy = look(time, row)
      if (row.length > 1) judgement.alarm = Math.sqrt(energy)
      judgement.score = Math.sqrt(row.length > 1 ? smoothed(energy) : energy)
      return judgement
    },
    learn(time, row) {
      if (m.metrics.length === 0) m.metrics = Array.from({ length: row.length }, () => emptyMetric(history))
      if (row.length !== m.metrics.length) return
      const energy = look(time, row)
      if (energy === energy) m.energy = smoothed(energy)
      m.metrics.forEach((metric, c) => {
        take(metric, isMeasured(row[c]) ? row[c] : NaN, expected[c])
      })
      m.times[at(m.rows)] = time
      m.rows++
      expectedAt = NaN
      if (m.rows < m.nextFit) return
      fit()
      m.nextFit = m.rows + Math.min(m.rows, Math.floor(history / 2))
    },
    snapshot: () => structuredClone(m) as unknown as State,
  }
}

function emptyMetric(history: number): Metric {
  return {
    taught: new Float64Array(history).fill(NaN),
    seen: new Float64Array(history).fill(NaN),
    others: [],
    trees: undefined,
    unit: 1,
    variance: 0,
    judged: 0,
    run: 0,
  }
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
