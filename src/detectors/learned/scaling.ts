import { clamp } from '../../math/clamp.ts'
import { isMeasured } from '../../math/is-measured.ts'
import { median } from '../../math/median.ts'

/** How the values of each column are scaled: value = centre + unit × scaled. */
export interface Scaling {
  readonly centre: Float64Array
  readonly unit: Float64Array
}

/** Scaled values are held within ± this before a network sees them, or learns them. */
const SEEN = 10
/** Values count as at most so many usual deviations away. */
export const FAR = 30
/** Usual deviation of a column, at least this share of its level. */
const FLOOR = 0.01
/** Usual deviation of a column, at least this share of its range. */
const RANGE_FLOOR = 0.025

export const scaleValue = ({ centre, unit }: Scaling, value: number, c: number) =>
  isMeasured(value) ? (value - centre[c]) / unit[c] : NaN

/** As a network sees it. */
export const scaleSeen = (scaling: Scaling, value: number, c: number) => clamp(scaleValue(scaling, value, c), -SEEN, SEEN)

/** Writes median and usual deviation of a column, whose unknown values are NaN; leaves them as they were when none is known. */
export function scaleColumn({ centre, unit }: Scaling, column: Float64Array, c: number): void {
  const middle = median(column)
  if (Number.isNaN(middle)) return
  const deviations = column.map(value => Math.abs(value - middle))
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
  centre[c] = middle
  unit[c] = Math.max(usual, Math.sqrt(sum / known), RANGE_FLOOR * range, range > 0 ? 0 : FLOOR * Math.abs(middle), 1e-9)
}

/** Rows one after another, scaled as a network sees them. */
export function scaleRows(scaling: Scaling, values: Float64Array, columns: number): Float32Array {
  const rows = new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) rows[i] = scaleSeen(scaling, values[i], i % columns)
  return rows
}

/** One column of rows; what cannot be calculated with is NaN. */
export function columnOf(values: Float64Array, columns: number, c: number): Float64Array {
  const column = new Float64Array(values.length / columns)
  for (let i = 0; i < column.length; i++) {
    const value = values[i * columns + c]
    column[i] = isMeasured(value) ? value : NaN
  }
  return column
}
