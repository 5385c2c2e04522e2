import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { isLive, liveOn, lowestCount, type Presence } from './presence.ts'

const one = (first: number, last: number, tolerance = 30): Presence => ({
  labels: {},
  detector: 'absence',
  first,
  last,
  tolerance,
})
const kind = { isMissing: (value: number) => Number.isNaN(value) || value === 0, grace: 0 }

describe('the presence of a series', () => {
  it('is from its first to its last row with data, over all runs', () => {
    const before = liveOn(undefined, fromValues([10, 20, 30, 40], [NaN, 5, 0, NaN]), kind)
    expect(before).toEqual({ first: 20, last: 20 })
    expect(liveOn(before, fromValues([50, 60], [7, NaN]), kind)).toEqual({ first: 20, last: 50 })
    expect(liveOn(undefined, fromValues([10], [NaN]), kind)).toEqual({ first: Infinity, last: -Infinity })
  })

  it('is live until half of what it tolerates is over, and for a step at least', () => {
    expect([10, 20, 115, 116].map(time => isLive(one(20, 100), time, 10))).toEqual([false, true, true, false])
    expect([110, 111].map(time => isLive(one(20, 100, 0), time, 10))).toEqual([true, false])
  })

  it('is counted at its lowest in a stretch of time', () => {
    // Two that are always there, one that goes at 115, two that come at 90 and go together at 145.
    const series = [one(-Infinity, 1000), one(0, 1000), one(0, 100), one(90, 130), one(90, 130)]
    expect(lowestCount(series, 50, 100, 10)).toBe(3)
    expect(lowestCount(series, 95, 100, 10)).toBe(5)
    expect(lowestCount(series, 95, 120, 10)).toBe(4)
    expect(lowestCount(series, 95, 200, 10)).toBe(2)
    expect(lowestCount([], 0, 10, 10)).toBe(0)
  })

  it('is counted with those that come meanwhile, in order of time, whichever is named first', () => {
    // One leaves at 116 and another at 161; whoever comes before, or just then, takes its place.
    expect(lowestCount([one(0, 100), one(90, 1000)], 50, 200, 10)).toBe(1)
    expect(lowestCount([one(0, 145), one(100, 1000)], 50, 200, 10)).toBe(1)
    expect(lowestCount([one(0, 100), one(116, 1000)], 50, 200, 10)).toBe(1)
    expect(lowestCount([one(0, 100), one(117, 1000)], 50, 200, 10)).toBe(0)
  })

  it('is counted in the stretch alone, its last moment included', () => {
    expect(lowestCount([one(50, 100)], 50, 200, 10)).toBe(0)
    expect([115, 116].map(end => lowestCount([one(0, 100)], 50, end, 10))).toEqual([1, 0])
  })
})
