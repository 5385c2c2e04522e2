import { expect, it } from 'vitest'
import { targetQuery, toTargets } from './targets.ts'

it('asks for the jobs of series, or for their instances or pods', () => {
  expect(targetQuery([{ job: 'web', instance: 'a' }, { job: 'db' }, { job: 'web' }])).toBe('up{job=~"db|web"}')
  expect(targetQuery([{ instance: '10.0.0.1:9153' }])).toBe('up{instance=~"10\\\\.0\\\\.0\\\\.1:9153"}')
  expect(targetQuery([{ pod: 'web-1', code: '500' }])).toBe('up{pod=~"web-1"}')
  expect(targetQuery([{ code: '500' }])).toBeUndefined()
  expect(targetQuery([])).toBeUndefined()
})

it('asks for none when there are too many', () => {
  const instances = (count: number) => Array.from({ length: count }, (_, i) => ({ instance: `${i}` }))
  expect(targetQuery(instances(50))).toBeDefined()
  expect(targetQuery(instances(51))).toBeUndefined()
})

it('takes 1 as up and all else as down', () => {
  const frame = (value: number) => ({
    labels: { job: 'a' },
    times: Float64Array.of(0),
    columns: { value: Float64Array.of(value) },
  })
  expect([1, 0, NaN].map(value => toTargets([frame(value)])[0]!.up)).toEqual([true, false, false])
})
