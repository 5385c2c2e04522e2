import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { formatDuration } from '../../duration.ts'
import { SourceError } from '../../errors.ts'
import { describeUnknown } from './nearest.ts'
import { guessTimeFormat, isoReader, MS_PER, type TimeFormat } from './parse-time.ts'

/** A file as it is: one row per line below the header, in the order of the file, repeated and back-going times included. */
export interface Table {
  /** What the file is called in messages. */
  readonly name: string
  /** Epoch ms. */
  readonly times: Float64Array
  /** An empty cell, `NaN`, `null`, `NA` and the infinities are NaN. */
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
}

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
  const raw = typeof input === 'string' ? await readBytes(input) : Buffer.from(input.text)
  const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? await unzip(raw, name) : raw
  return parseTable(bytes, name, options)
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new SourceError(`${path}: must be a readable file, got ${(error as NodeJS.ErrnoException).code ?? error}`, {
      retryable: false,
      cause: error,
    })
  }
}

async function unzip(bytes: Buffer, name: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes)
  } catch (error) {
    throw new SourceError(`${name}: must be a whole gzip file, got ${(error as Error).message}`, {
      retryable: false,
      cause: error,
    })
  }
}

function parseTable(bytes: Buffer, name: string, options: TableOptions): Table {
  const fail = (line: number, column: number, message: string) =>
    new SourceError(`${name}:${line}:${column}: ${message}`, { retryable: false })
  const begin = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const headerEnd = endOfLine(bytes, begin)
  const separator = findSeparator(bytes, begin, headerEnd)
  const header = splitLine(bytes.toString('utf8', begin, headerEnd), String.fromCharCode(separator)).map(cell => cell.trim())
  if (header.length === 1 && header[0] === '') throw fail(1, 1, 'must have a header line, got an empty one')
  const timeAt = findTime(header, options, name)
  const wanted = chooseColumns(header, timeAt, options, name)

  const rows = countLines(bytes, headerEnd)
  const times = new Float64Array(rows)
  const slots: (Float64Array | undefined)[] = header.map((_, i) => (wanted.has(i) ? new Float64Array(rows) : undefined))
  const lines = new LineNumbers()
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
      lines.skip(row)
      at = next
      continue
    }
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
      if (cell === timeAt) {
        if (format === undefined) {
          format = guessTimeFormat(textOf(bytes, from, to))
          if (!format)
            throw fail(
              line,
              from - at + 1,
              `must be a time (epoch seconds or ms, or ISO 8601), got ${JSON.stringify(textOf(bytes, from, to))}`,
            )
        }
        const time = format === 'iso' ? readIso(bytes, from, to) : parseNumber(bytes, from, to) * MS_PER[format]
        if (!Number.isFinite(time))
          throw fail(line, from - at + 1, `must be a time (${format}), got ${JSON.stringify(textOf(bytes, from, to))}`)
        times[row] = format === 's' ? Math.round(time * 1000) / 1000 : time
      } else {
        const slot = slots[cell]
        if (slot) {
          const value = parseNumber(bytes, from, to)
          if (value !== value && !isUnknown(textOf(bytes, from, to)))
            throw fail(
              line,
              from - at + 1,
              `${header[cell]} must be a number or empty, got ${JSON.stringify(textOf(bytes, from, to))}`,
            )
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
  return { name, times: read, columns, ...describeTimes(read, name, lines) }
}

/** Line of a row: rows are one per line but for blank lines, which are few. */
class LineNumbers {
  readonly #blankBefore: number[] = []
  skip(row: number): void {
    this.#blankBefore.push(row)
  }
  of(row: number): number {
    return row + 2 + this.#blankBefore.filter(before => before <= row).length
  }
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
  const repeated = header.find((cell, i) => header.indexOf(cell) !== i)
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
  return new Set(chosen.map(column => header.indexOf(column)))
}

function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, to).trim()
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).trim() : text
}

function isUnknown(text: string): boolean {
  return /^(|nan|null|na|n\/a|none|nil|-|[+-]?inf(inity)?)$/i.test(text)
}

/** 10ⁿ is exact up to n = 22, so a short decimal is one exact division away from its nearest double. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/** Parses plain decimals of up to 15 digits in place, and leaves the rest to `Number`; NaN when it is not a finite number. */
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
  const value = text === '' || /^[+-]?0[xob]/i.test(text) ? NaN : Number(text)
  return Number.isFinite(value) ? value : NaN
}

function describeTimes(times: Float64Array, name: string, lines: LineNumbers): { step: number; warnings: string[] } {
  const forward = new Float64Array(Math.max(0, times.length - 1))
  let count = 0
  let backward = 0
  let firstBack = -1
  for (let i = 1; i < times.length; i++) {
    const distance = times[i] - times[i - 1]
    if (distance > 0) forward[count++] = distance
    else if (distance < 0 && backward++ === 0) firstBack = i
  }
  const step = count === 0 ? NaN : forward.subarray(0, count).sort()[(count - 1) >> 1]
  const order = orderOf(times)
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
      `${name}:${lines.of(firstBack)}: ${times.length} rows go back in time ${timesOf(backward)}; as a series they are put in order`,
    )
  if (repeats > 0)
    warnings.push(`${name}:${lines.of(firstRepeat)}: a time is repeated ${timesOf(repeats)}; in a series its last row counts`)
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
