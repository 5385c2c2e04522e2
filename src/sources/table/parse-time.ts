/** How times are written in a file. Without a zone, ISO times are UTC. */
export const TIME_FORMATS = ['s', 'ms', 'us', 'ns', 'iso'] as const
export type TimeFormat = (typeof TIME_FORMATS)[number]

/** ms for one unit of the format. */
export const MS_PER: Readonly<Record<Exclude<TimeFormat, 'iso'>, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 }

/** Guesses the format from one cell: numbers below 1e11 are seconds (to the year 5138), below 1e14 ms, below 1e17 µs, else ns. */
export function guessTimeFormat(cell: string): TimeFormat | undefined {
  const number = Number(cell)
  if (cell.trim() !== '' && Number.isFinite(number)) {
    const size = Math.abs(number)
    return size < 1e11 ? 's' : size < 1e14 ? 'ms' : size < 1e17 ? 'us' : 'ns'
  }
  return Number.isNaN(parseIsoTime(cell)) ? undefined : 'iso'
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i

/** Epoch ms of `2026-09-01`, `2026-09-01 10:30`, `2026-09-01T10:30:05.250+02:00`; UTC without a zone; NaN when it is none of these. */
export function parseIsoTime(text: string): number {
  const match = ISO.exec(text.trim())
  if (!match) return NaN
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(part => (part === undefined ? 0 : Number(part)))
  if (hour > 24 || minute > 59 || second > 60) return NaN
  const midnight = Date.UTC(year, month - 1, day)
  if (new Date(midnight).getUTCDate() !== day || month < 1 || month > 12) return NaN
  const fraction = match[7] ? Number(`0.${match[7]}`) * 1000 : 0
  return midnight + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction - zoneOffset(match[8])
}

function zoneOffset(zone: string | undefined): number {
  if (!zone || !/^[+-]/.test(zone)) return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const offset = Number(digits.slice(0, 2)) * 3_600_000 + Number(digits.slice(2)) * 60_000
  return zone[0] === '-' ? -offset : offset
}
