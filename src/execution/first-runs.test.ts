import { expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import type { FlowState } from '../stores/store.ts'
import { openFirstRuns } from './first-runs.ts'

const START = Date.UTC(2026, 0, 5, 10)
const flow = (name: string, nextRunAt: number): FlowState => ({
  flow: name,
  watermark: NaN,
  horizon: NaN,
  nextRunAt,
  lastRun: undefined,
  lastSuccessAt: NaN,
  failures: 0,
})

it('waits for the flows that run soon, each until its run has ended', () => {
  const runs = openFirstRuns(
    [flow('due', START - MINUTE), flow('soon', START + 5 * MINUTE), flow('nightly', START + 5 * MINUTE + 1)],
    () => START,
  )
  expect(runs.waiting()).toEqual(['due', 'soon'])
  runs.ended('due')
  runs.ended('nightly')
  expect(runs.waiting()).toEqual(['soon'])
})

it('waits for nobody longer than five minutes', () => {
  let now = START
  const runs = openFirstRuns([flow('stuck', START)], () => now)
  now += 5 * MINUTE - 1
  expect(runs.waiting()).toEqual(['stuck'])
  now += 1
  expect(runs.waiting()).toEqual([])
})
