import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { calm, scoresOf, strengths } from '../testing/toy-scores.ts'
import { sustained } from './sustained.ts'

const MINUTE = 60_000

function judge(options: object, score: readonly number[], at: readonly number[] = score.map((_, i) => i)): number[] {
  const column = Float64Array.from(score)
  const none = column.map(() => NaN)
  const columns = { score: column, value: none, expected: none, lower: none, upper: none }
  const scores: Scores = { labels: {}, times: Float64Array.from(at, i => i * MINUTE), columns }
  return [...sustained.create(sustained.config.parse({ rule: { type: 'threshold' }, ...options })).judge(scores).strength]
}

describe('sustained', () => {
  it('waits until a rule has held for a duration', () => {
    expect(judge({ for: '2m' }, [0, 2, 2, 3, 4, 0, 5])).toEqual([0, 0.999, 0.999, 3, 4, 0, 0.999])
    expect(judge({ for: '0s' }, [0, 2])).toEqual([0, 2])
    expect(judge({ for: '30s' }, [2, 2])).toEqual([0.999, 2])
    expect(judge({ for: '1m' }, [1, 1])).toEqual([0.999, 1])
  })

  it('is not broken by an undecided row, but by data that is gone', () => {
    expect(judge({ for: '2m' }, [2, NaN, 3])).toEqual([0.999, NaN, 3])
    expect(judge({ for: '2m' }, [2, NaN, NaN, 3])).toEqual([0.999, NaN, NaN, 3])
    expect(judge({ for: '2m' }, [2, NaN, NaN, NaN, 3, 3, 3])).toEqual([0.999, NaN, NaN, NaN, 0.999, 0.999, 3])
  })

  it('wants n of the last m rows', () => {
    expect(judge({ count: 2, of: 3 }, [0, 5, 0, 4, 0, 0, 6])).toEqual([0, 0, 0, 4, 0, 0, 0])
    expect(judge({ count: 3 }, [2, 3, 4, 5, 0])).toEqual([0.999, 0.999, 2, 3, 0])
    expect(judge({ count: 2, of: 3 }, [NaN, 5, NaN, 4])).toEqual([NaN, 0.999, NaN, 4])
  })

  it('is about a budget as about any other rule', () => {
    const score = calm(200)
    score[150] = 60
    const own = strengths(score, MINUTE)
    expect(own[150]).toBeGreaterThan(1)
    const rule = sustained.create(sustained.config.parse({ count: 1 }))
    expect([...rule.judge(scoresOf(score, MINUTE)).strength]).toEqual([...own])
  })

  it.each([{ for: '3m' }, { count: 2, of: 3 }])('goes on from its state as if it had not stopped: %o', options => {
    const rule = sustained.create(sustained.config.parse({ rule: { type: 'threshold' }, ...options }))
    const score = Float64Array.of(0, 2, NaN, NaN, 3, 3, 0, 4, 4, NaN, NaN, NaN, NaN, 5, 5, 5, 5, 0)
    const scores = scoresOf(score, MINUTE)
    const whole = rule.judge(scores)
    for (let cut = 1; cut < score.length; cut++) {
      const part = (from: number, to?: number) => ({
        ...scoresOf(score.slice(from, to), MINUTE),
        times: scores.times.slice(from, to),
      })
      const before = rule.judge(part(0, cut))
      const after = rule.judge(part(cut), before.state)
      expect([...before.strength, ...after.strength]).toEqual([...whole.strength])
      expect(after.state).toEqual(whole.state)
    }
  })

  it('refuses a state of another version', () => {
    const none = new Float64Array()
    const columns = { score: none, value: none, expected: none, lower: none, upper: none }
    const rule = sustained.create(sustained.config.parse({ for: '1m' }))
    expect(() => rule.judge({ labels: {}, times: none, columns }, { version: 2 })).toThrow(
      'state of sustained must have version 1, got 2',
    )
  })

  it('checks the rule inside and wants exactly one way of waiting', () => {
    expect(() => sustained.config.parse({ rule: { type: 'threshold', limt: 3 }, for: '1m' })).toThrow('limt')
    expect(() => sustained.config.parse({ rule: { type: 'nonsense' }, for: '1m' })).toThrow()
    expect(() => sustained.config.parse({})).toThrow('either for or count')
    expect(() => sustained.config.parse({ for: '1m', count: 2 })).toThrow('either for or count')
    expect(() => sustained.config.parse({ count: 3, of: 2 })).toThrow('of must be at least count')
    expect(() => sustained.config.parse({ for: '1m', of: 2 })).toThrow('of must be at least count')
    expect(sustained.config.parse({ count: 2, of: 2 })).toMatchObject({ count: 2, of: 2 })
    expect(sustained.config.parse({ for: '1m' }).rule).toMatchObject({ type: 'budget', alarms: 1 })
  })
})
