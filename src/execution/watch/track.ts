import { MINUTE } from '../../duration.ts'
import { type Problem, problemKey } from './problems.ts'

/** A problem over time. Times are epoch ms. */
export interface Tracked extends Problem {
  readonly since: number
  /** When it was last seen; until then it lasted, as far as is known. */
  readonly seenAt: number
}

export interface TrackOptions {
  readonly now: number
  /** ms that a part must work before its problem is over. */
  readonly recovery: number
  /** ms that a part must fail before its problem is reported. */
  readonly after: number
  /** Keys of the parts of which nothing is known now. */
  readonly unknown: ReadonlySet<string>
}

/**
 * The problems that go on, from those before and those that are seen now. One that is not seen for less than `recovery` ms goes on, so that a part
 * that works for a moment between failures is one problem and is notified once. One that was reported goes on while nothing is known.
 */
export function track(
  before: readonly Tracked[],
  problems: readonly Problem[],
  { now, recovery, after, unknown }: TrackOptions,
): readonly Tracked[] {
  const known = new Map(before.map(one => [problemKey(one), one]))
  const sinceOf = (problem: Problem) => {
    const one = known.get(problemKey(problem))
    return one ? sinceAt(one, now, after) : now
  }
  const seen = problems.map(problem => ({ ...problem, since: sinceOf(problem), seenAt: now }))
  const isSeen = new Set(seen.map(problemKey))
  // A clock that was set back would keep it for long.
  const goesOn = (one: Tracked) =>
    Math.abs(now - one.seenAt) < recovery || (unknown.has(problemKey(one)) && one.seenAt - one.since >= after)
  return [...seen, ...before.filter(one => !isSeen.has(problemKey(one)) && goesOn(one))]
}

/** Looks are seconds apart. Between two that are further apart the clock was set forward, or the machine slept. */
const FURTHEST_APART = MINUTE

/**
 * Since when a problem lasts by the clock as it is now. A clock that was set says nothing of how long a part fails: otherwise a short failure would be
 * reported at once, and one that began in the future not before that time.
 */
function sinceAt({ since, seenAt }: Tracked, now: number, after: number): number {
  const passed = now - seenAt
  const isReported = seenAt - since >= after
  return passed < 0 || (passed > FURTHEST_APART && !isReported) ? since + passed : since
}
