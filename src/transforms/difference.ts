import { z } from 'zod'
import { component } from '../component.ts'
import { duration } from '../schema.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  lag: duration().optional().describe('how far back the row is that is taken away; default the row before'),
})

interface Cell {
  times: number[]
  values: number[]
  /** Rows before it are forgotten, though still in the arrays. */
  first: number
}

/** x(t) − x(t − lag), unknown when there is no row at exactly t − lag. A day or a week as lag takes a season away (Box & Jenkins 1970, chapter 9). */
export const difference = component<Transform, typeof config>({
  type: 'difference',
  summary: 'How much a value changed since the row before, or since the same time a day or a week ago.',
  config,
  examples: [{}, { lag: '1h' }],
  create: ({ lag }) =>
    fromCells<Cell>({
      lookback: lag ?? 0,
      start: () => ({ times: [], values: [], first: 0 }),
      apply(cell, time, value) {
        const { times, values } = cell
        const wanted = lag === undefined ? (times.at(-1) ?? NaN) : time - lag
        while (cell.first < times.length && times[cell.first] < wanted) cell.first++
        const before = times[cell.first] === wanted ? values[cell.first] : NaN
        times.push(time)
        values.push(value)
        // Cut in pieces: to shift at each row would move all of a week each time.
        if (cell.first > 64 && cell.first > times.length / 2) {
          cell.times = times.slice(cell.first)
          cell.values = values.slice(cell.first)
          cell.first = 0
        }
        return value - before
      },
    }),
})
