import { z } from 'zod'
import { component } from '../component.ts'
import { InputError } from '../errors.ts'
import { duration } from '../schema.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  by: z.enum(['median', 'mean', 'triple']).default('median').describe('moving median, weighted mean, triple exponential'),
  window: duration().prefault('5m').describe('median: of the rows of this long; mean: after so long a row weighs half'),
  season: duration().prefault('1d').describe('triple: what comes again'),
  level: z.number().gt(0).max(1).default(0.2).describe('triple: weight of the newest row in the level'),
  trend: z.number().min(0).max(1).default(0.01).describe('triple: in the trend'),
  seasonal: z.number().gt(0).max(1).default(0.3).describe('triple: in the season'),
})

/** Slots of a season at most. */
const SLOTS = 10_080

/**
 * Takes the noise off. `median`: of the known rows in the window, blind to a spike shorter than half of it (Tukey 1977, chapter 7). `mean`:
 * exponentially weighted, by time and not by row, so that gaps age it. `triple`: level, trend and season of Holt & Winters, additive (Winters
 * 1960), as they are after the row. A row without a value stays without.
 */
export const smooth = component<Transform, typeof config>({
  type: 'smooth',
  summary: 'Takes noise off: moving median, exponentially weighted mean, or triple exponential smoothing.',
  config,
  examples: [{}, { by: 'median', window: '3h' }, { by: 'mean', window: '1h' }, { by: 'triple' }],
  create(options) {
    if (!(options.window > 0)) throw new InputError('must have a window of more than 0s, got 0s')
    if (!(options.season > 0)) throw new InputError('must have a season of more than 0s, got 0s')
    if (options.by === 'median') return movingMedian(options.window)
    return options.by === 'mean' ? weightedMean(options.window) : tripleExponential(options)
  },
})

interface Window {
  times: number[]
  values: number[]
  sorted: number[]
}

function movingMedian(window: number): Transform {
  return fromCells<Window>({
    lookback: 0,
    start: () => ({ times: [], values: [], sorted: [] }),
    apply({ times, values, sorted }, time, value) {
      let old = 0
      while (old < times.length && times[old] <= time - window) sorted.splice(placeOf(sorted, values[old++]), 1)
      if (old > 0) {
        times.splice(0, old)
        values.splice(0, old)
      }
      if (Number.isNaN(value)) return NaN
      times.push(time)
      values.push(value)
      sorted.splice(placeOf(sorted, value), 0, value)
      const middle = sorted.length >> 1
      return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    },
  })
}

/** First place whose value is not smaller. */
function placeOf(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

function weightedMean(halfLife: number): Transform {
  return fromCells({
    lookback: 0,
    start: () => ({ time: NaN, weight: 0, mean: 0 }),
    apply(cell, time, value) {
      if (Number.isNaN(value)) return NaN
      const aged = cell.weight === 0 ? 0 : cell.weight * 2 ** (-(time - cell.time) / halfLife)
      cell.weight = aged + 1
      cell.mean += (value - cell.mean) / cell.weight
      cell.time = time
      return cell.mean
    },
  })
}

interface Levels {
  time: number
  step: number
  level: number
  trend: number
  /** Empty until the step is known. */
  course: number[]
  counts: number[]
}

function tripleExponential(options: z.output<typeof config>): Transform {
  const { season } = options
  return fromCells<Levels>({
    lookback: season,
    start: () => ({ time: NaN, step: NaN, level: NaN, trend: 0, course: [], counts: [] }),
    apply(cell, time, value) {
      if (Number.isNaN(value)) return NaN
      if (Number.isNaN(cell.level)) {
        cell.level = value
        cell.time = time
        return NaN
      }
      if (cell.course.length === 0) {
        cell.step = time - cell.time
        const slots = Math.max(1, Math.min(SLOTS, Math.round(season / cell.step)))
        cell.course = Array.from({ length: slots }, () => 0)
        cell.counts = Array.from({ length: slots }, () => 0)
      }
      const { course, counts } = cell
      const slot = Math.floor(((((time % season) + season) % season) / season) * course.length + 1e-9) % course.length
      // Before a slot was seen once, the level hardly moves: what moves then is the season.
      const gain = counts[slot] === 0 ? 1 / course.length : options.level
      const before = cell.level
      const forecast = before + cell.trend * ((time - cell.time) / cell.step)
      cell.level = forecast + gain * (value - course[slot] - forecast)
      if (counts[slot] > 0) cell.trend += options.trend * ((cell.level - before) / ((time - cell.time) / cell.step) - cell.trend)
      course[slot] += Math.max(options.seasonal, 1 / (counts[slot] + 1)) * (value - cell.level - course[slot])
      const known = counts[slot] > 0
      counts[slot] = Math.min(counts[slot] + 1, 1000)
      cell.time = time
      return known ? cell.level + course[slot] : NaN
    },
  })
}
