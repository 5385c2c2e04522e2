import { expect, it } from 'vitest'
import { MINUTE, SECOND } from '../duration.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { CLOCK_PATIENCE, openClockDoubt } from './clock-doubt.ts'

const flow = toyFlow()
const NOON = Date.UTC(2026, 0, 5, 12)

it('a flow runs that has seen nothing yet, or nothing after the next row', () => {
  const { waitUntil } = openClockDoubt()
  for (const horizon of [NaN, NOON - MINUTE, NOON, NOON + MINUTE]) expect(waitUntil(flow, horizon, NOON)).toBeUndefined()
})

it('one that has seen later rows waits until the clock is corrected, or for half a minute', () => {
  const { waitUntil } = openClockDoubt()
  const horizon = NOON + 90 * MINUTE
  const end = NOON + CLOCK_PATIENCE
  expect(waitUntil(flow, NOON + MINUTE + 1, NOON)).toBe(end)
  expect(waitUntil(flow, horizon, NOON)).toBe(end)
  expect(waitUntil(flow, horizon, end - SECOND)).toBe(end)
  expect(waitUntil({ ...flow, name: 'other' }, horizon, NOON + SECOND)).toBe(end + SECOND)
  expect(waitUntil(flow, horizon + MINUTE, end)).toBeUndefined()
  expect(waitUntil(flow, horizon + MINUTE, end + SECOND)).toBeUndefined()
})

it('it waits anew when the clock goes back again, be it further or after it was corrected', () => {
  const { waitUntil } = openClockDoubt()
  expect(waitUntil(flow, NOON + 90 * MINUTE, NOON)).toBe(NOON + CLOCK_PATIENCE)
  expect(waitUntil(flow, NOON + 90 * MINUTE, NOON - MINUTE)).toBe(NOON - MINUTE + CLOCK_PATIENCE)
  expect(waitUntil(flow, NOON + 90 * MINUTE, NOON + 90 * MINUTE)).toBeUndefined()
  const again = NOON + 10 * MINUTE
  expect(waitUntil(flow, NOON + 90 * MINUTE, again)).toBe(again + CLOCK_PATIENCE)
})
