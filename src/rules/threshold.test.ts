import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { threshold } from './threshold.ts'

function judge(options: unknown, rows: readonly (readonly [score: number, value: number])[]): number[] {
  const score = Float64Array.from(rows, row => row[0])
  const value = Float64Array.from(rows, row => row[1])
  const none = score.map(() => NaN)
  const scores: Scores = {
    labels: {},
    times: score.map((_, i) => i),
    columns: { score, value, expected: none, lower: none, upper: none },
  }
  return [...threshold.create(threshold.config.parse(options)).judge(scores).strength]
}

describe('threshold', () => {
  it('limits the score, at 1 unless told otherwise', () => {
    expect(
      judge({}, [
        [0.5, 0],
        [1, 0],
        [3, 0],
        [NaN, 5],
      ]),
    ).toEqual([0.5, 1, 3, NaN])
    expect(
      judge({ limit: 4 }, [
        [4, 0],
        [2, 0],
      ]),
    ).toEqual([1, 0.5])
  })

  it('bounds the value, whatever the score is', () => {
    expect(
      judge({ upper: 100 }, [
        [9, 99],
        [NaN, 100],
        [0, 200],
        [0, NaN],
      ]),
    ).toEqual([0.99, 1, 2, NaN])
    expect(
      judge({ lower: 0 }, [
        [0, 0.25],
        [0, 0],
        [0, -1],
      ]),
    ).toEqual([0.75, 1, 2])
    expect(
      judge({ upper: -10 }, [
        [0, -10],
        [0, -5],
      ]),
    ).toEqual([1, 1.5])
  })

  it('puts +Inf above and -Inf below every bound, and both beyond the limit of a score that was known', () => {
    expect(
      judge({ upper: 100 }, [
        [NaN, Infinity],
        [NaN, -Infinity],
      ]),
    ).toEqual([1e6, 0])
    expect(
      judge({ lower: 100 }, [
        [NaN, Infinity],
        [NaN, -Infinity],
      ]),
    ).toEqual([0, 1e6])
    expect(
      judge({}, [
        [NaN, Infinity],
        [0.5, 1],
        [NaN, -Infinity],
        [NaN, NaN],
      ]),
    ).toEqual([NaN, 0.5, 1e6, NaN])
  })

  it('of the value has nothing to do with the score, also where that is missing', () => {
    expect(judge({ lower: 0 }, [[9, 1]])).toEqual([0])
    expect(
      judge({ upper: 100 }, [
        [0.5, 1],
        [NaN, -Infinity],
      ]),
    ).toEqual([expect.closeTo(0.01), 0])
    expect(judge({ limit: 2, upper: 10 }, [[4, NaN]])).toEqual([2])
  })

  it('knows from its state that a score was known', () => {
    const rule = threshold.create(threshold.config.parse({}))
    const row = (score: number, value: number): Scores => {
      const none = Float64Array.of(NaN)
      const columns = { score: Float64Array.of(score), value: Float64Array.of(value), expected: none, lower: none, upper: none }
      return { labels: {}, times: Float64Array.of(0), columns }
    }
    const { state } = rule.judge(row(0.5, 1))
    expect([...rule.judge(row(NaN, Infinity), state).strength]).toEqual([1e6])
    expect([...rule.judge(row(NaN, Infinity), rule.judge(row(NaN, 1)).state).strength]).toEqual([NaN])
  })

  it('takes the strongest of several', () => {
    expect(
      judge({ limit: 2, upper: 10, lower: -10 }, [
        [1, 5],
        [4, 5],
        [0, 20],
        [0, -20],
        [NaN, 0],
      ]),
    ).toEqual([0.5, 2, 2, 2, 0])
  })

  it('refuses bounds that leave nothing', () => {
    expect(() => threshold.config.parse({ upper: 1, lower: 2 })).toThrow('lower must be less than upper')
    expect(() => threshold.config.parse({ upper: 1, lower: 1 })).toThrow('lower must be less than upper')
    expect(() => threshold.config.parse({ limit: 0 })).toThrow()
  })
})
