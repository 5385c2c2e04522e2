import { expect, it } from 'vitest'
import { crashTest } from '../scripts/crash.ts'

/** A clock that goes back withdraws what is open in its future, and reports it again: `src/execution/clock-jumps.test.ts` has those cases one by one. */
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
