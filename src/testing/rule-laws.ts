import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import type { Scores, State } from '../detectors/detector.ts'
import type { Rule } from '../rules/rule.ts'

/** A promise of every rule. `check` throws on a breach. */
export interface RuleLaw {
  readonly name: string
  check(rule: Rule): void
}

const STEP = 60_000
/** Bytes that the state of one series may take. */
const MOST_STATE = 12_000

/** Noise with gaps, zeros, ties and a few high stretches; deterministic. */
export function makeScores(rows: number, seed = 1, from = 0): Scores {
  const random = randomFrom(seed)
  const score = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    const high = (i % 701 > 650 && i % 701 < 660) || i % 997 === 500 ? 12 : 0
    score[i] = random() < 0.03 ? NaN : random() < 0.1 ? 0 : -Math.log(1 - random()) + high
  }
  return scoresOf(score, from)
}

function scoresOf(score: Float64Array, from = 0): Scores {
  return {
    labels: { series: 'law' },
    times: score.map((_, i) => from + i * STEP),
    columns: {
      score,
      value: score.map(s => 10 + s),
      expected: score.map(s => (Number.isNaN(s) ? NaN : 10)),
      lower: score.map(s => (Number.isNaN(s) ? NaN : 7)),
      upper: score.map(s => (Number.isNaN(s) ? NaN : 13)),
    },
  }
}

function cut({ labels, times, columns }: Scores, start: number, end: number): Scores {
  const part = (column: Float64Array) => column.slice(start, end)
  const { score, value, expected, lower, upper } = columns
  return {
    labels,
    times: part(times),
    columns: { score: part(score), value: part(value), expected: part(expected), lower: part(lower), upper: part(upper) },
  }
}

function judgeInParts(rule: Rule, scores: Scores, cuts: readonly number[]): { strength: number[]; state: State | undefined } {
  const strength: number[] = []
  let state: State | undefined
  let start = 0
  for (const end of [...cuts, scores.times.length]) {
    const verdict = rule.judge(cut(scores, start, end), state && structuredClone(state))
    strength.push(...verdict.strength)
    state = verdict.state
    start = end
  }
  return { strength, state }
}

export const ruleLaws: readonly RuleLaw[] = [
  {
    name: 'gives one strength for every row',
    check(rule) {
      for (const rows of [0, 1, 5, 300]) assert.equal(rule.judge(makeScores(rows)).strength.length, rows)
    },
  },
  {
    name: 'is deterministic',
    check(rule) {
      const scores = makeScores(1500)
      assert.deepEqual(rule.judge(scores), rule.judge(scores))
    },
  },
  {
    name: 'judges in parts as it does at once',
    check(rule) {
      const scores = makeScores(1500)
      const whole = rule.judge(scores)
      for (const cuts of [[750], [1, 2, 3, 20, 21, 22, 500, 500, 655, 657, 1499], Array.from({ length: 200 }, (_, i) => i * 7)]) {
        const parts = judgeInParts(rule, scores, cuts)
        assert.deepEqual(parts.strength, [...whole.strength])
        assert.deepEqual(parts.state, whole.state)
      }
    },
  },
  {
    name: 'is causal',
    check(rule) {
      const scores = makeScores(1200)
      const whole = rule.judge(scores).strength
      for (const rows of [1, 25, 655, 900]) {
        assert.deepEqual(rule.judge(cut(scores, 0, rows)).strength, whole.slice(0, rows))
        const other = makeScores(1200, 99)
        const { score, value } = cut(scores, 0, 1200).columns
        for (let i = rows; i < 1200; i++) {
          score[i] = other.columns.score[i] * 3
          value[i] = other.columns.value[i] * 3
        }
        const changed = rule.judge({ ...scores, columns: { ...scores.columns, score, value } }).strength
        assert.deepEqual(changed.slice(0, rows), whole.slice(0, rows))
      }
    },
  },
  {
    name: 'says NaN of a row that is NaN',
    check(rule) {
      const scores = makeScores(1200)
      const { strength } = rule.judge(scores)
      for (let i = 0; i < 1200; i++)
        if (Number.isNaN(scores.columns.score[i])) assert.ok(Number.isNaN(strength[i]), `row ${i} is ${strength[i]}`)
    },
  },
  {
    name: 'judges the alarm of a detector that tells it apart from the score',
    check(rule) {
      const scores = makeScores(1200)
      const calm = new Float64Array(1200).fill(1)
      const apart = { ...scores, columns: { ...scores.columns, score: calm, alarm: scores.columns.score } }
      assert.deepEqual(rule.judge(apart).strength, rule.judge(scores).strength)
    },
  },
  {
    name: 'is monotone: a higher score is not less strange',
    check(rule) {
      const scores = makeScores(900)
      for (const row of [30, 200, 655, 899]) {
        let before = -Infinity
        for (const score of [0, 0.5, 1, 2, 3, 4, 6, 9, 15, 40, 1000, 1e9]) {
          const column = scores.columns.score.slice()
          const value = scores.columns.value.slice()
          column[row] = score
          value[row] = 10 + score
          const strength = rule.judge({ ...scores, columns: { ...scores.columns, score: column, value } }).strength[row]
          assert.ok(!(strength < before), `a score of ${score} has strength ${strength}, a lower one ${before}`)
          if (!Number.isNaN(strength)) before = strength
        }
      }
    },
  },
  {
    name: 'never says Infinity',
    check(rule) {
      const hostile = [
        new Float64Array(400),
        new Float64Array(400).fill(7),
        new Float64Array(400).fill(1e300),
        new Float64Array(400).fill(NaN),
        Float64Array.from({ length: 400 }, (_, i) => (i % 50 === 49 ? 1e15 : 0)),
        Float64Array.from({ length: 400 }, (_, i) => (i === 300 ? Infinity : 1e-300)),
      ]
      for (const score of hostile)
        for (const strength of rule.judge(scoresOf(score)).strength)
          assert.ok(Number.isFinite(strength) || Number.isNaN(strength), `got ${strength}`)
    },
  },
  {
    name: 'puts an infinite value beyond its limit',
    check(rule) {
      for (const infinite of [Infinity, -Infinity]) {
        const scores = makeScores(900)
        for (let i = 880; i < 890; i++) {
          scores.columns.value[i] = infinite
          scores.columns.score[i] = NaN
        }
        const { strength } = rule.judge(scores)
        assert.ok(strength[889] >= 1000, `ten rows of ${infinite} must be far beyond the limit, got ${strength[889]}`)
        assert.ok(Number.isFinite(strength[889]), `the strength of ${infinite} must be a number, got ${strength[889]}`)
        const before = rule.judge(cut(scores, 0, 880)).strength
        assert.deepEqual(strength.slice(0, 880), before, 'earlier rows must not depend on it')
      }
    },
  },
  {
    name: 'does not write into its input or the state it was given',
    check(rule) {
      const scores = makeScores(800)
      const first = rule.judge(cut(scores, 0, 400))
      const copies = structuredClone([scores, first.state])
      const second = cut(scores, 400, 800)
      const secondCopy = structuredClone(second)
      rule.judge(scores)
      rule.judge(second, first.state)
      assert.deepEqual([scores, first.state], copies)
      assert.deepEqual(second, secondCopy)
    },
  },
  {
    name: 'keeps a bounded state of plain data',
    check(rule) {
      let state: State | undefined
      for (let part = 0; part < 8; part++) state = rule.judge(makeScores(3000, part + 1, part * 3000 * STEP), state).state
      assert.ok(Number.isInteger(state!.version), 'state must have a version')
      assert.deepEqual(structuredClone(state), state)
      const bytes = serialize(state).length
      assert.ok(bytes <= MOST_STATE, `state must be at most ${MOST_STATE} bytes, got ${bytes}`)
    },
  },
]

function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}
