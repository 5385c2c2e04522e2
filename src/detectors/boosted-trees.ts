import { z } from 'zod'
import { isZone } from '../calendars/wall-time.ts'
import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { finish } from '../models/boosted-trees/fit-boosted-trees.ts'
import { padTrees } from '../models/boosted-trees/join-trees.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, Models, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { openColdStart } from './learned/cold-start.ts'
import { countDrift } from './learned/drift.ts'
import type { TreeModel } from './learned/fit-trees.ts'
import { FIRST_FIT, fitTrees, growTrees, readTrees } from './learned/fit-trees.ts'
import { countSince, startLife, takeModels, wantsFit } from './learned/model-life.ts'
import type { Expert, Metric, TreeState } from './learned/tree-rows.ts'
import { capError, openTreeRows, scaleAt } from './learned/tree-rows.ts'

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
  smooth: z.number().min(1).default(10).describe('rows by which the ranking score forgets; 1 for none'),
  band: z.number().positive().default(4).describe('half width of the band in scales of the error'),
  coldStart: z.boolean().default(true).describe('judge rows by a plain detector until there is a model; else they have no score'),
})
type Config = z.output<typeof config>

/** So many clipped errors on one side are no incident but a new level. */
const NEW_LEVEL = 5
/** The scale follows over about ten thousand rows, so that a calm night does not make the morning strange. */
const SCALE_GAIN = 0.0001

/**
 * Gradient-boosted trees (Chen & Guestrin 2016) that predict each metric's distance from its level, the mean of its last rows, out of those rows, the
 * level, the hour and day of the week, and the last row of other metrics: so they follow a level that they have not seen, which trees on values cannot.
 * Fitted at 200 rows, 400, 800 … and then twice per history, to the rows before the last fifth, which says when to stop; before, a plain detector judges
 * (see `openColdStart`). With models given, see `fitTrees` and `wantsFit`. What
 * is learned of a row is clipped; missing lags are the trees' missing values. `alarm` is |error| in scales of the clipped error; of several metrics it is
 * the root mean square of these, with more than 8 counted by their logarithm, `channel` is the largest, and a metric contributes the square. `score` is smoothed. Memory per metric: 16 bytes
 * per row of history and 29 per node, 190 KB by default; going through a row takes about 7 µs, fits included.
 */
export const boostedTrees = component({
  type: 'boosted-trees',
  summary: 'Distance from what gradient-boosted trees expect of the last rows, the hour, the day of the week and other metrics.',
  config,
  create: options =>
    fromStream({
      lookback: WEEK,
      multivariate: true,
      open: (snapshot, models) => openBoostedTrees(options, snapshot, models),
      fit: (snapshot, model) => fitTrees(options, snapshot, model),
    }),
  examples: [{}, { lags: 4, others: 2, history: 800, trees: 20, depth: 3, eta: 0.2, timezone: 'Europe/Berlin' }],
})

function openBoostedTrees(options: Config, snapshot?: State, models?: Models): Stream {
  const { history, trees: most, depth, clip, band, coldStart } = options
  const given = snapshot?.version === 1 ? snapshot : undefined
  const m: TreeState = given
    ? (copyState(given) as unknown as TreeState)
    : { version: 1, rows: 0, nextFit: FIRST_FIT, times: new Float64Array(history), metrics: [], energy: NaN }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const rows = openTreeRows(options)
  const capacity = most * (2 ** (depth + 1) - 1) + 1
  const schedule = { warmUp: FIRST_FIT, refit: Math.floor(history / 2) }
  let expected = new Float64Array(0)
  let expectedAt = NaN
  /** Energy of the row that was looked at last, by the usual sizes of errors when the model was fitted; for those of now follow a drift. */
  let energyThen = NaN
  /** What it was given to judge with. */
  let fitted: TreeModel | undefined
  if (m.metrics.length > 0) takeGiven()
  let cold = m.metrics.length > 0 && isCold() ? openCold(given?.cold as State | undefined) : undefined

  function at(row: number): number {
    return row % history
  }

  function expertOf(c: number): Expert {
    return models ? (fitted?.metrics[c] ?? UNFITTED) : m.metrics[c]
  }

  function isCold(): boolean {
    return coldStart && m.metrics.every((_, c) => !expertOf(c).trees)
  }

  function takeGiven(): void {
    delete m.cold
    if (!models) {
      delete m.life
      return
    }
    for (const metric of m.metrics) Object.assign(metric, UNFITTED)
    m.life ??= startLife()
    fitted = readTrees(models.model?.state, m.metrics.length)
    const was = m.life.version
    const change = takeModels(m.life, models, fitted !== undefined, time => countSince(m.times, m.rows, time))
    // What is judged by other means than before is not smoothed with it.
    if (change === 'drop' || (change === 'adopt' && Number.isNaN(was))) m.energy = NaN
    if (change === 'adopt') adopt(fitted!)
  }

  function adopt({ metrics }: TreeModel): void {
    metrics.forEach(({ variance }, c) => {
      Object.assign(m.metrics[c], { variance, judged: 1, run: 0 })
    })
  }

  /** Goes on where it was, or through the rows that are kept. */
  function openCold(state?: State): ReturnType<typeof openColdStart> {
    const opened = openColdStart(m.metrics.length, state)
    if (state) return opened
    for (let row = Math.max(0, m.rows - history); row < m.rows; row++)
      opened.learn(
        m.times[at(row)],
        m.metrics.map(({ seen }) => seen[at(row)]),
      )
    return opened
  }

  function predict(time: number): void {
    if (time === expectedAt) return
    expectedAt = time
    if (expected.length !== m.metrics.length) expected = new Float64Array(m.metrics.length)
    for (let c = 0; c < expected.length; c++) expected[c] = rows.predict(m, m.metrics[c], expertOf(c), m.rows, time)
  }

  function fit(): void {
    if (isCold()) m.energy = NaN
    finish(growTrees(m, rows, m.rows, options)).forEach((grown, c) => {
      if (!grown) return
      const metric = m.metrics[c]
      metric.others = grown.others
      metric.trees = padTrees(grown.trees!, most, capacity)
      metric.unit = grown.unit
      if (metric.judged === 0) metric.variance = (grown.unit * mad(grown.errors)) ** 2
    })
    if (!isCold()) cold = undefined
  }

  function take(metric: Metric, x: number, middle: number): void {
    let taught = x
    if (middle === middle && x === x) {
      const scale = scaleAt(metric.variance, middle, x)
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
    energyThen = NaN
    judgement.value = row[0] ?? NaN
    judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
    judgement.alarm = NaN
    if (row.length > 1) judgement.channel = NaN
    const contributions = clearContributions(judgement, row.length)
    if (row.length !== m.metrics.length) return NaN
    predict(time)
    if (cold) return cold.look(time, row, judgement)
    let sum = 0
    let sumThen = 0
    let known = 0
    let worst = -1
    let channel = 0
    for (let c = 0; c < row.length; c++) {
      const x = row[c]
      if (Number.isNaN(expected[c]) || !isMeasured(x)) continue
      const raw = Math.abs(x - expected[c])
      const error = raw / scaleAt(m.metrics[c].variance, expected[c], x)
      const square = capError(error, row.length) ** 2
      sum += square
      if (contributions) contributions[c] = square
      if (fitted) sumThen += capError(raw / scaleAt(fitted.metrics[c].variance, expected[c], x), row.length) ** 2
      known++
      if (error <= worst) continue
      worst = error
      channel = c
    }
    if (row.length > 1 && known === 0) return NaN
    const middle = expected[channel]
    const margin = band * scaleAt(m.metrics[channel].variance, middle, middle)
    judgement.value = row[channel]
    judgement.expected = middle
    judgement.lower = middle - margin
    judgement.upper = middle + margin
    if (row.length > 1) judgement.channel = channel
    energyThen = sumThen / known
    return sum / known
  }

  function keepRow(time: number, row: ArrayLike<number>): void {
    m.metrics.forEach((metric, c) => {
      take(metric, isMeasured(row[c]) ? row[c] : NaN, expected[c])
    })
    m.times[at(m.rows)] = time
    if (m.life) m.life.fresh++
    m.rows++
    expectedAt = NaN
  }

  const smoothed = (energy: number) => (Number.isNaN(m.energy) ? energy : m.energy + (energy - m.energy) / options.smooth)

  return {
    score(time, row) {
      const energy = look(time, row)
      judgement.alarm = Math.sqrt(energy)
      judgement.score = Math.sqrt(smoothed(energy))
      return judgement
    },
    learn(time, row) {
      if (m.metrics.length === 0) {
        m.metrics = Array.from({ length: row.length }, () => emptyMetric(history))
        takeGiven()
        cold = isCold() ? openCold() : undefined
      }
      if (row.length !== m.metrics.length) return
      const energy = look(time, row)
      if (energy === energy) m.energy = smoothed(energy)
      if (fitted) countDrift(m.life!.recent, Math.sqrt(energyThen), fitted.deciles)
      cold?.learn(time, row)
      keepRow(time, row)
      if (models || m.rows < m.nextFit) return
      fit()
      m.nextFit = m.rows + Math.min(m.rows, schedule.refit)
    },
    snapshot: () => ({ ...(copyState(m) as unknown as State), ...(cold ? { cold: cold.snapshot() } : {}) }),
    wants: () => (models && m.life ? wantsFit(m.life, { rows: m.rows, ...schedule }, fitted) : undefined),
  }
}

const UNFITTED: Expert = { others: [], trees: undefined, unit: 1 }

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
