import { type Labels, seriesId } from '../../anomaly.ts'
import { SourceError } from '../../errors.ts'
import { takeApart } from './answer-elements.ts'
import { checkLabels, checkSize, type Limits } from './limits.ts'
import { parseSample } from './sample.ts'

/** What is to be read from an answer: series on rows of a grid, series at one time, or nothing but the JSON. */
export type Wanted =
  | { readonly kind: 'range'; readonly rows: Rows; readonly limits: Limits }
  | { readonly kind: 'instant'; readonly limits: Limits }
  | { readonly kind: 'json' }

/** The rows that a request asked for, and how many the question has as a whole. */
export interface Rows {
  readonly start: number
  readonly step: number
  readonly count: number
  readonly whole: number
}

/** The series of an answer. Plain data without objects for samples, so that it crosses threads quickly. */
export interface SeriesBlock {
  readonly ids: readonly string[]
  readonly labels: readonly Labels[]
  /** Rows of the first series, then of the second, and so on; NaN where there is no sample. */
  readonly values: Float64Array<ArrayBuffer>
  /** 1 where the sample is NaN, in the same order; undefined when there is none. */
  readonly notANumber: Uint8Array<ArrayBuffer> | undefined
  readonly left: LeftOut
}

/** What of an answer could not be used, by the name of the series. */
export interface LeftOut {
  /** Samples that are no numbers: how many, and the first of them as JSON. */
  readonly noNumbers: ReadonlyMap<string, { readonly count: number; readonly example: string }>
  /** Series with native histograms. */
  readonly histograms: readonly string[]
}

/** An answer as it was read. Without a `body` it was no JSON. */
export interface Read {
  readonly body: unknown
  readonly series: SeriesBlock | undefined
}

/** Reads the bytes of an answer. Throws `SourceError` when the series in it cannot be used. */
export function readAnswer(bytes: Uint8Array, wanted: Wanted): Read {
  try {
    if (wanted.kind === 'json') return { body: JSON.parse(textOf(bytes)), series: undefined }
    const { envelope, count, each } = takeApart(bytes)
    const { status, data } = (envelope ?? {}) as { status?: unknown; data?: unknown }
    if (status !== 'success' || data === undefined) return { body: envelope, series: undefined }
    const read = wanted.kind === 'range' ? readRange : readInstant
    return { body: envelope, series: read(checkType(data, wanted.kind), count, each(), wanted as never) }
  } catch (error) {
    if (error instanceof SyntaxError) return { body: undefined, series: undefined }
    throw error
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function checkType(data: unknown, kind: 'range' | 'instant'): string {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown }
  if (typeof resultType !== 'string' || !Array.isArray(result))
    throw broken('must answer with resultType and result, got neither')
  if (kind === 'range' && resultType !== 'matrix') throw broken(`must answer a range with a matrix, got ${resultType}`)
  if (kind === 'instant' && resultType !== 'vector' && resultType !== 'scalar')
    throw broken(`must answer an instant with a vector or a scalar, got ${resultType}`)
  return resultType
}

type Of<Kind> = Extract<Wanted, { readonly kind: Kind }>

function readRange(_: string, count: number, elements: Iterable<unknown>, { rows, limits }: Of<'range'>): SeriesBlock {
  checkSize(count, rows.whole, limits)
  const block = openBlock(count, rows.count)
  for (const element of elements) {
    const { id, labels, entry } = readSeries(element, limits)
    if (entry.histograms) block.leaveOut(id)
    else if (!Array.isArray(entry.values)) throw broken(`must answer with values, got none for ${id}`)
    if (!Array.isArray(entry.values)) continue
    const first = block.add(id, labels)
    let before = -1
    for (const sample of entry.values) {
      const time = Array.isArray(sample) ? sample[0] : undefined
      if (typeof time !== 'number') {
        block.noNumber(id, sample)
        continue
      }
      const row = Math.round((time * 1000 - rows.start) / rows.step)
      if (!(row >= 0 && row < rows.count) || Math.abs(rows.start + row * rows.step - time * 1000) > 1)
        throw broken(`must answer at the times that were asked for, got ${time} for ${id}`)
      if (row === before) throw broken(`must answer with each time of a series once, got ${time} twice for ${id}`)
      if (row < before) throw broken(`must answer in order of time, got ${time} after a later time for ${id}`)
      before = row
      block.set(first + row, id, sample[1])
    }
  }
  return block.close()
}

function readInstant(resultType: string, count: number, elements: Iterable<unknown>, { limits }: Of<'instant'>): SeriesBlock {
  if (resultType === 'scalar') {
    const block = openBlock(1, 1)
    const [, sample] = [...elements]
    block.set(block.add(seriesId({}), {}), seriesId({}), sample)
    return block.close()
  }
  checkSize(count, 1, limits)
  const block = openBlock(count, 1)
  for (const element of elements) {
    const { id, labels, entry } = readSeries(element, limits)
    if (entry.histogram) block.leaveOut(id)
    else if (!Array.isArray(entry.value)) throw broken(`must answer with a value, got none for ${id}`)
    if (!Array.isArray(entry.value)) continue
    block.set(block.add(id, labels), id, entry.value[1])
  }
  return block.close()
}

interface Entry {
  readonly metric?: unknown
  readonly values?: unknown
  readonly histograms?: unknown
  readonly value?: unknown
  readonly histogram?: unknown
}

function readSeries(element: unknown, limits: Limits): { id: string; labels: Labels; entry: Entry } {
  if (typeof element !== 'object' || element === null) throw broken(`must answer with series, got ${shorten(element)}`)
  const entry = element as Entry
  const labels = checkLabels(entry.metric ?? {}, limits)
  return { id: seriesId(labels), labels, entry }
}

/** Collects series of `rows` rows each, at most `count`. */
function openBlock(count: number, rows: number) {
  const values = new Float64Array(count * rows).fill(NaN)
  const ids: string[] = []
  const labels: Labels[] = []
  const seen = new Set<string>()
  const noNumbers = new Map<string, { count: number; example: string }>()
  const histograms: string[] = []
  let notANumber: Uint8Array<ArrayBuffer> | undefined
  const noNumber = (id: string, sent: unknown) => {
    const known = noNumbers.get(id)
    if (known) known.count++
    else noNumbers.set(id, { count: 1, example: shorten(sent) })
  }
  return {
    noNumber,
    /** The place of the first row of the series. */
    add(id: string, of: Labels): number {
      if (seen.has(id)) throw broken(`must answer with each series once, got ${id} twice`)
      seen.add(id)
      labels.push(of)
      return (ids.push(id) - 1) * rows
    },
    set(at: number, id: string, sent: unknown) {
      const value = parseSample(sent)
      if (value === undefined) return noNumber(id, sent)
      values[at] = value
      if (!Number.isNaN(value)) return
      notANumber ??= new Uint8Array(values.length)
      notANumber[at] = 1
    },
    leaveOut: (id: string) => void histograms.push(id),
    close: (): SeriesBlock => ({ ids, labels, values, notANumber, left: { noNumbers, histograms } }),
  }
}

/** JSON for a person, cut when it is long. */
function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

function broken(message: string): SourceError {
  return new SourceError(message, { retryable: false })
}
