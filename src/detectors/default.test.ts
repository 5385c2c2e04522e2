import { describe, expect, it } from 'vitest'
import { DAY, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { standard } from './default.ts'

const STEP = 5 * MINUTE
const START = Date.UTC(2024, 0, 1)
const noise = (i: number) => ((i * 7919) % 1009) / 1009 + ((i * 104_729) % 997) / 997 - 1

const detector = standard.create(standard.config.parse({}))
const detect = (change: (value: number, i: number) => number) => {
  const times = Array.from({ length: 4000 }, (_, i) => START + i * STEP)
  const values = times.map((time, i) => change(100 + 20 * Math.sin((2 * Math.PI * time) / DAY) + 4 * noise(i), i))
  return detector.detect(fromValues(times, values), { start: START, end: START + 4000 * STEP }).columns
}
const most = (of: Float64Array, from: number, to: number) => Math.max(...of.subarray(from, to))

describe('default', () => {
  const calm = detect(value => value)
  const usual = most(calm.alarm!, 1500, 4000)

  it.each([
    ['a spike', (value: number, i: number) => (i === 3500 ? value + 60 : value)],
    ['a level shift', (value: number, i: number) => (i >= 3500 ? value + 60 : value)],
    ['a missing peak of the day', (value: number, i: number) => (i >= 3500 && i < 3620 ? 85 + 4 * noise(i) : value)],
    ['a burst of noise', (value: number, i: number) => (i >= 3500 && i < 3540 ? value + 50 * noise(3 * i) : value)],
    ['a stuck value', (value: number, i: number) => (i >= 3500 && i < 3600 ? 110 : value)],
  ])('has its highest alarm and its highest score at %s', (_, change) => {
    const { alarm, score } = detect(change)
    expect(most(alarm!, 3500, 3640)).toBeGreaterThan(1.2 * usual)
    expect(most(alarm!, 3500, 3640)).toBeGreaterThan(most(alarm!, 1500, 3500))
    expect(score.length).toBe(alarm!.length)
  })

  it('ends an alarm soon after its cause', () => {
    const { alarm } = detect((value, i) => (i >= 3500 && i < 3510 ? value + 60 : value))
    expect(most(alarm!, 3530, 4000)).toBeLessThan(0.5 * most(alarm!, 3500, 3510))
  })

  it('keeps alarm and score undecided of the same rows', () => {
    const { alarm, score } = detect((value, i) => (i % 97 === 0 ? NaN : value))
    expect(Array.from(alarm!, Number.isNaN)).toEqual(Array.from(score, Number.isNaN))
  })

  it('golden scores: a change here moves alerts', () => {
    const { alarm, score } = detect((value, i) => (i === 3500 ? value + 60 : value))
    const said = [20, 500, 3499, 3500, 3501, 3510].map(i => [score[i], alarm![i]].map(value => Number(value.toFixed(3))))
    expect(said).toMatchInlineSnapshot(`
      [
        [
          0.509,
          0.169,
        ],
        [
          1.771,
          0.603,
        ],
        [
          1.067,
          0.638,
        ],
        [
          3.785,
          33.343,
        ],
        [
          4.263,
          1,
        ],
        [
          1.338,
          1,
        ],
      ]
    `)
  })
})
