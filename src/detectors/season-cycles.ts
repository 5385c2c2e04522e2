import { mad } from '../math/mad.ts'
import type { SeasonSlots } from './season-slots.ts'
import { atPhase, SLOTS, wholeSeasons } from './season-slots.ts'

/** Components by period (in values, ascending), and what is left of them. */
export type Decompose = (
  values: Float64Array,
  periods: readonly number[],
) => { readonly seasonals: readonly Float64Array[]; readonly trend: Float64Array }

/** A season is used when the remainder's spread is below this share of the spread of season and remainder: strength above 0.4 (Wang, Smith & Hyndman 2006). */
const WEAK = Math.sqrt(0.6)

/** A cycle of each season, unknown (NaN). */
export function emptyCycles(seasons: readonly number[]): Float64Array[] {
  return seasons.map((season, k) => new Float64Array(k === 0 ? SLOTS : Math.min(7, season / seasons[0]) * SLOTS).fill(NaN))
}

/** What the known cycles say of the time, together. */
export function seasonAt(cycles: readonly Float64Array[], seasons: readonly number[], time: number): number {
  let sum = 0
  for (let k = 0; k < seasons.length; k++) {
    const turns = time / seasons[k]
    if (!Number.isNaN(cycles[k][0])) sum += atPhase(cycles[k], turns - Math.floor(turns))
  }
  return sum
}

/** Decomposes the whole seasons of the slots into `cycles`; those too weak to tell from noise become NaN. False when there are too few. */
export function findCycles(
  slots: SeasonSlots,
  seasons: readonly number[],
  decompose: Decompose,
  cycles: readonly Float64Array[],
): boolean {
  const whole = wholeSeasons(slots)
  if (!whole) return false
  const { values, perSeason } = whole
  const firstSlot = (Math.floor(slots.slot / SLOTS) - values.length / perSeason) * perSeason
  const inValues = (season: number) => (perSeason * season) / seasons[0]
  // A longer season is told from chance only when it came three times.
  const periods = seasons.filter((season, k) => values.length >= (k === 0 ? 2 : 3) * inValues(season)).map(inValues)
  const { seasonals, trend } = decompose(values, periods)
  const means = periods.map((length, k) => meanCycle(seasonals[k], length, firstSlot))
  const meanAt = (i: number, k: number) => means[k][(firstSlot + i) % periods[k]]
  const remainder = values.map((value, i) => value - trend[i] - periods.reduce((sum, _, k) => sum + meanAt(i, k), 0))
  const noise = mad(remainder)
  for (const [k, cycle] of cycles.entries()) {
    cycle.fill(NaN)
    if (k >= periods.length) continue
    // A mean of c cycles takes 1/c of the variance of pure noise with it.
    const chance = Math.sqrt(1 - periods[k] / values.length)
    if (noise >= WEAK * chance * mad(remainder.map((value, i) => value + meanAt(i, k)))) continue
    for (let i = 0; i < cycle.length; i++) cycle[i] = atPhase(means[k], (i + 0.5) / cycle.length)
  }
  return true
}

/** Mean over the cycles by place in the season, counted from the epoch: one cycle, at the end of a loess, is mostly noise. */
function meanCycle(seasonal: Float64Array, period: number, first: number): Float64Array {
  const cycle = new Float64Array(period)
  const counts = new Float64Array(period)
  for (let i = 0; i < seasonal.length; i++) {
    const at = (first + i) % period
    counts[at]++
    cycle[at] += (seasonal[i] - cycle[at]) / counts[at]
  }
  // Neighbours smooth it further (post-smoothing, Cleveland et al. 1990).
  const out = new Float64Array(period)
  for (let i = 0; i < period; i++) out[i] = (cycle[(i + period - 1) % period] + 2 * cycle[i] + cycle[(i + 1) % period]) / 4
  return out
}
