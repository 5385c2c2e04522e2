import { expect, it } from 'vitest'
import { listLab } from './lab.ts'
import { segmentsOf } from './series.ts'

it('labels what was wrong in the recording, not the benign spike, and judges from a minute before the first fault', async () => {
  const [entry] = listLab()
  const { times, columns, labels, trainRows, step } = await entry!.load()
  const segments = segmentsOf(labels)
  expect(segments).toHaveLength(4)
  expect(segments[0]![0] - trainRows).toBe(60)
  for (const [first, last] of segments) expect((times[last]! - times[first]!) / step).toBeCloseTo(50, -1)
  expect(Object.keys(columns)).toContain('coredns-servfail-ratio')
  expect(Object.values(columns).every(column => column.length === times.length)).toBe(true)
})
