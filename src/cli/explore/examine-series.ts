/** What a series does, the worst first. */
export const STATES = ['empty', 'stopped', 'constant', 'stuck', 'moving'] as const
export type State = (typeof STATES)[number]

/** What one series is like. Times are epoch ms. */
export interface Look {
  /**
   * `empty` has no value, `stopped` none at the end, `constant` one value only, `stuck` has not changed for unusually long up to the end.
   */
  readonly state: State
  /** From when it is stopped or stuck. */
  readonly since?: number
  /** Share of the rows without value between its first and its last, 0 … 1. */
  readonly missing: number
  /** The longest stretch without values between its first and its last: half open. */
  readonly longestGap?: { readonly start: number; readonly end: number }
  /** Time of the first value where the series began late. */
  readonly began?: number
  /** Climbs and falls only to begin again near zero: a counter that is read as it is. */
  readonly climbs: boolean
  readonly low: number
  readonly high: number
}

/** A share of the range that is long for no change, and the fewest rows of it. */
const STUCK_SHARE = 0.1
const STUCK_ROWS = 20
/** How much longer than ever before an end without change or values must be. */
const LONGER = 3

/** Looks at a series on a grid of `step` ms; an end shorter than `late` rows is not missed. */
export function examineSeries(times: Float64Array, values: Float64Array, step: number, late = 2): Look {
  const first = values.findIndex(value => !Number.isNaN(value))
  const last = values.findLastIndex(value => !Number.isNaN(value))
  if (first < 0) return { state: 'empty', missing: 1, climbs: false, low: NaN, high: NaN }
  let [known, gap, longest, gapStart] = [0, 0, 0, -1]
  let [run, runBefore, runStart] = [0, 0, first]
  let [low, high, before] = [Infinity, -Infinity, NaN]
  let [rises, falls, restarts] = [0, 0, 0]
  for (let i = first; i <= last; i++) {
    const value = values[i]
    if (Number.isNaN(value)) {
      gap++
      if (gap > longest) {
        longest = gap
        gapStart = i - gap + 1
      }
      continue
    }
    gap = 0
    known++
    if (value > before) rises++
    if (value < before) {
      falls++
      if (value <= 0.1 * before) restarts++
    }
    if (value !== before) {
      runBefore = Math.max(runBefore, run)
      run = 0
      runStart = i
    }
    run++
    low = Math.min(low, value)
    high = Math.max(high, value)
    before = value
  }
  const ended = values.length - 1 - last
  const stopped = ended > Math.max(late, LONGER * longest)
  const stuck = run >= Math.max(STUCK_ROWS, STUCK_SHARE * values.length, LONGER * runBefore)
  const state = stopped ? 'stopped' : low === high ? 'constant' : stuck ? 'stuck' : 'moving'
  return {
    state,
    ...(stopped ? { since: times[last] + step } : state === 'stuck' ? { since: times[runStart] } : {}),
    missing: 1 - known / (last - first + 1),
    ...(longest > 0 ? { longestGap: { start: times[gapStart], end: times[gapStart] + longest * step } } : {}),
    ...(first > late ? { began: times[first] } : {}),
    climbs: low >= 0 && rises >= 10 && falls === restarts && falls <= rises / 20,
    low,
    high,
  }
}
