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
  const fraction = match[7] ? Math.round(Number(`0.${match[7]}`) * 1e9) / 1e6 : 0
  return midnight + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction - zoneOffset(match[8])
}

function zoneOffset(zone: string | undefined): number {
  if (!zone || !/^[+-]/.test(zone)) return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const offset = Number(digits.slice(0, 2)) * 3_600_000 + Number(digits.slice(2)) * 60_000
  return zone[0] === '-' ? -offset : offset
}

/**
 * Reads ISO times from bytes. Files hold millions of times of a few days, so the usual form (`2026-09-01T10:30:05`, then nothing, a fraction
 * or `Z`) is read without making text, and midnights are remembered.
 */
export function isoReader(): (bytes: Uint8Array, from: number, to: number) => number {
  let midnight = NaN
  let dayKey = -1
  return (bytes, from, to) => {
    const digit = (at: number) => bytes[from + at] - 48
    const pair = (at: number) => {
      const tens = digit(at)
      const ones = digit(at + 1)
      return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
    }
    const slow = () => parseIsoTime(unquote(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')))
    const length = to - from
    const zulu = bytes[to - 1] === 90 ? 1 : 0
    const plain = length - zulu
    const fraction = plain > 20 && plain <= 29 && bytes[from + 19] === 46
    if ((plain !== 19 && !fraction) || bytes[from + 13] !== 58 || bytes[from + 16] !== 58) return slow()
    const separator = bytes[from + 10]
    if (bytes[from + 4] !== 45 || bytes[from + 7] !== 45 || (separator !== 32 && separator !== 84)) return slow()
    const key = pair(0) * 1_000_000 + pair(2) * 10_000 + pair(5) * 100 + pair(8)
    if (key !== dayKey) {
      midnight = parseIsoTime(Buffer.from(bytes.buffer, bytes.byteOffset + from, 10).toString('latin1'))
      dayKey = key
    }
    const hour = pair(11)
    const minute = pair(14)
    const second = pair(17)
    if (!(hour <= 23 && minute <= 59 && second <= 59) || Number.isNaN(midnight)) return slow()
    let rest = 0
    for (let at = plain - 1; at > 19; at--) {
      const value = digit(at)
      if (!(value >= 0 && value <= 9)) return slow()
      rest = (rest + value) / 10
    }
    return midnight + hour * 3_600_000 + minute * 60_000 + second * 1000 + (fraction ? Math.round(rest * 1e9) / 1e6 : 0)
  }
}

function unquote(text: string): string {
  return text.trim().replace(/^"(.*)"$/, '$1')
}
