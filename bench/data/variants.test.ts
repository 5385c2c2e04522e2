import { expect, it } from 'vitest'
import type { BenchSeries } from './series.ts'
import { HIDDEN, SHORT, SINGLE, vary } from './variants.ts'

const series: BenchSeries = {
  set: 'made',
  name: 'a',
  times: Float64Array.of(0, 1, 2, 3),
  columns: { x: Float64Array.of(1, 2, 3, 4), y: Float64Array.of(5, 6, 7, 8) },
  labels: Uint8Array.of(0, 1, 0, 1),
  trainRows: 2,
  step: 1,
}
const entries = [{ name: 'a', load: async () => series }]

it('hides what is labelled to learn from, and nothing that is judged', async () => {
  const [hidden] = await vary(entries, HIDDEN)
  const { columns, labels } = await hidden!.load()
  expect([...columns.x!]).toEqual([1, NaN, 3, 4])
  expect([...columns.y!]).toEqual([5, NaN, 7, 8])
  expect(labels).toBe(series.labels)
  expect([...series.columns.x!]).toEqual([1, 2, 3, 4])
})

it('makes a series of each column', async () => {
  const single = await vary(entries, SINGLE)
  expect(single.map(({ name }) => name)).toEqual(['a/x', 'a/y'])
  const { name, columns } = await single[1]!.load()
  expect(name).toBe('a/y')
  expect(columns).toEqual({ y: series.columns.y })
})

it('cuts the ends off, so that there is as much to learn from as to be judged on', async () => {
  const times = Float64Array.from({ length: 70_000 }, (_, i) => i)
  const long = {
    ...series,
    times,
    columns: { x: times },
    labels: Uint8Array.from(times, i => (i === 25_000 ? 1 : 0)),
    trainRows: 30_000,
  }
  const [short] = await vary([{ name: 'a', load: async () => long }], SHORT)
  const { columns, labels, trainRows } = await short!.load()
  expect([columns.x![0], columns.x!.at(-1), trainRows, labels.indexOf(1)]).toEqual([10_000, 49_999, 20_000, 15_000])
})
