import { type Frame, fromValues } from './frame.ts'

/** At most so many rows are put into holes, so that a file with one row a year does not fill the memory. */
const MOST_ROWS = 1_000_000

/** Rows that are absent between others as rows without a value, one every `step` (ms). Nothing is put before the first row or behind the last. */
export function fillHoles(frame: Frame<'value'>, step: number): Frame<'value'> {
  const { times, columns, labels } = frame
  const filledTimes: number[] = []
  const values: number[] = []
  let filled = 0
  for (let i = 0; i < times.length; i++) {
    const end = times[i] - step / 2
    for (let time = times[i - 1] + step; time < end && filled < MOST_ROWS; time += step) {
      filledTimes.push(time)
      values.push(NaN)
      filled++
    }
    filledTimes.push(times[i])
    values.push(columns.value[i])
  }
  return filled > 0 ? fromValues(filledTimes, values, labels) : frame
}
