import { describe, expect, it } from 'vitest'
import type { Scores, State } from '../detectors/detector.ts'
import type { Rule } from '../rules/rule.ts'
import { ruleLaws } from './rule-laws.ts'

const honest: Rule = {
  judge: ({ columns }) => ({
    strength: (columns.alarm ?? columns.score).map((s, i) => (Math.abs(columns.value[i]) === Infinity ? 1e6 : finite(s))),
    state: { version: 1 },
  }),
}
const finite = (score: number) => (Number.isFinite(score) ? score : NaN)
let calls = 0

const breakers: Record<string, Rule> = {
  'gives one strength for every row': {
    judge: scores => ({ strength: honest.judge(scores).strength.slice(1), state: { version: 1 } }),
  },
  'is deterministic': { judge: ({ columns }) => ({ strength: columns.score.map(s => s + calls++), state: { version: 1 } }) },
  'judges in parts as it does at once': {
    judge: ({ columns }) => ({ strength: columns.score.map((s, i) => finite(s) * (i + 1)), state: { version: 1 } }),
  },
  'is causal': {
    judge({ columns }) {
      const highest = columns.score.reduce((a, b) => (b > a ? b : a), 1)
      return { strength: columns.score.map(s => finite(s) / highest), state: { version: 1 } }
    },
  },
  'says NaN of a row that is NaN': {
    judge: ({ columns }) => ({ strength: columns.score.map(s => finite(s) || 0), state: { version: 1 } }),
  },
  'judges the alarm of a detector that tells it apart from the score': {
    judge: ({ columns }) => ({ strength: columns.score.map(finite), state: { version: 1 } }),
  },
  'is monotone: a higher score is not less strange': {
    judge: ({ columns }) => ({ strength: columns.score.map(s => (s > 100 ? 0 : finite(s))), state: { version: 1 } }),
  },
  'never says Infinity': { judge: ({ columns }) => ({ strength: columns.score.map(s => s / 0), state: { version: 1 } }) },
  'puts an infinite value beyond its limit': {
    judge: ({ columns }) => ({ strength: columns.score.map(finite), state: { version: 1 } }),
  },
  'does not write into its input or the state it was given': {
    judge(scores) {
      const verdict = honest.judge(scores)
      scores.columns.score.fill(0)
      return verdict
    },
  },
  'keeps a bounded state of plain data': {
    judge(scores: Scores, state?: State) {
      const seen = [...((state?.seen as number[]) ?? []), ...scores.columns.score]
      return { ...honest.judge(scores), state: { version: 1, seen } }
    },
  },
}

describe('laws of rules', () => {
  it('hold for an honest rule', () => {
    for (const law of ruleLaws) law.check(honest)
  })
  for (const law of ruleLaws)
    it(`catch a breach of: ${law.name}`, () => {
      expect(breakers[law.name], 'a lawbreaker').toBeDefined()
      expect(() => law.check(breakers[law.name]!)).toThrow()
    })
})
