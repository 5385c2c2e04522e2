import { describe, expect, it } from 'vitest'
import { MINUTE } from '../../duration.ts'
import type { Frame } from '../../frame/frame.ts'
import { seededRandom } from '../../math/random.ts'
import { htm } from '../htm.ts'

const ALWAYS = { start: 0, end: 1e15 }
const START = Date.UTC(2024, 10, 4)
const ROWS = 48 * 30
const detector = htm.create(htm.config.parse({ columns: 256, cells: 6, segments: 4000, warmup: 200 }))

const daily = (i: number, cycles = 1) => 20 * Math.sin((2 * Math.PI * cycles * i) / 48)

function frame(columns: Record<string, (i: number, noise: number) => number>): Frame {
  const random = seededRandom(3)
  const times = Float64Array.from({ length: ROWS }, (_, i) => START + i * 30 * MINUTE)
  const made = Object.entries(columns).map(([name, valueOf]) => [name, times.map((_, i) => valueOf(i, random.next() - 0.5))])
  return { labels: {}, times, columns: Object.fromEntries(made) }
}

describe('htm with a band', () => {
  const { columns } = detector.detect(frame({ value: (i, noise) => 100 + daily(i) + noise }), ALWAYS)
  const late = Array.from({ length: ROWS / 2 }, (_, k) => ROWS / 2 + k)

  it('holds most of the values that come, and is narrower than the range', () => {
    const inside = late.filter(i => columns.value[i] >= columns.lower[i] && columns.value[i] <= columns.upper[i])
    expect(inside.length / late.length).toBeGreaterThan(0.85)
    const width = late.reduce((sum, i) => sum + columns.upper[i] - columns.lower[i], 0) / late.length
    expect(width).toBeLessThan(20)
  })

  it('expects what comes, and not what came last', () => {
    const errorOf = (expected: (i: number) => number) =>
      late.reduce((sum, i) => sum + Math.abs(columns.value[i] - expected(i)), 0)
    expect(errorOf(i => columns.expected[i])).toBeLessThan(errorOf(i => columns.value[i - 1]))
  })

  it('says no band before it has seen enough', () => {
    expect(columns.lower.slice(0, 100).every(Number.isNaN)).toBe(true)
    expect(columns.lower.slice(-100).every(Number.isFinite)).toBe(true)
  })
})

describe('htm with several columns', () => {
  const tides = {
    slow: (i: number, noise: number) => 100 + daily(i) + noise,
    quick: (i: number, noise: number) => -5 + daily(i, 3) / 10 + noise / 10,
    constant: () => 7,
  }

  it('names the column that leaves its range, with its value and band', () => {
    const at = ROWS - 30
    for (const [channel, name] of ['slow', 'quick'].entries()) {
      const valueOf = tides[name as 'slow' | 'quick']
      const input = frame({ ...tides, [name]: (i: number, noise: number) => (i === at ? 2 : 1) * valueOf(i, noise) })
      const { columns } = detector.detect(input, ALWAYS)
      expect(columns.channel![at]).toBe(channel)
      expect(columns.value[at]).toBe(input.columns[name][at])
      expect(columns.alarm![at]).toBeGreaterThan(10)
      expect(columns[`share${channel}`]![at]).toBe(1)
      expect(columns.value[at] > columns.upper[at] || columns.value[at] < columns.lower[at]).toBe(true)
    }
  })

  it('goes on with the columns that are known', () => {
    const input = frame({ ...tides, quick: (i, noise) => (i > 900 ? NaN : tides.quick(i, noise)) })
    const { score, channel, expected, share1 } = detector.detect(input, ALWAYS).columns
    expect(share1!.slice(901).every(value => !(value > 0))).toBe(true)
    expect(score.slice(901).every(Number.isFinite)).toBe(true)
    expect(channel!.slice(901)).not.toContain(1)
    expect(expected.slice(901).every(Number.isFinite)).toBe(true)
  })
})
