import type { StlOptions } from './stl.ts'
import { stl } from './stl.ts'

/**
 * Decomposition into several seasons, shortest first (Bandara, Hyndman & Bergmeir 2021, algorithm 1): each in turn is found by STL in what the others
 * leave, twice over, with seasonal windows of 11, 15, 19 … cycles.
 */
export function mstl(
  values: Float64Array,
  periods: readonly number[],
  options: Omit<StlOptions, 'period' | 'seasonalWindow' | 'jump'> & { readonly jump?: (period: number) => number } = {},
): { seasonals: Float64Array[]; trend: Float64Array } {
  const { jump = () => 1, ...rest } = options
  const seasonals = periods.map(() => new Float64Array(values.length))
  const left = values.slice()
  let trend = new Float64Array(values.length)
  for (let round = 0; round < (periods.length > 1 ? 2 : 1); round++)
    for (const [k, period] of periods.entries()) {
      for (let i = 0; i < left.length; i++) left[i] += seasonals[k][i]
      const found = stl(left, { ...rest, period, seasonalWindow: 11 + 4 * k, jump: jump(period) })
      seasonals[k] = found.seasonal as Float64Array<ArrayBuffer>
      trend = found.trend as Float64Array<ArrayBuffer>
      for (let i = 0; i < left.length; i++) left[i] -= seasonals[k][i]
    }
  return { seasonals, trend }
}
