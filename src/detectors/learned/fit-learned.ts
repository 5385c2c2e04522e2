import { median } from '../../math/median.ts'
import type { Fit, Model, State } from '../detector.ts'
import type { LearnedModel, LearnedOptions, LearnedState, MakeModel } from './learned-state.ts'
import { keptRows, readModel, scalingOf } from './learned-state.ts'
import { decilesOf, heldBack, rangeOf } from './model-life.ts'
import { mapProgress } from './progress.ts'
import { capError, errorOf, errorScale } from './row-errors.ts'
import type { RowModel } from './row-model.ts'
import { columnOf, type Scaling, scaleColumn, scaleRows, scaleValue } from './scaling.ts'

/** Share of the work that is training; the rest is judging. */
const TRAINING = 0.9
/** Errors beyond so many robust deviations of themselves are incidents, and say nothing of their usual size. */
const INCIDENT = 10
/** In the mean that decides which model is better, a value counts at most so many usual deviations. */
const MOST = 10
const NONE = new Float32Array(0)

/**
 * Fits the rows of a snapshot but the last ones, going on from a model of the same columns; `validation` and `current` are the mean, over the known values
 * of those last rows, of the distance from what was expected, in usual deviations of the column (as this fit scales it), each counted at most 10.
 */
export function* fitLearned(
  makeModel: MakeModel,
  options: LearnedOptions,
  snapshot: State,
  model?: Model,
): Generator<number, Fit | undefined> {
  const m = snapshot as unknown as LearnedState
  if (m.version !== 1 || m.columns === 0 || m.rows < options.warmUp || !m.times) return undefined
  const { columns } = m
  const values = keptRows(m, options.memory)
  const count = values.length / columns
  const range = rangeOf(m.times)
  if (!range) return undefined
  const { held, judged } = heldBack(count, m.life)
  const cut = count - held
  const rowModel = makeModel(columns)
  const learned = values.subarray(0, cut * columns)
  const scaling = { centre: new Float64Array(columns), unit: new Float64Array(columns).fill(1) }
  for (let c = 0; c < columns; c++) scaleColumn(scaling, columnOf(learned, columns, c), c)

  const earlier = readModel(model?.state, columns)
  const rows = { values: scaleRows(scaling, learned, columns), columns }
  const training = rowModel.fit(rows, earlier?.weights ?? NONE, m.rows)
  const weights = yield* mapProgress(training, share => TRAINING * share)

  const own = yield* judgeRows(rowModel, { weights, scaling, values, columns, from: count - judged }, TRAINING)
  const { variance, scores } = usualErrors(own, columns)
  const deciles = decilesOf(scores)
  if (!deciles) return undefined
  const validation = meanDistance(own.distances, (judged - held) * columns)
  const state: LearnedModel = { version: 1, columns, weights, ...scaling, variance, rows: m.rows, deciles }
  const fit = { state, rows: cut, validation, range }
  if (!earlier) return fit
  const before = m.life?.version === model?.version ? m : scalingOf(values, earlier, options)
  const work = { weights: earlier.weights, scaling: before, values, columns, from: cut }
  const { distances } = yield* judgeRows(rowModel, work, (1 + TRAINING) / 2)
  const inUnits = distances.map((distance, i) => (distance * before.unit[i % columns]) / scaling.unit[i % columns])
  return { ...fit, current: meanDistance(inUnits, 0) }
}

interface Judging {
  readonly weights: Float32Array
  readonly scaling: Scaling
  readonly values: Float64Array
  readonly columns: number
  /** The first row that is judged. */
  readonly from: number
}

interface Errors {
  /** From the first row on, each value's distance in units, and in deviations of the model; NaN where unknown. */
  readonly distances: Float64Array
  readonly errors: Float64Array
}

function* judgeRows(model: RowModel, work: Judging, done: number): Generator<number, Errors> {
  const { weights, scaling, values, columns, from } = work
  const { span } = model
  const first = Math.max(0, from - span + 1)
  const rows = scaleRows(scaling, values.subarray(first * columns), columns)
  const count = values.length / columns - from
  const distances = new Float64Array(count * columns).fill(NaN)
  const errors = distances.slice()
  for (let i = 0; i < count; i++) {
    if (i % 64 === 0) yield done + ((1 - TRAINING) / 2) * (i / count)
    const start = from + i - span + 1
    if (start < 0) continue
    const window = rows.subarray((start - first) * columns, (start - first + span) * columns)
    if (!isKnown(window, columns)) continue
    const { expected, deviation } = model.expect(weights, { values: window, columns })
    for (let c = 0; c < columns; c++) {
      const value = scaleValue(scaling, values[(from + i) * columns + c], c)
      distances[i * columns + c] = Math.abs(value - expected[c])
      errors[i * columns + c] = errorOf(value, expected[c], deviation[c])
    }
  }
  return { distances, errors }
}

/** Claims that at least half of the rows before the last one say something. */
export function isKnown(window: Float32Array, columns: number): boolean {
  const before = window.length / columns - 1
  let known = 0
  for (let i = 0; i < before; i++) {
    let c = 0
    while (c < columns && Number.isNaN(window[i * columns + c])) c++
    if (c < columns) known++
  }
  return 2 * known >= before
}

function usualErrors({ errors }: Errors, columns: number): { variance: Float64Array; scores: number[] } {
  const variance = new Float64Array(columns).fill(1)
  for (let c = 0; c < columns; c++) {
    const known = columnOf(errors, columns, c).filter(error => !Number.isNaN(error))
    if (known.length === 0) continue
    const usual = 1.4826 * median(known)
    const most = usual > 0 ? INCIDENT * usual : Infinity
    variance[c] = known.reduce((sum, error) => sum + Math.min(error, most) ** 2, 0) / known.length
  }
  const scores: number[] = []
  for (let i = 0; i < errors.length; i += columns) {
    let sum = 0
    let known = 0
    for (let c = 0; c < columns; c++) {
      const error = errors[i + c] / errorScale(variance[c])
      if (Number.isNaN(error)) continue
      sum += capError(error, columns) ** 2
      known++
    }
    if (known > 0) scores.push(Math.sqrt(sum / known))
  }
  return { variance, scores }
}

function meanDistance(distances: Float64Array, from: number): number {
  let sum = 0
  let known = 0
  for (let i = from; i < distances.length; i++)
    if (!Number.isNaN(distances[i])) {
      sum += Math.min(MOST, distances[i])
      known++
    }
  return sum / known
}
