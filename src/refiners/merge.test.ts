import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { merge } from './merge.ts'
import type { RefinerContext } from './refiner.ts'

const MINUTE = 60_000
const none = new Float64Array(0)
const context: RefinerContext = {
  step: MINUTE,
  scores: { labels: {}, times: none, columns: { score: none, value: none, expected: none, lower: none, upper: none } },
}

function anomaly(start: number, end: number, change: Partial<Anomaly> = {}): Anomaly {
  return {
    labels: {},
    detector: 'd',
    start: start * MINUTE,
    end: end * MINUTE,
    peak: start * MINUTE,
    score: 5,
    strength: 1,
    direction: 'up',
    current: start,
    expected: 0,
    lower: -1,
    upper: 1,
    ongoing: false,
    ...change,
  }
}
const refine = (options: object, ...given: Anomaly[]) => merge.create(merge.config.parse(options)).refine(given, context)
const stretches = (...given: Parameters<typeof refine>) => refine(...given).map(a => [a.start / MINUTE, a.end / MINUTE])

describe('merge', () => {
  it('joins over a gap of up to five steps, or what it is told', () => {
    expect(stretches({}, anomaly(0, 1), anomaly(6, 7), anomaly(13, 14))).toEqual([
      [0, 7],
      [13, 14],
    ])
    expect(stretches({ gap: '1m' }, anomaly(0, 1), anomaly(2, 3), anomaly(5, 6))).toEqual([
      [0, 3],
      [5, 6],
    ])
    expect(stretches({}, anomaly(0, 10), anomaly(2, 3))).toEqual([[0, 10]])
  })

  it('keeps the numbers of the stronger, of equals the earlier, and the highest score', () => {
    const [joined] = refine(
      {},
      anomaly(0, 1, { score: 9 }),
      anomaly(2, 3, { strength: 3, direction: 'down', ongoing: true }),
      anomaly(4, 5, { strength: 3 }),
    )
    expect(joined).toEqual(
      anomaly(0, 5, { peak: 2 * MINUTE, current: 2, strength: 3, score: 9, direction: 'down', ongoing: true }),
    )
    expect(refine({}, anomaly(0, 1, { score: NaN }), anomaly(2, 3))[0]!.score).toBe(5)
  })

  it('leaves out what was said of a part', () => {
    const told = { shape: 'spike', numbers: { ratio: 2 }, sentence: 'It rose' } as const
    const [joined, alone] = refine({}, anomaly(0, 1, told), anomaly(2, 3), anomaly(60, 61, told))
    expect(joined).not.toHaveProperty('sentence')
    expect(joined).not.toHaveProperty('shape')
    expect(joined).not.toHaveProperty('numbers')
    expect(alone).toMatchObject(told)
  })

  it('makes none longer than it may be', () => {
    expect(stretches({ longest: '4m' }, anomaly(0, 2), anomaly(3, 4), anomaly(5, 6), anomaly(7, 20))).toEqual([
      [0, 4],
      [5, 6],
      [7, 20],
    ])
  })

  it('keeps directions apart when told to, and what is ignored from what is not', () => {
    const down = anomaly(2, 3, { direction: 'down' })
    expect(refine({ direction: 'same' }, anomaly(0, 1), down)).toHaveLength(2)
    expect(refine({}, anomaly(0, 1), down)).toHaveLength(1)
    expect(refine({}, anomaly(0, 1), anomaly(2, 3, { ignored: 'x' }))).toHaveLength(2)
    expect(refine({}, anomaly(0, 1, { ignored: 'x' }), anomaly(2, 3, { ignored: 'x' }))).toMatchObject([{ ignored: 'x' }])
  })
})
