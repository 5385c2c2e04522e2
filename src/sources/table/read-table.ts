import { formatDuration } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import { formatSize } from '../../size.ts'
import { describeUnknown } from './nearest.ts'
import { guessTimeFormat, isoReader, MS_PER, type TimeFormat } from './parse-time.ts'
import { readBytes } from './read-bytes.ts'

/** A file as it is: one row per line below the header, in the order of the file, repeated and back-going times included. */
export interface Table {
  /** What the file is called in messages. */
  readonly name: string
  /** Epoch ms. */
  readonly times: Float64Array
  /** An empty cell, `NaN`, `null` and `NA` are NaN; `inf`, `+Inf` and `-Infinity` are infinite. */
  readonly columns: Readonly<Record<string, Float64Array>>
  /** Usual distance of two rows in ms (the median of those that go forward); NaN with fewer than two different times. */
  readonly step: number
  /** Rows that repeat a time, go back in time or leave a gap, counted, with the first line of each. */
  readonly warnings: readonly string[]
}

export interface TableOptions {
  /** Name of the time column; by default `timestamp`, `time`, `ts`, `date` or `datetime`, else the first. */
  readonly time?: string
  /** How times are written; by default guessed from the first row. ISO times without a zone are UTC. */
  readonly format?: TimeFormat
  /** Value columns to read; by default all but `ignore`. */
  readonly columns?: readonly string[]
  /** Columns never read, whether they are there or not; by default `label`. */
  readonly ignore?: readonly string[]
  /** Bytes that are read at most, after unzipping; default `MAX_BYTES`. */
  readonly maxBytes?: number
  /** What a user changes to read more, for the message; default `maxBytes`, as the sources call it. */
  readonly maxBytesOption?: string
}

/** 30 series every 15 seconds for a year: what memory holds, and far more than a season needs. */
export const MAX_BYTES = 256 * 2 ** 20
/** Longest line: 10,000 columns whose names are series with many labels. */
const MAX_LINE = 4 * 2 ** 20
const MAX_COLUMNS = 10_000
/** Longest cell: the name of a series; numbers are shorter. */
const MAX_CELL = 64 * 2 ** 10
/** A value takes eight bytes of memory; in a file it may be one digit and a comma. */
const VALUES_PER_BYTE = 0.5

const TIME_NAMES = ['timestamp', 'time', 'ts', 'date', 'datetime']
const COMMA = 44
const NEWLINE = 10
const RETURN = 13
const QUOTE = 34

/**
 * Reads a CSV of a header line, one time column and number columns; `.gz` by its name or its first bytes; separated by comma, semicolon or
 * tab. Throws a `SourceError` `file:line:column: must …, got …` on the first fault.
 */
export async function readTable(
  input: string | { readonly text: string | Uint8Array; readonly name?: string },
  options: TableOptions = {},
): Promise<Table> {
  const name = typeof input === 'string' ? input : (input.name ?? 'text')
  const { maxBytes = MAX_BYTES, maxBytesOption: option = 'maxBytes' } = options
  const content = typeof input === 'string' ? input : Buffer.from(input.text)
  return parseTable(await readBytes(content, { name, maxBytes, option }), name, { ...options, maxBytes, maxBytesOption: option })
}

function parseTable(bytes: Buffer, name: string, options: TableOptions & { readonly maxBytes: number }): Table {
  const fail: Fail = (line, column, message, limit) =>
    new SourceError(`${name}:${line}:${column}: ${message}`, { retryable: false, limit })
  const begin = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  if (bytes.subarray(0, 64).includes(0)) throw fail(1, 1, 'must be text in UTF-8, got bytes that are zero (UTF-16, or no text)')
  const headerEnd = endOfLine(bytes, begin)
  if (headerEnd - begin > MAX_LINE) throw fail(1, 1, tooLong('a line', MAX_LINE, headerEnd - begin), 'line')
  const separator = findSeparator(bytes, begin, headerEnd)
  const header = readHeader(bytes.toString('utf8', begin, headerEnd), String.fromCharCode(separator), fail)
  if (header.length === 1 && header[0] === '') throw fail(1, 1, 'must have a header line, got an empty one')
  const timeAt = findTime(header, options, name)
  const wanted = chooseColumns(header, timeAt, options, name)

  // A row has a separator or a line break for each cell, so that a file holds no more rows than these, however many blank lines it has.
  const rows = Math.min(countLines(bytes, headerEnd), Math.ceil((bytes.length + 1) / header.length))
  const most = Math.floor(options.maxBytes * VALUES_PER_BYTE)
  if (rows * (wanted.size + 1) > most)
    throw fail(
      1,
      1,
      `must have at most ${most} values, got about ${rows * (wanted.size + 1)}; ${options.maxBytesOption} sets the limit`,
      'maxBytes',
    )
  const times = new Float64Array(rows)
  const slots: (Float64Array | undefined)[] = header.map((_, i) => (wanted.has(i) ? new Float64Array(rows) : undefined))
  const readIso = isoReader()
  let format = options.format
  let row = 0
  let line = 1
  let at = Math.min(headerEnd + 1, bytes.length)

  while (at < bytes.length) {
    line++
    let end = endOfLine(bytes, at)
    const next = end + 1
    if (end > at && bytes[end - 1] === RETURN) end--
    if (end === at) {
      at = next
      continue
    }
    if (end - at > MAX_LINE) throw fail(line, 1, tooLong('a line', MAX_LINE, end - at), 'line')
    let cell = 0
    let from = at
    while (from <= end) {
      let to = from
      if (bytes[from] === QUOTE) {
        to = from + 1
        while (to < end && bytes[to] !== QUOTE) to++
        if (to === end) throw fail(line, from - at + 1, 'must close its quote on the same line')
        to++
      } else while (to < end && bytes[to] !== separator) to++
      if (to - from > MAX_CELL) throw fail(line, from - at + 1, tooLong('a cell', MAX_CELL, to - from), 'cell')
      if (cell === timeAt) {
        if (format === undefined) {
          format = guessTimeFormat(textOf(bytes, from, to))
          if (!format)
            throw fail(
              line,
              from - at + 1,
              `must be a time (epoch seconds or ms, or ISO 8601), got ${shorten(textOf(bytes, from, to))}`,
            )
        }
        const time = format === 'iso' ? readIso(bytes, from, to) : parseNumber(bytes, from, to) * MS_PER[format]
        if (!Number.isFinite(time))
          throw fail(line, from - at + 1, `must be a time (${format}), got ${shorten(textOf(bytes, from, to))}`)
        times[row] = format === 's' ? Math.round(time * 1000) / 1000 : time
      } else {
        const slot = slots[cell]
        if (slot) {
          const value = parseNumber(bytes, from, to)
          if (value !== value && !isUnknown(textOf(bytes, from, to)))
            throw fail(line, from - at + 1, `${header[cell]} must be a number or empty, got ${shorten(textOf(bytes, from, to))}`)
          slot[row] = value
        }
      }
      cell++
      from = to + 1
    }
    if (cell !== header.length) throw fail(line, 1, `must have ${header.length} cells like the header, got ${cell}`)
    row++
    at = next
  }

  const read = times.subarray(0, row)
  const columns = Object.fromEntries([...wanted].map(i => [header[i], slots[i]!.subarray(0, row)]))
  return { name, times: read, columns, ...describeTimes(read, name, row => lineOf(row, bytes, headerEnd)) }
}

/** Line of a row, counting blank ones. */
function lineOf(row: number, bytes: Buffer, headerEnd: number): number {
  let line = 1
  let left = row
  for (let at = headerEnd + 1; at < bytes.length; at = endOfLine(bytes, at) + 1) {
    line++
    const blank = bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE)
    if (!blank && left-- === 0) break
  }
  return line
}

function tooLong(what: string, most: number, got: number): string {
  return `must have at most ${formatSize(most)} in ${what}, got ${formatSize(got)}`
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

function endOfLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from)
  return end < 0 ? bytes.length : end
}

/** The separator that the header has most of, outside quotes. */
function findSeparator(bytes: Buffer, from: number, to: number): number {
  const counts = new Map([
    [COMMA, 0],
    [59, 0],
    [9, 0],
  ])
  let quoted = false
  for (let i = from; i < to; i++) {
    if (bytes[i] === QUOTE) quoted = !quoted
    else if (!quoted && counts.has(bytes[i])) counts.set(bytes[i], counts.get(bytes[i])! + 1)
  }
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
}

/** A fault at its place; `limit` is the one that was hit, if it was one. */
type Fail = (line: number, column: number, message: string, limit?: string) => SourceError

/** Names of the columns; blanks around them are not theirs. */
function readHeader(line: string, separator: string, fail: Fail): string[] {
  const header = splitLine(line, separator).map(cell => cell.trim())
  if (header.length > MAX_COLUMNS) throw fail(1, 1, `must have at most ${MAX_COLUMNS} columns, got ${header.length}`, 'columns')
  const long = header.find(cell => cell.length > MAX_CELL)
  if (long !== undefined) throw fail(1, 1, tooLong('a cell', MAX_CELL, long.length), 'cell')
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1) throw fail(1, 1, 'must close its quote on the same line')
  return header
}

/** Cells of one line; `""` inside quotes is one quote. */
function splitLine(line: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const char = line[i]
    if (quoted && char === '"' && line[i + 1] === '"') cell += line[++i]
    else if (char === '"' && (quoted || cell === '')) quoted = !quoted
    else if (char === separator && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += char
  }
  cells.push(cell)
  return cells
}

function countLines(bytes: Buffer, from: number): number {
  let count = 0
  for (let at = from; at >= 0 && at < bytes.length; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

function findTime(header: readonly string[], options: TableOptions, name: string): number {
  if (options.time !== undefined) {
    const at = header.indexOf(options.time)
    if (at < 0) throw new SourceError(`${name}:1: ${describeUnknown('time column', options.time, header)}`, { retryable: false })
    return at
  }
  const lower = header.map(cell => cell.toLowerCase())
  for (const usual of TIME_NAMES) if (lower.includes(usual)) return lower.indexOf(usual)
  return 0
}

function chooseColumns(header: readonly string[], timeAt: number, options: TableOptions, name: string): Set<number> {
  const places = new Map(header.map((cell, i) => [cell, i]))
  const repeated = header.find((cell, i) => places.get(cell) !== i)
  if (repeated !== undefined)
    throw new SourceError(`${name}:1: columns must have different names, got ${JSON.stringify(repeated)} twice`, {
      retryable: false,
    })
  const ignored = new Set(options.ignore ?? ['label'])
  const values = header.filter((cell, i) => i !== timeAt && !ignored.has(cell))
  for (const column of options.columns ?? [])
    if (!values.includes(column))
      throw new SourceError(`${name}:1: ${describeUnknown('column', column, values)}`, { retryable: false })
  const chosen = options.columns ?? values
  if (chosen.length === 0)
    throw new SourceError(`${name}:1: must have a value column beside the time, got ${header.join(', ')}`, { retryable: false })
  return new Set(chosen.map(column => places.get(column)!))
}

function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, to).trim()
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).trim() : text
}

function isUnknown(text: string): boolean {
  return /^(|nan|null|na|n\/a|none|nil|-)$/i.test(text)
}

/** 10ⁿ is exact up to n = 22, so a short decimal is one exact division away from its nearest double. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/** Parses plain decimals of up to 15 digits in place, and leaves the rest to `Number`; NaN when it is not a number. `inf` is infinite, as pandas and Go write it. */
function parseNumber(bytes: Buffer, from: number, to: number): number {
  let at = from
  const negative = bytes[at] === 45
  if (negative) at++
  let digits = 0
  let mantissa = 0
  let point = -1
  for (; at < to; at++) {
    const byte = bytes[at]
    if (byte >= 48 && byte <= 57) {
      mantissa = mantissa * 10 + (byte - 48)
      digits++
    } else if (byte === 46 && point < 0) point = at
    else break
  }
  if (at === to && digits > 0 && digits <= 15) {
    const value = point < 0 ? mantissa : mantissa / POWERS[to - point - 1]
    return negative ? -value : value
  }
  const text = textOf(bytes, from, to)
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const value = text === '' || /^[+-]?0[xob]/i.test(text) ? NaN : Number(text)
  return Number.isFinite(value) ? value : NaN
}

function describeTimes(times: Float64Array, name: string, lineOf: (row: number) => number): { step: number; warnings: string[] } {
  const order = orderOf(times)
  const distances = new Float64Array(Math.max(0, times.length - 1))
  let count = 0
  let backward = 0
  let firstBack = -1
  for (let i = 1; i < times.length; i++) {
    const distance = times[i] - times[i - 1]
    if (distance > 0) distances[count++] = distance
    else if (distance < 0 && backward++ === 0) firstBack = i
  }
  // Newest first: the few steps forward, if any, lead from one part of the file to the next.
  if (order && backward > count) {
    count = 0
    for (let i = 1; i < times.length; i++) {
      const distance = times[order[i]] - times[order[i - 1]]
      if (distance > 0) distances[count++] = distance
    }
  }
  const step = count === 0 ? NaN : distances.subarray(0, count).sort()[(count - 1) >> 1]
  let repeats = 0
  let firstRepeat = -1
  let gaps = 0
  let longest = 0
  let longestAt = 0
  for (let i = 1; i < times.length; i++) {
    const now = order ? order[i] : i
    const before = order ? order[i - 1] : i - 1
    const distance = times[now] - times[before]
    if (distance === 0 && repeats++ === 0) firstRepeat = now
    if (distance > 1.5 * step) {
      gaps++
      if (distance > longest) {
        longest = distance
        longestAt = times[before]
      }
    }
  }
  const warnings: string[] = []
  if (backward > 0)
    warnings.push(
      `${name}:${lineOf(firstBack)}: ${times.length} rows go back in time ${timesOf(backward)}; as a series they are put in order`,
    )
  if (repeats > 0)
    warnings.push(`${name}:${lineOf(firstRepeat)}: a time is repeated ${timesOf(repeats)}; in a series its last row counts`)
  if (gaps > 0)
    warnings.push(
      `${name}: ${gaps} ${gaps === 1 ? 'gap' : 'gaps'}, the longest of ${formatDuration(longest)} after ${new Date(longestAt).toISOString()}`,
    )
  return { step, warnings }
}

function timesOf(n: number): string {
  return n === 1 ? 'once' : `${n} times`
}

/** Rows in order of time, equal times in order of the file; undefined when the file is in order already. */
export function orderOf(times: Float64Array): Uint32Array | undefined {
  let ordered = true
  for (let i = 1; i < times.length && ordered; i++) ordered = times[i] >= times[i - 1]
  if (ordered) return undefined
  return Uint32Array.from(times, (_, i) => i).sort((a, b) => times[a] - times[b] || a - b)
}
