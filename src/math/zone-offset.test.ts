import { describe, expect, it } from 'vitest'
import { fromZone } from './zone-offset.ts'

const HOUR = 3_600_000

describe('fromZone', () => {
  it('knows zones without daylight saving', () => {
    expect(fromZone('UTC')(Date.UTC(2024, 0, 1))).toBe(0)
    expect(fromZone('Asia/Kolkata')(Date.UTC(2024, 6, 1))).toBe(5.5 * HOUR)
  })
  it('changes exactly when the clocks do, in any order of asking', () => {
    const berlin = fromZone('Europe/Berlin')
    const spring = Date.UTC(2024, 2, 31, 1)
    const autumn = Date.UTC(2024, 9, 27, 1)
    expect([spring - 1, spring, autumn - 1, autumn, spring - 1, spring + 1].map(time => berlin(time) / HOUR)).toEqual([
      1, 2, 2, 1, 1, 2,
    ])
  })
  it('agrees with asking Intl for every hour of a year', () => {
    const zone = 'America/New_York'
    const offset = fromZone(zone)
    const print = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' })
    for (let time = Date.UTC(2024, 0, 1); time < Date.UTC(2025, 0, 1); time += 5 * HOUR)
      expect(new Date(time + offset(time)).getUTCHours()).toBe(Number(print.format(time)))
  })
  it('throws for an unknown zone', () => expect(() => fromZone('Mars/Olympus')).toThrow(RangeError))
})
