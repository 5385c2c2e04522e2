import { expect, it } from 'vitest'
import type { BenchSeries } from './series.ts'
import { HIDDEN, SINGLE, vary } from './variants.ts'

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
