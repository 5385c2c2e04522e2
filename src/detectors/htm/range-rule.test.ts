import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { openRangeRule } from './range-rule.ts'

describe('openRangeRule', () => {
  it('measures beyond a twentieth of the range, in ranges', () => {
    const rule = openRangeRule()
    expect(rule.excess(7)).toBe(0)
    for (const value of [10, 20, 15]) rule.learn(value)
    expect(rule.excess(20.5)).toBe(0)
    expect(rule.excess(21)).toBeCloseTo(0.05, 12)
    expect(rule.excess(5)).toBeCloseTo(0.45, 12)
    rule.learn(25)
    expect(rule.excess(25)).toBe(0)
  })

  it('finds every other value outside a flat series', () => {
    const rule = openRangeRule()
    rule.learn(5)
    expect(rule.excess(5)).toBe(0)
    expect(rule.excess(5.001)).toBe(1)
  })

  it('finds a moving mean outside that of the past, while every value is inside', () => {
    const rule = openRangeRule()
    for (let row = 0; row < 400; row++) rule.learn(row % 7 === 0 ? 20 : 10)
    expect(rule.excess(10)).toBe(0)
    let found = 0
    for (let row = 1; row <= 12; row++) {
      if (found === 0 && rule.excess(20) > 0) found = row
      rule.learn(20)
    }
    expect(found).toBeGreaterThan(0)
  })

  it('is not narrow where every mean is the same', () => {
    const rule = openRangeRule()
    for (let row = 0; row < 400; row++) rule.learn(row % 2 ? 10 : 20)
    expect(rule.excess(20)).toBe(0)
    expect(rule.excess(19)).toBe(0)
  })

  it('forgets after 4,000 to 4,500 rows, and goes on from a state', () => {
    const random = seededRandom(2)
    const rule = openRangeRule()
    rule.learn(100)
    let forgotten = 0
    for (let row = 1; row < 5000; row++) {
      rule.learn(9 * random.next())
      if (forgotten === 0 && rule.excess(10) > 0) forgotten = row
      expect(openRangeRule(structuredClone(rule.state())).excess(10)).toBe(rule.excess(10))
    }
    expect(forgotten).toBe(4500)
  })
})
