import { findSeasons, type Season } from '../../frame/find-seasons.ts'
import { correlateAt } from '../../math/correlate-at.ts'
import { fourier } from '../../math/fft.ts'
import { seasonProfile } from '../../math/season-profile.ts'
import { symmetricMean } from '../../math/symmetric-mean.ts'

/** Rows that seasons are looked for in; longer series are averaged, so that seasons of a few of their rows are not seen. */
const ROWS = 3000
/** Whole searches. The series of one system share their seasons: those beyond are tried with the periods that were found. */
const SEARCHES = 60

/** The seasons of many series on one grid of `step` ms; `say` is told how many are done. */
export function seasonsOf(
  series: readonly Float64Array[],
  step: number,
  say: (done: number) => void = () => {},
): readonly (readonly Season[])[] {
  const factor = Math.max(1, Math.ceil((series[0]?.length ?? 0) / ROWS))
  const width = factor * step
  const periods = new Set<number>()
  let searches = 0
  return series.map((values, done) => {
    say(done)
    const coarse = average(values, factor)
    const quick = series.length > SEARCHES ? tryPeriods(coarse, [...periods], width) : undefined
    if (quick && (searches >= SEARCHES || !quick.more)) return quick.seasons
    searches++
    const times = Float64Array.from(coarse, (_, i) => i * width)
    const found = findSeasons({ labels: {}, times, columns: { value: coarse } })
    for (const { period } of found) periods.add(period)
    return found
  })
}

/** Means of `factor` rows; NaN where none is known. */
function average(values: Float64Array, factor: number): Float64Array {
  if (factor === 1) return values
  return Float64Array.from({ length: Math.floor(values.length / factor) }, (_, i) => {
    let sum = 0
    let count = 0
    for (let at = i * factor; at < (i + 1) * factor; at++)
      if (!Number.isNaN(values[at])) {
        sum += values[at]
        count++
      }
    return sum / count
  })
}

/** Strengths of known periods, and whether what is left comes again too. */
function tryPeriods(values: Float64Array, periods: readonly number[], width: number): { seasons: Season[]; more: boolean } {
  let left = values
  const seasons: Season[] = []
  for (const period of periods.toSorted((a, b) => a - b)) {
    const rows = period / width
    const mean = symmetricMean(left, Math.round(rows / 2))
    const fast = left.map((value, i) => value - mean[i])
    const { r } = correlateAt(fast, fast, Math.round(rows))
    if (!(r > 0.3)) continue
    seasons.push({ period, strength: Math.min(1, r) })
    const profile = seasonProfile(fast, rows)
    left = left.map((value, i) => value - profile[i])
  }
  return { seasons: seasons.toSorted((a, b) => b.strength - a.strength), more: comesAgain(left) }
}

/** Whether the autocorrelation has a hill worth a search. */
function comesAgain(values: Float64Array): boolean {
  let size = 2
  while (size < 2 * values.length) size *= 2
  const { forward, inverse } = fourier(size)
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  const mean = symmetricMean(values, values.length >> 2)
  for (let i = 0; i < values.length; i++) re[i] = Number.isNaN(values[i]) ? 0 : values[i] - mean[i]
  forward(re, im)
  for (let i = 0; i < size; i++) {
    re[i] = re[i] * re[i] + im[i] * im[i]
    im[i] = 0
  }
  inverse(re, im)
  let valley = 1
  for (let lag = 2; lag < values.length >> 1; lag++) {
    const r = re[lag] / re[0] / (1 - lag / values.length)
    valley = Math.min(valley, r)
    if (r > 0.25 && r - valley > 0.25) return true
  }
  return false
}
