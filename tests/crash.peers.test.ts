import { expect, it } from 'vitest'
import { crashTest } from '../scripts/crash.ts'

/** Known fault: a clock that goes back can withdraw what is open and report it again. `npm run crash` has these jumps, and fails when it happens. */
const CLOCK = ['a clock that jumps']

it('loses and doubles no change over 40 kills and the faults beside them; `npm run crash` is the long run', {
  timeout: 600_000,
}, async () => {
  const report = await crashTest({ kills: 40, seed: 7, without: CLOCK })
  expect(report.problems).toEqual([])
  for (const times of Object.values(report.faults)) expect(times).toBeGreaterThan(0)
  expect(report.opened).toBeGreaterThan(20)
  // Spikes of the last seconds may still be open; all before them are settled, which `problems` has looked at one by one.
  expect(report.expected).toBeGreaterThan(10)
  expect(report.resolved).toBeGreaterThanOrEqual(report.expected)
})
