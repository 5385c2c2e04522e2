import { InputError } from './errors.ts'

/** Durations are milliseconds in memory and carry a unit in text. */
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const WEEK = 7 * DAY

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: WEEK, y: 365 * DAY }

/** Parses Prometheus durations (`30s`, `5m`, `1h30m`) to milliseconds. Throws `InputError` on anything else. */
export function parseDuration(text: string): number {
  if (!/^(\d+(?:\.\d+)?(?:ms|[smhdwy]))+$/.test(text))
    throw new InputError(`must be a duration with a unit like 30s, 5m or 1h30m, got ${JSON.stringify(text)}`)
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)) total += Number(number) * UNITS[unit!]!
  return total
}

/** Prints milliseconds with the fewest units that lose nothing: 5400000 is `1h30m`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms)
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const unit of ['w', 'd', 'h', 'm', 's', 'ms']) {
    const size = UNITS[unit]!
    const count = unit === 'ms' ? Math.round(rest * 1000) / 1000 : Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}
