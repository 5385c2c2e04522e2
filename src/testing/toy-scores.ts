import type { Scores } from '../detectors/detector.ts'
import { seededRandom } from '../math/random.ts'
import { budget } from '../rules/budget.ts'
import { findAnomalies } from '../rules/find-anomalies.ts'

type Random = () => number
const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const exponential = (random: Random) => -Math.log(1 - random())

/** Makers of score by score, none of which holds an anomaly. */
export const noises: Record<string, (random: Random) => () => number> = {
  normal: random => () => Math.abs(normal(random)),
  Laplace: random => () => exponential(random),
  't with 3 degrees': random => () =>
    Math.abs(normal(random) / Math.sqrt((normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2) / 3)),
  'autoregressive 0.9': random => {
    let x = 0
    return () => Math.abs((x = 0.9 * x + Math.sqrt(1 - 0.81) * normal(random)))
  },
}

/** Scores at every `step` ms, of values that are unknown. */
export function scoresOf(score: Float64Array, step: number): Scores {
  const none = new Float64Array(score.length).fill(NaN)
  const columns = { score, value: none, expected: none, lower: none, upper: none }
  return { labels: {}, times: score.map((_, i) => i * step), columns }
}

/** Sizes of normal noise. */
export const calm = (rows: number, seed = 1) => {
  const random = seededRandom(seed).next
  return Float64Array.from({ length: rows }, () => Math.abs(normal(random)))
}

/** Scores that are 0 or 1 and never anomalous, with `at` at every so many rows. */
export const everySo = (rows: number, every: number, at: number, from = 100) =>
  Float64Array.from({ length: rows }, (_, i) => (i >= from && (i - from) % every === 0 ? at : i % 2))

export const makeBudget = (options: object = {}) => budget.create(budget.config.parse(options))

export const strengths = (score: Float64Array, step: number, options: object = {}) =>
  makeBudget(options).judge(scoresOf(score, step)).strength

export const countAlarms = (score: Float64Array, step: number, options: object = {}) =>
  findAnomalies(scoresOf(score, step), strengths(score, step, options), 'x', step).length

/** What a budget has learned from scores at times; `infinite` rows have an infinite value and no score. */
export function learn(score: ArrayLike<number>, step: number, options: object = {}, times?: readonly number[]) {
  const scores = scoresOf(Float64Array.from(score), step)
  const value = Float64Array.from(score, s => (s === Infinity ? Infinity : 1))
  const column = scores.columns.score.map(s => (s === Infinity ? NaN : s))
  const { strength, state } = makeBudget(options).judge({
    ...scores,
    times: times ? Float64Array.from(times) : scores.times,
    columns: { ...scores.columns, score: column, value },
  })
  return { strength, state: state as unknown as Readonly<Record<string, number>> & { readonly maxima: Float64Array } }
}
