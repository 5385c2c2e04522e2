import { clamp } from '../../math/clamp.ts'
import { FAR } from './scaling.ts'

/** Deviation of the error, in usual deviations of the column, at least. */
const LEAST_ERROR = 0.05
/** Errors of a row beyond this many deviations count by their logarithm: one wild column must not hide all others. */
const CAP = 20

/** The error of a scaled value in the deviation that a model gives it; NaN where the value is unknown. */
export const errorOf = (value: number, expected: number, deviation: number) =>
  Math.abs(clamp(value, -FAR, FAR) - expected) / deviation

/** Usual size of an error from its mean square. */
export const errorScale = (variance: number) => Math.max(Math.sqrt(variance), LEAST_ERROR)

/** What an error in its usual size counts in a row of so many columns. */
export const capError = (error: number, columns: number) =>
  columns > 1 && error > CAP ? CAP * (1 + Math.log(error / CAP)) : error
