import { describe, expect, it } from 'vitest'
import { MINUTE, WEEK } from '../../src/duration.ts'
import { seededNormal } from '../data/seeded-random.ts'
import { feel, findAlerts, summarizeFelt } from './operators.ts'

describe('operators', () => {
  const times = Float64Array.from({ length: 10_080 }, (_, i) => i * MINUTE)

  it('are told once of a burst, and of the next one after a calm stretch', () => {
    const normal = seededNormal(1)
    const alarm = Float64Array.from(times, () => Math.min(2, Math.abs(normal())))
    alarm.fill(60, 7000, 7030)
    alarm[7040] = 60
    alarm[8000] = 80
    expect(findAlerts(times, alarm, 5000)).toEqual([7000, 8000])
    expect(findAlerts(times, alarm, 7500)).toEqual([8000])
  })

  it('feel delays in time and shares of segments', () => {
    const labels = new Uint8Array(times.length)
    for (const first of [1000, 2000, 3000, 4000]) labels.fill(1, first, first + 60)
    const felt = feel(times, labels, [500, 1003, 1030, 2010, 3059, 5000])
    expect(felt).toMatchObject({ alerts: 6, false: 2, segments: 4, delays: [3, 10, 59].map(minutes => minutes * MINUTE) })
    const sum = summarizeFelt([felt, { ...felt, weeks: 1 }])
    expect(sum.caught).toBe(0.75)
    expect(sum.within5).toBe(0.25)
    expect(sum.within15).toBe(0.5)
    expect(sum.medianDelay).toBe(10)
    expect(sum.precision).toBeCloseTo(4 / 6, 9)
    expect(sum.f1).toBeCloseTo((2 * 0.75 * (2 / 3)) / (0.75 + 2 / 3), 9)
    expect(summarizeFelt([{ ...felt, weeks: WEEK / WEEK }]).falsePerWeek).toBe(2)
  })

  it('know nothing of delays where nothing was caught', () => {
    const sum = summarizeFelt([{ weeks: 1, alerts: 0, false: 0, segments: 2, delays: [] }])
    expect(sum.medianDelay).toBeNaN()
    expect(sum.f1).toBe(0)
  })
})
