import { describe, expect, it } from 'vitest'
import { quantile } from '../math/quantile.ts'
import { seededRandom } from '../math/random.ts'
import { beyondOf, placeRow, profileWindow } from './window-profile.ts'

describe('profileWindow', () => {
  it('is near the quantiles of each column, and knows nothing of one without values', () => {
    const random = seededRandom(1)
    const rows = Float64Array.from({ length: 3 * 1001 }, (_, i) =>
      i % 3 === 2 || random.next() < 0.05 ? NaN : random.next() * (i % 3 === 0 ? 1 : 1000),
    )
    const { middle, low, high, spread } = profileWindow(rows, 1001, 3)
    for (const c of [0, 1]) {
      const column = rows.filter((_, i) => i % 3 === c)
      const size = c === 0 ? 1 : 1000
      expect(Math.abs(middle[c] - quantile(column, 0.5)) / size).toBeLessThan(0.005)
      expect(Math.abs(low[c] - quantile(column, 0.01)) / size).toBeLessThan(0.005)
      expect(Math.abs(high[c] - quantile(column, 0.99)) / size).toBeLessThan(0.005)
      expect(spread[c] / size).toBeCloseTo(0.5 / 1.349, 1)
    }
    expect([middle[2], low[2], high[2], spread[2]]).toEqual([NaN, NaN, NaN, NaN])
  })
  it('looks at the first rows only', () => {
    expect(profileWindow(Float64Array.of(1, 2, 3, 90, 90), 3, 1).middle[0]).toBe(2)
  })
})

describe('placeRow', () => {
  const profile = profileWindow(
    Float64Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? Math.floor(i / 3) : 5)),
    100,
    3,
  )
  it('names the column that is farthest from its middle, in its spreads', () => {
    expect(placeRow([50, 5, 5.5], profile).channel).toBe(2)
    expect(placeRow([99, 5, 5.01], profile).channel).toBe(0)
    expect(placeRow([NaN, 5, 4], profile).channel).toBe(2)
  })
  it('counts what is outside only', () => {
    expect(placeRow([98, 5, 5], profile).outside).toBe(0)
    expect(placeRow([98 + profile.spread[0], 5, 5], profile).outside).toBeCloseTo(1)
    expect(beyondOf(98 + profile.spread[0], profile, 0)).toBeCloseTo(1)
    expect(beyondOf(1 - 2 * profile.spread[0], profile, 0)).toBeCloseTo(2)
    expect(beyondOf(50, profile, 0)).toBeLessThan(0)
    expect(placeRow([NaN, NaN, NaN], profile)).toEqual({ channel: 0, outside: 0 })
  })
})
