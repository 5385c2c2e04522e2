import { DAY, formatDuration, HOUR, MINUTE, SECOND } from '../../duration.ts'
import type { Apparent, Pair } from './correlate.ts'
import type { Member } from './group.ts'
import type { Entry, Report } from './report.ts'

/** `0.93` or `−0.93`: two digits, never a 1 that is none. */
export function sayR(r: number): string {
  const size = Math.abs(r)
  const text = size < 1 && size >= 0.995 ? '0.99' : size.toFixed(2)
  return `${r < 0 ? '−' : ''}${text}`
}

/** What one series does when the other does, and when. */
export function sayPair({ series, step }: Report, { leads, follows, r, lag, edge }: Pair): string {
  const [first, second] = [series[leads].name, series[follows].name]
  if (lag === 0) return `${first} and ${second} move ${r > 0 ? 'together' : 'against each other'}`
  const delay = formatDuration(lag * step)
  const what = r > 0 ? `follows ${first}` : `moves against ${first}`
  return `${second} ${what} ${edge ? `${delay} later, or more` : `${delay} later`}`
}

export function sayApparent({ series }: Report, { a, b, values, beside }: Apparent): string {
  return `${series[a].name} and ${series[b].name}: ${sayR(values)} as they are, ${sayR(beside)} beside season and trend`
}

/** Where a member stands to its representative: `0.97`, `0.97, 5m later`. */
export function sayMember({ step }: Report, { r, lag }: Member): string {
  const when = lag === 0 ? '' : `, ${formatDuration(Math.abs(lag) * step)} ${lag > 0 ? 'later' : 'earlier'}`
  return `${sayR(r)}${when}`
}

/** `1d (0.93), 1w (0.41)`. */
export function saySeasons({ seasons }: Entry): string {
  return seasons.map(({ period, strength }) => `${sayLength(period)} (${strength.toFixed(2)})`).join(', ')
}

/** What is dead or constant about a series; undefined when it moves. */
export function sayState({ look: { state, since, low }, read }: Entry): string | undefined {
  if (state === 'empty') return 'has no value in the range'
  if (state === 'stopped') return `stopped at ${sayTime(since!)}`
  if (state === 'stuck') return `has not changed since ${sayTime(since!)}`
  if (state === 'constant') return `is always ${Number(low.toPrecision(6))}${read === 'rate' ? ' a second' : ''}`
  return undefined
}

/** `3.2 %, longest 12m from 2026-01-31 14:00`. */
export function sayGaps({ look: { missing, longestGap } }: Entry): string {
  const share = missing < 0.001 ? 'under 0.1 %' : `${Number((100 * missing).toPrecision(2))} %`
  return longestGap
    ? `${share}, longest ${sayLength(longestGap.end - longestGap.start)} from ${sayTime(longestGap.start)}`
    : share
}

/** UTC, to the minute, or the second where that matters. */
export function sayTime(time: number): string {
  const text = new Date(time).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, time % MINUTE === 0 ? 16 : 19)}`
}

/** A duration with its two greatest units. */
export function sayLength(ms: number): string {
  const unit = ms >= 2 * DAY ? HOUR : ms >= 2 * HOUR ? MINUTE : ms >= SECOND ? SECOND : 1
  return formatDuration(Math.round(ms / unit) * unit)
}

export const BASIS_WORDS = {
  residual: 'beside their seasons and slow trends',
  change: 'in their changes from row to row, beside their seasons',
  value: 'as they are, seasons and trends and all',
} as const

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
