import { describe, expect, it } from 'vitest'
import { fromValues, type TimeRange } from '../frame/frame.ts'
import { askHistory, firstValue, lastValue } from './history.ts'

const STEP = 2000
const ROWS = 604_800
const whole: TimeRange = { start: 0, end: ROWS * STEP }

/** A source whose series `old` and `young` begin at the given times. */
function source(old: number, young: number) {
  const asked: { rows: number; step: number; start: number }[] = []
  return {
    asked,
    async ask({ start, end }: TimeRange, step: number) {
      const first = Math.floor(start / step) * step
      const times = Float64Array.from({ length: Math.ceil((end - first) / step) }, (_, i) => first + i * step)
      asked.push({ rows: times.length, step, start: first })
      const frame = (n: string, begin: number) =>
        fromValues(
          times,
          times.map(time => (time < begin ? NaN : 1)),
          { n },
        )
      return { frames: [frame('old', old), frame('young', young)], diagnostics: [] }
    },
  }
}

describe('askHistory', () => {
  it('asks first where a long history begins, and then for the rows from there', async () => {
    const begin = (ROWS - 3000) * STEP
    const { asked, ask } = source(begin, Infinity)
    const { frames } = await askHistory(ask, whole, STEP)
    expect(asked.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThan(15_000)
    const { times, columns } = frames[0]
    expect(times[columns.value.findIndex(value => value === 1)]).toBe(begin)
    expect(times.at(-1)).toBe(whole.end - STEP)
  })

  it('looks only at the beginning of the series that are wanted', async () => {
    const { asked, ask } = source(0, (ROWS - 10) * STEP)
    await askHistory(ask, whole, STEP, new Set(['{n="young"}']))
    expect(asked[1].rows).toBeLessThan(300)
    await askHistory(ask, whole, STEP, new Set(['{n="old"}']))
    expect(asked[3].rows).toBe(ROWS)
  })

  it('asks once where the history is short', async () => {
    const { asked, ask } = source(0, 0)
    await askHistory(ask, { start: 0, end: 20_000 * STEP }, STEP)
    expect(asked).toEqual([{ rows: 20_000, step: STEP, start: 0 }])
  })

  it('asks for the newest rows when there is no history at all', async () => {
    const { asked, ask } = source(Infinity, Infinity)
    await askHistory(ask, whole, STEP)
    expect(asked[1]).toEqual({ rows: 61, step: STEP, start: whole.end - 61 * STEP })
  })

  it('asks once for a short history however late it is', async () => {
    const { asked, ask } = source(0, 0)
    await askHistory(ask, { start: whole.end, end: whole.end + 20_000 * STEP }, STEP)
    expect(asked).toHaveLength(1)
  })
})

describe('the rows with a value', () => {
  const times = [5, 6, 7, 8]
  it.each<[string, number[], number, number]>([
    ['all', [1, 2, 3, 4], 5, 8],
    ['the first', [1, NaN, NaN, NaN], 5, 5],
    ['those between', [NaN, 2, 3, NaN], 6, 7],
    ['none', [NaN, NaN, NaN, NaN], Infinity, -Infinity],
  ])('begin and end where they do: %s', (_, values, first, last) => {
    const frame = fromValues(times, values, {})
    expect([firstValue(frame), lastValue(frame)]).toEqual([first, last])
  })
})
