import { describe, expect, it } from 'vitest'
import type { Detector, Stream } from '../detectors/detector.ts'
import { ewma } from '../detectors/ewma.ts'
import { fromStream } from '../detectors/from-stream.ts'
import { perColumn } from '../detectors/per-column.ts'
import { multivariateLaws } from './multivariate-laws.ts'

const honest = perColumn(ewma.create(ewma.config.parse({})))

/** The honest stream, with some verbs replaced. */
function twist(change: (stream: Stream) => Partial<Stream>): Detector {
  const { lookback, open } = honest
  return fromStream({
    lookback,
    multivariate: true,
    open: snapshot => {
      const stream = open!(snapshot)
      return { ...stream, ...change(stream) }
    },
  })
}

const lawbreakers: Readonly<Record<string, Detector>> = {
  'goes on from a snapshot with rows of several columns': twist(stream => ({
    snapshot: () => ({ ...stream.snapshot(), streams: [] }),
  })),
  'names the disturbed column and says its value': twist(stream => ({
    score: (time, row) => ({ ...stream.score(time, row), channel: 0 }),
  })),
  'lives with constant, absent and interrupted columns': twist(stream => ({
    score: (time, row) => {
      const judgement = stream.score(time, row)
      return { ...judgement, score: Array.from(row).some(Number.isNaN) ? NaN : judgement.score }
    },
  })),
  'says NaN of a row of which nothing is known': twist(stream => ({
    score: (time, row) => {
      const judgement = stream.score(time, row)
      return { ...judgement, score: Array.from(row).every(Number.isNaN) ? 0 : judgement.score }
    },
  })),
  'says how much each column added to the score, and is not changed by the question': contributing((contributions, row) =>
    contributions.map((value, c) => (Number.isNaN(row[c]) ? 1 : value)),
  ),
  'gives the largest share to the column that departs alone': contributing(contributions => contributions.map(() => 1)),
  'names the column that contributes most': twist(stream => ({
    score: (time, row) => ({ ...stream.score(time, row), channel: 0 }),
  })),
  'gives a column the same share wherever it stands': contributing(contributions =>
    contributions.map((value, c) => (c + 1) * value),
  ),
}

/** The honest detector, with other contributions. */
function contributing(change: (contributions: Float64Array, row: ArrayLike<number>) => Float64Array): Detector {
  return twist(stream => ({
    score: (time, row) => {
      const judgement = stream.score(time, row)
      return { ...judgement, contributions: change(judgement.contributions!, row) }
    },
  }))
}

/** Other ways to break a law. */
const moreLawbreakers: readonly (readonly [law: string, detector: Detector])[] = [
  [
    'says how much each column added to the score, and is not changed by the question',
    twist(stream => ({
      score: (time, row) => {
        stream.learn(time, row)
        return stream.score(time, row)
      },
    })),
  ],
  [
    'says how much each column added to the score, and is not changed by the question',
    contributing(contributions => contributions.map(value => -value)),
  ],
  [
    'says how much each column added to the score, and is not changed by the question',
    contributing(contributions => contributions.slice(1)),
  ],
  [
    'gives the largest share to the column that departs alone',
    twist(stream => ({ score: (time, row) => ({ ...stream.score(time, row), channel: 0 }) })),
  ],
]

describe('the laws of detectors of several columns', () => {
  for (const law of multivariateLaws) {
    it(`an honest detector passes: ${law.name}`, () => law.check(honest))
    it(`a lawbreaker is caught: ${law.name}`, () => {
      expect(lawbreakers[law.name], 'every law must have a lawbreaker').toBeDefined()
      expect(() => law.check(lawbreakers[law.name]!)).toThrow(/must/)
    })
  }

  it.each(moreLawbreakers)('another lawbreaker is caught: %s', (name, detector) => {
    const law = multivariateLaws.find(law => law.name === name)!
    expect(() => law.check(detector)).toThrow(/must/)
  })
})
