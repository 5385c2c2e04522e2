import type { Labels } from '../../anomaly.ts'
import { SourceError } from '../../errors.ts'
import type { Frame } from '../../frame/frame.ts'
import { checkSize, type Limits } from './limits.ts'
import type { LeftOut, SeriesBlock } from './read-answer.ts'
import type { Piece } from './split.ts'

interface Joined {
  readonly labels: Labels
  readonly value: Float64Array
  notANumber: Uint8Array | undefined
  /** The last one that it was in. */
  readonly piece: Piece
}

/** The pieces of an answer, put together. */
export interface Joiner {
  add(block: SeriesBlock, piece: Piece): void
  /** In the order of their names; they share `times`. Throws when all there is are native histograms. */
  frames(): Frame<'value'>[]
  /** What could not be used, for people. */
  warnings(): string[]
}

/** Puts the pieces of an answer, in any order, on one grid. */
export function openJoiner(times: Float64Array, limits: Limits): Joiner {
  const found = new Map<string, Joined>()
  const left = collectLeftOut()

  /** Copies the rows of a piece into the series of that name; a first piece that is the whole needs no room to be filled. */
  const put = (id: string, labels: Labels, rows: Float64Array, piece: Piece): Joined => {
    const known = found.get(id)
    if (known?.piece === piece) throw new SourceError(`must answer with each series once, got ${id} twice`, { retryable: false })
    if (!known) checkSize(found.size + 1, times.length, limits)
    const isWhole = !known && rows.length === times.length
    const value = known?.value ?? (isWhole ? rows.slice() : new Float64Array(times.length).fill(NaN))
    if (!isWhole) value.set(rows, piece.from)
    const series = { labels, value, notANumber: known?.notANumber, piece }
    found.set(id, series)
    return series
  }

  return {
    add({ ids, labels, values, notANumber, left: leftOut }, piece) {
      left.add(leftOut)
      const rows = piece.to - piece.from
      ids.forEach((id, i) => {
        const series = put(id, labels[i], values.subarray(i * rows, (i + 1) * rows), piece)
        const marks = notANumber?.subarray(i * rows, (i + 1) * rows)
        if (!marks?.includes(1)) return
        series.notANumber ??= new Uint8Array(times.length)
        series.notANumber.set(marks, piece.from)
      })
    },
    frames() {
      left.checkAnyNumbers(found.size)
      return Array.from(found)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { labels, value, notANumber }]) => ({ labels, times, columns: { value }, ...(notANumber && { notANumber }) }))
    },
    warnings: left.warnings,
  }
}

/** Frames of one row at `time` from the answer to an instant query, in the order of the answer; a scalar has no labels. */
export function fromInstant(
  { ids, labels, values, notANumber, left: leftOut }: SeriesBlock,
  time: number,
): { frames: Frame<'value'>[]; warnings: string[] } {
  const left = collectLeftOut()
  left.add(leftOut)
  left.checkAnyNumbers(ids.length)
  const times = Float64Array.of(time)
  const frames = labels.map((own, i) => ({
    labels: own,
    times,
    columns: { value: values.slice(i, i + 1) },
    ...(notANumber?.[i] === 1 && { notANumber: Uint8Array.of(1) }),
  }))
  return { frames, warnings: left.warnings() }
}

/** Series that a warning names. */
const NAMED = 5

function collectLeftOut() {
  const noNumbers = new Map<string, { count: number; example: string }>()
  const histograms = new Set<string>()
  return {
    add(left: LeftOut) {
      for (const id of left.histograms) histograms.add(id)
      for (const [id, { count, example }] of left.noNumbers)
        noNumbers.set(id, { count: count + (noNumbers.get(id)?.count ?? 0), example: noNumbers.get(id)?.example ?? example })
    },
    checkAnyNumbers(series: number) {
      if (series === 0 && histograms.size > 0)
        throw new SourceError(`must answer with numbers, got native histograms for ${list([...histograms])}; ${INSTEAD}`, {
          retryable: false,
        })
    },
    warnings(): string[] {
      const told: string[] = []
      if (noNumbers.size > 0) {
        const samples = [...noNumbers.values()].reduce((sum, { count }) => sum + count, 0)
        const each = [...noNumbers].map(([id, { count, example }]) => `${id} ${count} (first ${example})`)
        const verb = samples === 1 ? 'sample is not a number and is' : 'samples are not numbers and are'
        told.push(`${samples} ${verb} taken as unknown: ${list(each)}`)
      }
      if (histograms.size > 0) told.push(`native histograms are left out, of ${list([...histograms])}; ${INSTEAD}`)
      return told
    },
  }
}

const INSTEAD = 'use histogram_quantile, histogram_count or histogram_sum'

function list(texts: readonly string[]): string {
  const more = texts.length - NAMED
  return `${texts.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
