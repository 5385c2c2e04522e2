import { describe, expect, it } from 'vitest'
import { DAY, MINUTE, WEEK } from '../../duration.ts'
import { openDayView } from './day-view.ts'
import { openLastingDeparture } from './lasting-departure.ts'
import { openLevelView } from './level-view.ts'
import { openRangeRule } from './range-rule.ts'
import { openResidualView } from './residual-view.ts'

const noise = (i: number) => ((i * 7919) % 1009) / 1009 - 0.5

describe('range rule', () => {
  it('says how far outside of all that was seen, and nothing at first', () => {
    const rule = openRangeRule()
    for (let i = 0; i < 39; i++) {
      expect(rule.look(1000)).toBe(0)
      rule.learn(i, i % 2)
    }
    rule.learn(39, 1)
    expect([rule.look(0.5), rule.look(1.25), rule.look(-2)]).toEqual([0, 0.25, 2])
  })

  it('forgets the range of long ago', () => {
    const rule = openRangeRule()
    const step = (9 * WEEK) / 10_000
    for (let i = 0; i < 10_000; i++) rule.learn(i * step, i === 50 ? 100 : i % 2)
    expect(rule.look(2)).toBe(1)
  })
})

describe('residual view', () => {
  it('foresees what a recurrence makes, and is struck by what it does not', () => {
    const view = openResidualView()
    const values = [1, 0.9]
    for (let i = 2; i < 1000; i++) values.push(1.6 * values[i - 1] - 0.8 * values[i - 2] + noise(i))
    const said = values.map((value, i) => {
      const distance = view.look(i, value)
      view.learn(i, value)
      return distance
    })
    expect(said.slice(0, 200).every(distance => distance === 0)).toBe(true)
    // It knows what comes next, so what it says is far below what a spike makes it say.
    const usual = Math.max(...said.slice(500))
    const spread = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)
    const next = 1.6 * values[999] - 0.8 * values[998]
    expect(view.look(1000, next)).toBeLessThan(0.5 * usual)
    expect(view.look(1000, next + 3 * spread)).toBeGreaterThan(2 * usual)
  })
})

describe('day view', () => {
  it('knows the level of the time of day', () => {
    const view = openDayView(() => 0)
    const at = (i: number) => 100 + 50 * Math.sin((2 * Math.PI * i * 5 * MINUTE) / DAY) + noise(i)
    for (let i = 0; i < 288 * 10; i++) {
      view.look(i * 5 * MINUTE, at(i))
      view.learn(i * 5 * MINUTE, at(i))
    }
    const noon = 288 * 10 + 144
    expect(view.look(noon * 5 * MINUTE, at(noon))).toBeLessThan(4)
    expect(view.look(noon * 5 * MINUTE, at(noon) + 40)).toBeGreaterThan(20)
  })
})

describe('level view', () => {
  it('is the distance from the mean in standard deviations', () => {
    const view = openLevelView(1000, 1000)
    for (let i = 0; i < 900; i++) {
      view.look(i, noise(i))
      view.learn(i, noise(i))
    }
    expect(view.look(900, 1)).toBeCloseTo(Math.sqrt(12), 0)
  })
})

describe('lasting departure', () => {
  it('finds small distances that last rarer than a great one that does not', () => {
    const ranks = (extra: (i: number) => number) => {
      const departure = openLastingDeparture()
      let most = 0
      for (let i = 0; i < 2000; i++) {
        const rank = departure.look(1 + noise(i) + extra(i))
        if (i >= 1900) most = Math.max(most, rank)
        departure.learn()
      }
      return most
    }
    const calm = ranks(() => 0)
    expect(ranks(i => (i >= 1900 ? 0.6 : 0))).toBeGreaterThan(calm + 1)
    expect(ranks(i => (i === 1950 ? 0.6 : 0))).toBeLessThan(calm + 1)
  })
})
