import { z } from 'zod'
import { component } from '../component.ts'
import type { State } from '../detectors/detector.ts'
import { InputError } from '../errors.ts'
import { duration } from '../schema.ts'
import { budget } from './budget.ts'
import type { Rule } from './rule.ts'
import { threshold } from './threshold.ts'

const inner = z
  .discriminatedUnion('type', [
    budget.config.safeExtend({ type: z.literal('budget') }),
    threshold.config.safeExtend({ type: z.literal('threshold') }),
  ])
  .prefault({ type: 'budget' })

const config = z
  .strictObject({
    rule: inner.meta({ description: 'the rule that must hold, by default a budget' }),
    for: duration().optional().meta({ description: 'strange without a break for so long' }),
    count: z.int().min(1).max(1000).optional().meta({ description: 'strange in so many rows …' }),
    of: z.int().min(1).max(1000).optional().meta({ description: '… of the last so many; by default as many as count' }),
  })
  .refine(given => (given.for === undefined) !== (given.count === undefined), {
    message: 'must have either for or count, got both or none',
  })
  .refine(({ count = 0, of }) => of === undefined || (count > 0 && of >= count), {
    message: 'of must be at least count',
    path: ['of'],
  })

/** Makes another rule wait: fewer alarms, each of them later. */
export const sustained = component({
  type: 'sustained',
  summary: 'Strange only when another rule says so for a duration, or in n of the last m rows.',
  config,
  examples: [
    { rule: { type: 'threshold', limit: 3 }, for: '2m' },
    { rule: { type: 'threshold', limit: 3 }, count: 3, of: 5 },
    { rule: { type: 'budget' }, count: 2 },
  ],
  create(options) {
    const rule = fromPart(options.rule)
    return options.for === undefined
      ? fromCount(rule, options.count!, options.of ?? options.count!)
      : fromDuration(rule, options.for)
  },
})

function fromPart(part: z.output<typeof inner>): Rule {
  if (part.type === 'budget') return budget.create(part)
  return threshold.create(part)
}

/** What a strange row that has not lasted long enough is worth: as near to the limit as can be, and below it. */
const WAITING = 0.999

/**
 * The strength is that of the other rule once its rows have been strange for `length` ms without a calm one, and below 1 until then. Undecided
 * rows neither count nor break, unless data is gone for more than `length` and three rows.
 */
function fromDuration(rule: Rule, length: number): Rule {
  return {
    judge(scores, state) {
      const from = readState(state)
      const verdict = rule.judge(scores, from.inner as State | undefined)
      let since = (from.since as number | undefined) ?? NaN
      let decided = (from.decided as number | undefined) ?? NaN
      let before = (from.before as number | undefined) ?? NaN
      const strength = verdict.strength.map((own, i) => {
        const time = scores.times[i]
        const step = time - before
        before = time
        if (Number.isNaN(own)) return NaN
        if (time - decided > Math.max(length, 3 * step)) since = NaN
        decided = time
        if (own < 1) {
          since = NaN
          return own
        }
        if (Number.isNaN(since)) since = time
        return time - since >= length ? own : WAITING
      })
      return { strength, state: { version: 1, inner: verdict.state, since, decided, before } }
    },
  }
}

/** The strength is the `count`-th highest of the last `of` decided rows: ≥ 1 exactly when so many of them are strange. */
function fromCount(rule: Rule, count: number, of: number): Rule {
  return {
    judge(scores, state) {
      const from = readState(state)
      const verdict = rule.judge(scores, from.inner as State | undefined)
      const recent = Array.from((from.recent as Float64Array | undefined) ?? [])
      const strength = verdict.strength.map(own => {
        if (Number.isNaN(own)) return NaN
        recent.push(own)
        if (recent.length > of) recent.shift()
        // Rows before the first are calm ones: n strange rows at the very beginning are n strange rows.
        return recent.length < count ? Math.min(own, WAITING) : recent.toSorted((a, b) => b - a)[count - 1]
      })
      return { strength, state: { version: 1, inner: verdict.state, recent: Float64Array.from(recent) } }
    },
  }
}

function readState(state: State | undefined): Readonly<Record<string, unknown>> {
  if (state && state.version !== 1) throw new InputError(`state of sustained must have version 1, got ${state.version}`)
  return state ?? {}
}
