import { z } from 'zod'
import { component } from '../component.ts'
import { SECOND } from '../duration.ts'
import { duration } from '../schema.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  window: duration().prefault('5m').describe('the increase over this long before each row counts'),
})

interface Cell {
  times: number[]
  values: number[]
}

/**
 * Increase per second of a counter over a window, with the resets and the extrapolation of Prometheus' `rate` (`extrapolatedRate` in
 * promql/functions.go, windows open on the left as of 3.0): a value below the one before it is a counter that began again at zero, and the
 * increase between first and last sample is stretched to the window, by at most half a sample distance beyond a real gap and never below zero.
 * Unknown with less than two samples in the window. For counters that come raw, from a file; ask Prometheus itself for `rate(…)`, because
 * it sees every scrape and not only one value a step.
 */
export const rate = component<Transform, typeof config>({
  type: 'rate',
  summary: 'Increase per second of a counter, resets included, as Prometheus calculates it.',
  config,
  examples: [{ window: '1h' }, { window: '3h' }],
  create: ({ window }) =>
    fromCells<Cell>({
      lookback: window,
      start: () => ({ times: [], values: [] }),
      apply(cell, time, value) {
        const { times, values } = cell
        let old = 0
        while (old < times.length && times[old] <= time - window) old++
        if (old > 0) {
          times.splice(0, old)
          values.splice(0, old)
        }
        if (!Number.isNaN(value)) {
          times.push(time)
          values.push(value)
        }
        return ratePerSecond(times, values, time - window, time)
      },
    }),
})

function ratePerSecond(times: readonly number[], values: readonly number[], start: number, end: number): number {
  const last = times.length - 1
  if (last < 1) return NaN
  let increase = values[last] - values[0]
  for (let i = 1; i <= last; i++) if (values[i] < values[i - 1]) increase += values[i - 1]
  const sampled = times[last] - times[0]
  const between = sampled / last
  let before = times[0] - start
  let after = end - times[last]
  if (before >= 1.1 * between) before = between / 2
  // A counter does not fall below zero: at its pace it was zero so long ago.
  if (increase > 0 && values[0] >= 0) before = Math.min(before, sampled * (values[0] / increase))
  if (after >= 1.1 * between) after = between / 2
  return (increase * ((sampled + before + after) / sampled)) / ((end - start) / SECOND)
}
