import { describe, expect, it } from 'vitest'
import { MINUTE, SECOND, WEEK } from '../duration.ts'
import { seededRandom } from '../math/random.ts'
import { calm, countAlarms, noises } from '../testing/toy-scores.ts'

describe('the budget', () => {
  describe.each(Object.entries(noises))('on %s scores', (_, noise) => {
    it.each([
      ['5 minutes', 5 * MINUTE, 1, 26, 6],
      ['1 minute', MINUTE, 2, 8, 4],
    ])('keeps to its budget at rows of %s, from the cold start on', (_, step, alarms, weeks, series) => {
      let found = 0
      for (let seed = 1; seed <= series; seed++) {
        const next = noise(seededRandom(seed * 7919).next)
        const score = Float64Array.from({ length: (weeks * WEEK) / step }, next)
        found += countAlarms(score, step, { minimum: 0, alarms })
      }
      const share = found / (alarms * weeks * series)
      expect(share).toBeGreaterThanOrEqual(0.3)
      expect(share).toBeLessThanOrEqual(1.5)
    })
  })

  it('keeps to a budget of a day at rows of a second', () => {
    const score = calm((WEEK * 0.5) / SECOND, 5)
    const found = countAlarms(score, SECOND, { minimum: 0, alarms: 4, per: '1d' })
    expect(found).toBeGreaterThanOrEqual(4)
    expect(found).toBeLessThanOrEqual(21)
  })
})
