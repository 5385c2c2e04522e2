import { describe, expect, it } from 'vitest'
import { buildDateEncoder } from './date-encoder.ts'

const encoder = buildDateEncoder({
  timeOfDay: { size: 54, active: 21 },
  dayOfWeek: { size: 49, active: 7 },
  weekend: { active: 5 },
})
const encode = (iso: string) => {
  const into = new Uint8Array(encoder.size)
  encoder.encode(Date.parse(iso), into)
  return into
}
const shared = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, bit, k) => sum + (bit & b[k]), 0)

/** Each bit by itself: set where its place on the ring is near that of the time. */
function naiveRing(minutes: number, period: number, size: number, active: number): number[] {
  return Array.from({ length: size }, (_, bit) => {
    const distance = Math.abs(bit - Math.floor((minutes * size) / period))
    return Math.min(distance, size - distance) <= (active - 1) / 2 ? 1 : 0
  })
}

describe('buildDateEncoder', () => {
  it('agrees with a naive twin, before 1970 too', () => {
    for (let hour = -2000; hour < 2000; hour += 7) {
      const date = new Date(hour * 3_600_000)
      const minutes = 60 * date.getUTCHours() + date.getUTCMinutes()
      const weekday = (date.getUTCDay() + 6) % 7
      const blocks = weekday >= 5 ? [0, 0, 0, 0, 0, 1, 1, 1, 1, 1] : [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
      expect([...encode(date.toISOString())]).toEqual([
        ...naiveRing(minutes, 1440, 54, 21),
        ...naiveRing(1440 * weekday + minutes, 10_080, 49, 7),
        ...blocks,
      ])
    }
  })

  it('finds midnight near midnight, and noon far from it', () => {
    const alone = buildDateEncoder({ timeOfDay: { size: 54, active: 21 } })
    const [late, early, noon] = ['2024-03-05T23:50Z', '2024-03-06T00:10Z', '2024-03-06T12:00Z'].map(iso => {
      const into = new Uint8Array(alone.size)
      alone.encode(Date.parse(iso), into)
      return into
    })
    expect(shared(late, early)).toBeGreaterThanOrEqual(19)
    expect(shared(early, noon)).toBe(0)
  })

  it('writes at its place and clears nothing', () => {
    const into = new Uint8Array(20).fill(1, 0, 2)
    buildDateEncoder({ weekend: { active: 3 } }).encode(Date.parse('2024-03-09T12:00Z'), into, 4)
    expect([...into.keys()].filter(k => into[k])).toEqual([0, 1, 7, 8, 9])
  })
})
