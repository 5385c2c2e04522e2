import { clamp } from '../../math/clamp.ts'
import { mad } from '../../math/mad.ts'
import { quantile } from '../../math/quantile.ts'
import { marginOf } from '../../models/boosted-trees/boosted-trees.ts'
import { fitBoostedTrees } from '../../models/boosted-trees/fit-boosted-trees.ts'
import type { Fit, Model, State } from '../detector.ts'
import { decilesOf, heldBack, rangeOf } from './model-life.ts'
import { mapProgress } from './progress.ts'
import type { Expert, TreeOptions, TreeRows, TreeState } from './tree-rows.ts'
import { capError, chooseOthers, openTreeRows, scaleAt } from './tree-rows.ts'

/** Rows before the first fit. */
export const FIRST_FIT = 200
/** The last part of the rows tells when to stop. */
const VALIDATION = 0.2
const PATIENCE = 8
/** Targets of more deviations than this teach no more, unless as many as this share are so large: those are no incidents but openings. */
const TARGET_CLIP = 8
const REGULAR = 0.005
/** Share of the work that is training; the rest is judging. */
const TRAINING = 0.9
/** Errors beyond so many robust deviations of themselves are incidents, and say nothing of their usual size. */
const INCIDENT = 10
/** In the mean that decides which model is better, a value counts at most so many units. */
const MOST = 10

/** What one fit made; plain data. */
export interface TreeModel extends Record<string, unknown> {
  readonly version: 1
  readonly metrics: readonly (Expert & {
    /** Mean square of the error on rows that were not learned. */
    readonly variance: number
  })[]
  readonly rows: number
  readonly deciles: Float64Array
}

/** The model in a state, where it is one for so many metrics. */
export function readTrees(state: State | undefined, columns: number): TreeModel | undefined {
  const model = state?.version === 1 ? (state as unknown as TreeModel) : undefined
  return model?.metrics?.length === columns ? model : undefined
}

/** One metric's trees, and the errors of the rows that told when to stop, in units. */
export interface Grown extends Expert {
  readonly errors: readonly number[]
}

/** Fits the rows before `end` that are kept; yields the share that is done. A metric of too few rows has none. */
export function* growTrees(
  m: TreeState,
  rows: TreeRows,
  end: number,
  options: TreeOptions,
): Generator<number, (Grown | undefined)[]> {
  const chosen = chooseOthers(m, end, options)
  const all: (Grown | undefined)[] = []
  for (let c = 0; c < chosen.length; c++) {
    const growing = growMetric(m, rows, c, chosen[c], end, options)
    all.push(yield* mapProgress(growing, share => (c + share) / chosen.length))
  }
  return all
}

function* growMetric(
  m: TreeState,
  rows: TreeRows,
  c: number,
  others: number[],
  end: number,
  options: TreeOptions,
): Generator<number, Grown | undefined> {
  const { history, trees: most, depth, eta } = options
  const { features } = rows
  const columns = features.length
  const metric = m.metrics[c]
  const list: number[] = []
  const targets: number[] = []
  for (let row = Math.max(0, m.rows - history) + 1; row < end; row++) {
    const value = metric.seen[row % history]
    if (value !== value) continue
    const level = rows.describe(m, metric, others, row, m.times[row % history])
    if (level !== level) continue
    targets.push(value - level)
    for (let i = 0; i < columns; i++) list.push(features[i])
  }
  if (targets.length < FIRST_FIT / 2) return undefined
  const values = Float64Array.from(list)
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
  const trees = yield* mapProgress(fitting, ({ round }) => round / most)
  const errors = labels.slice(cut).map((label, i) => label - marginOf(trees, values, (cut + i) * columns))
  return { others, unit, trees, errors }
}

/**
 * Fits the rows of a snapshot but the last ones, anew: trees do not go on from others. `validation` and `current` are the mean, over the known values of those
 * last rows, of the distance from what was expected, in the unit of this fit (the root mean square of a metric's distances from its level), each counted at
 * most 10.
 */
export function* fitTrees(options: TreeOptions, snapshot: State, model?: Model): Generator<number, Fit | undefined> {
  const m = snapshot as unknown as TreeState
  const { history } = options
  if (m.version !== 1 || m.rows < FIRST_FIT) return undefined
  const columns = m.metrics.length
  const count = Math.min(m.rows, history)
  const range = rangeOf(m.times.subarray(0, count))
  if (!range) return undefined
  const { held, judged } = heldBack(count, m.life)
  const rows = openTreeRows(options)
  const cut = m.rows - held
  const grown = yield* mapProgress(growTrees(m, rows, cut, options), share => TRAINING * share)
  const experts: Expert[] = grown.map(each =>
    each ? { others: each.others, trees: each.trees, unit: each.unit } : { others: [], trees: undefined, unit: 1 },
  )
  const said = predictRows(m, rows, experts, m.rows - judged, history)
  yield (1 + TRAINING) / 2
  const variances = experts.map((_, c) => usualSquare(said.map(row => row[c].error)))
  const deciles = decilesOf(said.flatMap(row => scoreOf(row, variances)))
  if (!deciles) return undefined
  const units = experts.map(({ unit }) => unit)
  const validation = meanDistance(said.slice(judged - held), units)
  const metrics = experts.map((expert, c) => ({ ...expert, variance: variances[c] }))
  const state: TreeModel = { version: 1, metrics, rows: m.rows, deciles }
  const fit = { state, rows: count - held, validation, range }
  const earlier = readTrees(model?.state, columns)
  if (!earlier) return fit
  return { ...fit, current: meanDistance(predictRows(m, rows, earlier.metrics, cut, history), units) }
}

interface Predicted {
  readonly value: number
  readonly expected: number
  readonly error: number
}

/** All metrics of the rows from one on. */
function predictRows(m: TreeState, rows: TreeRows, experts: readonly Expert[], from: number, history: number): Predicted[][] {
  return Array.from({ length: m.rows - from }, (_, i) =>
    m.metrics.map((metric, c) => {
      const value = metric.seen[(from + i) % history]
      const expected = rows.predict(m, metric, experts[c], from + i, m.times[(from + i) % history])
      return { value, expected, error: value - expected }
    }),
  )
}

function usualSquare(errors: readonly number[]): number {
  const known = errors.filter(error => !Number.isNaN(error))
  if (known.length === 0) return 0
  const usual = mad(known)
  const most = usual > 0 ? INCIDENT * usual : Infinity
  return known.reduce((sum, error) => sum + Math.min(Math.abs(error), most) ** 2, 0) / known.length
}

function scoreOf(row: readonly Predicted[], variances: readonly number[]): number[] {
  let sum = 0
  let known = 0
  row.forEach(({ value, expected, error }, c) => {
    if (Number.isNaN(error)) return
    sum += capError(Math.abs(error) / scaleAt(variances[c], expected, value), row.length) ** 2
    known++
  })
  return known > 0 ? [Math.sqrt(sum / known)] : []
}

function meanDistance(rows: readonly (readonly Predicted[])[], units: readonly number[]): number {
  let sum = 0
  let known = 0
  for (const row of rows)
    row.forEach(({ error }, c) => {
      if (Number.isNaN(error)) return
      sum += Math.min(MOST, Math.abs(error) / units[c])
      known++
    })
  return sum / known
}
