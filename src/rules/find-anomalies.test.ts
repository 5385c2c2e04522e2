import { describe, expect, it } from 'vitest'
import type { Scores } from '../detectors/detector.ts'
import { findAnomalies } from './find-anomalies.ts'

const STEP = 60_000

/** Score, value, expected = 10 for each strength; `at` gives other times in steps. */
function find(strengths: readonly number[], at: readonly number[] = strengths.map((_, i) => i)) {
  const strength = Float64Array.from(strengths)
  const scores: Scores = {
    labels: { a: 'b' },
    times: Float64Array.from(at, i => i * STEP),
    columns: {
      score: strength.map(s => 4 * s),
      value: strength.map(s => 10 + s),
      expected: strength.map(() => 10),
      lower: strength.map(() => 9),
      upper: strength.map(() => 11),
    },
  }
  return findAnomalies(scores, strength, 'seasonal', STEP)
}
const stretches = (...given: Parameters<typeof find>) => find(...given).map(a => [a.start / STEP, a.end / STEP, a.ongoing])

describe('findAnomalies', () => {
  it('finds contiguous strange rows; the end is the last strange row and a step', () => {
    expect(stretches([0, 1, 2, 0.9, 0, 3, 0])).toEqual([
      [1, 3, false],
      [5, 6, false],
    ])
    expect(stretches([2, 2, 0])).toEqual([[0, 2, false]])
    expect(stretches([2, 0, 1])).toEqual([
      [0, 1, false],
      [2, 3, true],
    ])
    expect(find([])).toEqual([])
    expect(find([0, NaN, 0.99])).toEqual([])
  })

  it('takes the numbers of the first strangest row', () => {
    expect(find([0, 2, 5, 5, 1, 0])).toEqual([
      {
        labels: { a: 'b' },
        detector: 'seasonal',
        start: STEP,
        end: 5 * STEP,
        peak: 2 * STEP,
        score: 20,
        strength: 5,
        direction: 'up',
        current: 15,
        expected: 10,
        lower: 9,
        upper: 11,
        ongoing: false,
      },
    ])
  })

  it('goes on over two undecided or absent rows, not over three and not over a calm one', () => {
    expect(stretches([0, 1, NaN, NaN, 1, 0])).toEqual([[1, 5, false]])
    expect(stretches([0, 1, NaN, NaN, NaN, 1, 0])).toEqual([
      [1, 2, false],
      [5, 6, false],
    ])
    expect(stretches([0, 1, 1, 0], [0, 1, 4, 5])).toEqual([[1, 5, false]])
    expect(stretches([0, 1, 1, 0], [0, 1, 4.5, 6])).toHaveLength(1)
    expect(stretches([0, 1, 1, 0], [0, 1, 5, 6])).toHaveLength(2)
    expect(stretches([0, 1, NaN, 0, 1, 0])).toHaveLength(2)
  })

  it('is ongoing while at most two undecided rows follow the last strange one', () => {
    expect(stretches([0, 1])).toEqual([[1, 2, true]])
    expect(stretches([0, 1, NaN, NaN])).toEqual([[1, 2, true]])
    expect(stretches([0, 1, NaN, NaN, NaN])).toEqual([[1, 2, false]])
    expect(stretches([0, 1, 0])).toEqual([[1, 2, false]])
    expect(stretches([0, 1, NaN], [0, 1, 3.5])).toEqual([[1, 2, false]])
  })

  it('has the direction in which the value left what was expected', () => {
    const none = Float64Array.of(NaN)
    const directionOf = (value: number, expected: number) => {
      const [score, current, should] = [2, value, expected].map(x => Float64Array.of(x))
      const columns = { score, value: current, expected: should, lower: none, upper: none }
      return findAnomalies({ labels: {}, times: Float64Array.of(0), columns }, score, 'ewma', STEP)[0].direction
    }
    expect([directionOf(3, 2), directionOf(1, 2), directionOf(2, 2)]).toEqual(['up', 'down', 'none'])
  })

  it('has no direction when what was expected is unknown', () => {
    const none = Float64Array.of(NaN)
    const columns = { score: Float64Array.of(2), value: none, expected: none, lower: none, upper: none }
    const [anomaly] = findAnomalies({ labels: {}, times: Float64Array.of(0), columns }, Float64Array.of(2), 'absence', STEP)
    expect(anomaly).toMatchObject({ direction: 'none', current: NaN, expected: NaN, lower: NaN, score: 2, ongoing: true })
  })
})
