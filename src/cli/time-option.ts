import { parseDuration } from '../duration.ts'
import { InputError } from '../errors.ts'

/** A moment from an option: ISO 8601, epoch seconds or ms, `now`, or a duration before now (`2h`). Throws `InputError`. */
export function parseMoment(option: string, text: string, now: number): number {
  if (text === 'now') return now
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Number(text) * 1000
  if (/^\d{12,14}$/.test(text)) return Number(text)
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const time = Date.parse(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text.replace(' ', 'T')}Z` : text)
    if (!Number.isNaN(time)) return time
  }
  try {
    return now - parseDuration(text)
  } catch {
    throw new InputError(
      `${option} must be a time like 2026-01-31T14:00Z or a duration before now like 2h, got ${JSON.stringify(text)}`,
    )
  }
}

/** A duration from an option, in ms. Throws `InputError`. */
export function parseLength(option: string, text: string): number {
  try {
    const ms = parseDuration(text)
    if (ms > 0) return ms
  } catch {}
  throw new InputError(`${option} must be a duration like 30s, 5m or 1h30m, got ${JSON.stringify(text)}`)
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400].map(s => s * 1000)

/** The shortest round step (ms) that is no shorter than `least` and gives the range no more than `rows` rows. */
export function roundStep(range: number, rows: number, least = 0): number {
  return STEPS.find(step => step >= least && range / step <= rows) ?? STEPS.at(-1)!
}
