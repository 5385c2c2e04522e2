import { expect, it } from 'vitest'
import { makeRefinerCase } from '../testing/refiner-laws.ts'
import { minimumDuration } from './minimum-duration.ts'

const MINUTE = 60_000

it('labels what is too short, says "so far" of what goes on, and leaves the rest', () => {
  const { anomalies, context } = makeRefinerCase()
  const refined = minimumDuration.create(minimumDuration.config.parse({ duration: '10m' })).refine(anomalies, context)
  expect(refined).toHaveLength(anomalies.length)
  expect(refined.map(({ start, end, ignored }) => [(end - start) / MINUTE, ignored])).toEqual([
    [2, 'shorter than 10m'],
    [1, 'shorter than 10m'],
    [1, 'outside business hours'],
    [1, 'shorter than 10m'],
    [60, undefined],
    [40, undefined],
    [30, undefined],
    [5, 'shorter than 10m so far'],
  ])
})

it('takes exactly as long as enough', () => {
  const { anomalies, context } = makeRefinerCase()
  expect(minimumDuration.create(minimumDuration.config.parse({})).refine(anomalies, context)[0]).toBe(anomalies[0])
})
