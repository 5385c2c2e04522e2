import { expect, it } from 'vitest'
import { crashTest } from '../scripts/crash.ts'

it('loses and doubles no change over 40 kills; `node scripts/crash.ts` is the long run', { timeout: 400_000 }, async () => {
  const report = await crashTest({ kills: 40, seed: 7 })
  expect(report.problems).toEqual([])
  expect(report.opened).toBeGreaterThan(20)
  expect(report.resolved).toBe(report.opened)
})
