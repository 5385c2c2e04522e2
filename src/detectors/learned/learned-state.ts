import type { State } from '../detector.ts'
import type { Life } from './model-life.ts'
import type { RowModel } from './row-model.ts'
import { columnOf, type Scaling, scaleColumn } from './scaling.ts'

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
  /** Judge by a plain detector until there is a model. */
  readonly coldStart: boolean
}

export type MakeModel = (columns: number) => RowModel

/** What a stream remembers; plain data. */
export interface LearnedState extends Record<string, unknown> {
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
  /** Of its own fits; empty before the first, and where models are given. */
  weights: Float32Array
  /** Where models are given: times of the rows in `values`, NaN where unknown, … */
  times?: Float64Array
  life?: Life
  /** … and whether it scales by what the model learned, for it has too few rows of its own. */
  inherited?: boolean
  cold?: State
}

/** What one fit made; plain data. */
export interface LearnedModel extends Scaling, Record<string, unknown> {
  readonly version: 1
  readonly columns: number
  readonly weights: Float32Array
  /** Mean square of the error by column on rows that were not learned, in units. */
  readonly variance: Float64Array
  readonly rows: number
  readonly deciles: Float64Array
}

/** The error on validation rows counts as so many rows. */
export const PRIOR = 50
/** A column is scaled by a stream's own rows when it has at least this part of a warm-up of known ones. */
const OWN = 1 / 4

/** The model in a state, where it is one for so many columns. */
export function readModel(state: State | undefined, columns: number): LearnedModel | undefined {
  return state?.version === 1 && state.columns === columns ? (state as LearnedModel) : undefined
}

/** The rows that are kept, oldest first. */
export function keptRows({ values, columns, rows }: LearnedState, memory: number): Float64Array {
  if (rows <= memory) return values.subarray(0, rows * columns)
  const first = (rows % memory) * columns
  const kept = new Float64Array(values.length)
  kept.set(values.subarray(first))
  kept.set(values.subarray(0, first), values.length - first)
  return kept
}

/** Centre and unit of kept rows; those of the model in columns of which too few are known. */
export function scalingOf(rows: Float64Array, model: LearnedModel, { warmUp }: LearnedOptions): Scaling {
  const scaling = { centre: model.centre.slice(), unit: model.unit.slice() }
  for (let c = 0; c < model.columns; c++) {
    const column = columnOf(rows, model.columns, c)
    const known = column.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0)
    if (known >= OWN * warmUp) scaleColumn(scaling, column, c)
  }
  return scaling
}
