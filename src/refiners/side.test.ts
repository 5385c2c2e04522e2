import { expect, it } from 'vitest'
import type { Anomaly, Direction } from '../anomaly.ts'
import { fromValues } from '../frame/frame.ts'
import { side } from './side.ts'

const anomaly = (direction: Direction, ignored?: string): Anomaly => ({
  labels: {},
  detector: 'seasonal',
  start: 0,
  end: 1000,
  peak: 0,
  score: 9,
  strength: 2,
  direction,
  current: 5,
  expected: 1,
  lower: 0,
  upper: 2,
  ongoing: false,
  ...(ignored === undefined ? {} : { ignored }),
})
const refine = (bad: 'up' | 'down' | 'both', found: readonly Anomaly[]) =>
  side
    .create({ bad })
    .refine(found, { scores: fromValues([0], [5]) as never, step: 1000 })
    .map(each => each.ignored)

it('ignores the good side with its reason and keeps what has no side', () => {
  const found = [anomaly('up'), anomaly('down'), anomaly('none')]
  expect(refine('up', found)).toEqual([undefined, 'only up is bad', undefined])
  expect(refine('down', found)).toEqual(['only down is bad', undefined, undefined])
  expect(refine('both', found)).toEqual([undefined, undefined, undefined])
})

it('leaves an older reason as it is', () => {
  expect(refine('up', [anomaly('down', 'shorter than 2m')])).toEqual(['shorter than 2m'])
})
