import { DAY, HOUR, WEEK } from '../../src/duration.ts'
import { seededRandom } from '../data/seeded-random.ts'
import type { Kind, Noise, Strength } from '../data/synthetic.ts'
import { calmValue, NOISES, SYNTHETIC_STEP, seededErrors, spanOf, strangeValue, tide } from '../data/synthetic.ts'

/** Columns of the frames for detectors that look at all columns together. */
export const COLUMNS = 6
/** What all columns have in common, as a part of the variance of their noise. */
const COMMON = 0.5
const START = Date.UTC(2024, 0, 1)
const TRAIN = 2 * WEEK

/** What the series of a trial are like. */
export interface Kindred {
  readonly width: number
  /** Whether there is a day and a week in them. */
  readonly tidal: boolean
}

/** Three weeks without an anomaly, one error a row and column; the last week is judged. */
export interface Tides {
  readonly noise: Noise
  readonly tidal: boolean
  readonly step: number
  readonly times: Float64Array
  readonly columns: readonly Float64Array[]
  readonly errors: readonly Float64Array[]
  readonly trainRows: number
}

/** One column as in the synthetic bench, or several with the same tide and partly the same noise, each in a size of its own. */
export function makeTides(
  noise: Noise,
  seed: number,
  { width, tidal }: Kindred,
  { step = SYNTHETIC_STEP, length = 3 * WEEK, train = TRAIN } = {},
): Tides {
  const key = 100_000 + 1000 * seed + 100 * NOISES.indexOf(noise)
  const times = Float64Array.from({ length: length / step }, (_, i) => START + i * step)
  const drawCommon = seededErrors(noise, key)
  const common = times.map(() => drawCommon())
  const errors = Array.from({ length: width }, (_, c) => {
    if (width === 1) return common
    const draw = seededErrors(noise, key + 1 + c)
    return common.map(error => Math.sqrt(COMMON) * error + Math.sqrt(1 - COMMON) * draw())
  })
  const columns = errors.map((own, c) =>
    own.map((error, i) => sizeOf(c, width) * (calmValue(times[i], noise, error) - (tidal ? 0 : tide(times[i])))),
  )
  return { noise, tidal, step, times, columns, errors, trainRows: train / step }
}

/** Replicas share a load, though not evenly: 0.8 to 1.2. */
function sizeOf(column: number, width: number): number {
  return width === 1 ? 1 : 0.8 + (0.4 * column) / (width - 1)
}

/** An anomaly of one column: its values from row `first` on. */
export interface Disturbance {
  readonly kind: Kind
  readonly strength: Strength
  readonly column: number
  readonly first: number
  readonly values: Float64Array
}

/** Disturbs one column; `seed` decides how long. */
export function disturb(tides: Tides, kind: Kind, strength: Strength, column: number, first: number, seed: number): Disturbance {
  const { noise, tidal, times, columns, errors, step } = tides
  const span = spanOf(kind, strength, seededRandom(seed), HOUR / step)
  const size = sizeOf(column, columns.length)
  const values = Float64Array.from({ length: span }, (_, i) => {
    const at = first + i
    const strange = strangeValue(kind, strength, i / span, times[at], noise, errors[column][at])
    return size * (strange - (tidal ? 0 : tide(times[at])))
  })
  return { kind, strength, column, first, values }
}

/** The columns with all these anomalies in them. */
export function withDisturbances({ columns }: Tides, disturbances: readonly Disturbance[]): Float64Array[] {
  const out = columns.map(column => column.slice())
  for (const { column, first, values } of disturbances) out[column].set(values, first)
  return out
}

/** Rows in the last week where an anomaly begins, `count` of them, days apart. */
export function pickPlaces({ trainRows, step }: Tides, seed: number, count: number): number[] {
  const random = seededRandom(seed)
  const perDay = DAY / step
  return Array.from({ length: count }, (_, k) => trainRows + Math.floor(perDay * (1 + (4 * (k + random())) / count)))
}
