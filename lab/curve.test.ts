import { describe, expect, it } from 'vitest'
import { chooseClass, MIX, popular, randomLabel, STORM } from './classes.ts'
import { type Curve, fromDrift, fromSeed, poisson, rateAt } from './curve.ts'
import { planFaults, writeTable } from './record.ts'
import { encodeQuery } from './wire.ts'

const DAY = 360_000
const curve: Curve = { base: 250, day: DAY, week: 0, weekend: 1 }
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const sample = (of: Curve, from: number) => Array.from({ length: 3600 }, (_, i) => rateAt(of, from + (i * DAY) / 3600))

describe('the load', () => {
  it('has its base as mean of a day, but for the teeth', () => {
    expect(mean(sample(curve, 0)) / 250).toBeCloseTo(1.02, 2)
  })
  it('is lowest at night, highest by day, two and a half to five times as much, and never negative', () => {
    const rates = sample(curve, 0)
    const ratio = Math.max(...rates) / Math.min(...rates)
    expect(ratio).toBeGreaterThan(2.5)
    expect(ratio).toBeLessThan(5)
    expect(rates.indexOf(Math.max(...rates)) / 3600).toBeGreaterThan(0.4)
    expect(Math.min(...rates)).toBeGreaterThan(0)
  })
  it('repeats every day, and rests at the weekend', () => {
    expect(rateAt(curve, 5000)).toBeCloseTo(rateAt(curve, 5000 + 3 * DAY), 6)
    const week: Curve = { ...curve, week: 7, weekend: 0.6 }
    expect(rateAt(week, 5 * DAY + 5000) / rateAt(week, 4 * DAY + 5000)).toBeCloseTo(0.6, 6)
    expect(rateAt(week, 7 * DAY + 5000)).toBeCloseTo(rateAt(week, 5000), 6)
  })
  it('is flat without a day', () => expect(rateAt({ ...curve, day: 0 }, 12_345)).toBe(250))
})

describe('chance', () => {
  it('is the same from the same seed', () => {
    const [a, b, c] = [fromSeed(1), fromSeed(1), fromSeed(2)]
    const rows = Array.from({ length: 50 }, () => [a(), b(), c()])
    expect(rows.every(([x, y]) => x === y)).toBe(true)
    expect(rows.some(([x, , z]) => x !== z)).toBe(true)
  })
  it.each([0.5, 5, 80])('draws counts with mean and variance %s', expected => {
    const random = fromSeed(3)
    const counts = Array.from({ length: 20_000 }, () => poisson(expected, random))
    const average = mean(counts)
    expect(average / expected).toBeCloseTo(1, 1)
    expect(mean(counts.map(count => (count - average) ** 2)) / expected).toBeCloseTo(1, 1)
  })
  it('drifts around 1 by its deviation', () => {
    const drift = fromDrift(fromSeed(4), 0.5, 0.1)
    const logs = Array.from({ length: 20_000 }, () => Math.log(drift()))
    expect(mean(logs)).toBeCloseTo(0, 2)
    expect(Math.sqrt(mean(logs.map(log => log * log)))).toBeCloseTo(0.1, 2)
  })
})

describe('the mix', () => {
  it('draws classes by their share, and names that can be asked', () => {
    const random = fromSeed(5)
    const counts: Record<string, number> = {}
    for (let i = 0; i < 20_000; i++) {
      const each = chooseClass(MIX, random)
      counts[each.name] = (counts[each.name] ?? 0) + 1
      const { name, type } = each.draw(random)
      expect(encodeQuery(i, name, type).length).toBeGreaterThan(20)
    }
    for (const { name, share } of MIX) expect(counts[name]! / 20_000, name).toBeCloseTo(share, 1)
    expect(mean(MIX.map(({ share }) => share)) * MIX.length).toBeCloseTo(1, 9)
  })
  it('has a few popular names, and storms that never repeat one', () => {
    const random = fromSeed(6)
    const ranks = Array.from({ length: 5000 }, () => popular(100, random))
    expect(ranks.filter(rank => rank === 0).length).toBeGreaterThan(ranks.filter(rank => rank === 5).length * 3)
    expect(Math.max(...ranks)).toBeLessThan(100)
    expect(new Set(Array.from({ length: 2000 }, () => STORM.draw(random).name)).size).toBe(2000)
    expect(randomLabel(random)).toMatch(/^[a-z]{8,12}$/)
  })
})

describe('a recording', () => {
  it('has its faults in the last two days, apart from one another and from the end', () => {
    const plan = planFaults(36)
    expect(plan).toHaveLength(5)
    expect(plan[0]!.start).toBeGreaterThan(24 * 60_000)
    for (const [index, { start, length }] of plan.entries()) {
      expect(length).toBeGreaterThanOrEqual(40_000)
      expect(length).toBeLessThanOrEqual(60_000)
      expect((plan[index + 1]?.start ?? 36 * 60_000) - (start + length)).toBeGreaterThan(40_000)
    }
  })
  it('is a table with a row a second and empty cells where nothing was', () => {
    const table = writeTable(
      ['a', 'b'],
      [
        new Map([[1000, 1.23456789]]),
        new Map([
          [1000, NaN],
          [2000, 0],
        ]),
      ],
      1000,
      3000,
    )
    expect(table).toBe('timestamp,a,b\n1000,1.2346,\n2000,,0\n')
  })
})
