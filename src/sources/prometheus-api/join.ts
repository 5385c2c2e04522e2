import { type Labels, seriesId } from '../../anomaly.ts'
import { SourceError } from '../../errors.ts'
import type { Frame } from '../../frame/frame.ts'
import type { Piece } from './split.ts'

/** Puts the pieces of an answer, in any order, on one grid. Frames come in the order of their names and share `times`. */
export function joiner(times: Float64Array): { add(data: unknown, piece: Piece): void; frames(): Frame<'value'>[] } {
  const found = new Map<string, { labels: Labels; value: Float64Array; piece: Piece }>()
  const step = times.length > 1 ? times[1] - times[0] : 1

  const slotOf = (labels: Labels, piece: Piece): Float64Array => {
    const id = seriesId(labels)
    const known = found.get(id)
    if (!known) {
      const value = new Float64Array(times.length).fill(NaN)
      found.set(id, { labels, value, piece })
      return value
    }
    if (known.piece === piece) throw broken(`must answer with each series once, got ${id} twice`)
    known.piece = piece
    return known.value
  }

  return {
    add(data, piece) {
      const { resultType, result } = checkData(data)
      if (resultType !== 'matrix') throw broken(`must answer a range with a matrix, got ${resultType}`)
      for (const { metric = {}, values, histograms } of result as readonly MatrixEntry[]) {
        if (histograms && histograms.length > 0) throw nativeHistogram(metric)
        if (!Array.isArray(values)) throw broken(`must answer with values, got none for ${seriesId(metric)}`)
        const slot = slotOf(metric, piece)
        for (const sample of values) {
          const row = Math.round((sample[0] * 1000 - times[0]) / step)
          if (!(row >= piece.from && row < piece.to) || Math.abs(times[row] - sample[0] * 1000) > 1)
            throw broken(`must answer at the times that were asked for, got ${sample[0]} for ${seriesId(metric)}`)
          slot[row] = parseSample(sample[1])
        }
      }
    },
    frames: () =>
      Array.from(found)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { labels, value }]) => ({ labels, times, columns: { value } })),
  }
}

/** Frames of one row at `time` from the answer to an instant query; a scalar has no labels. */
export function fromInstant(data: unknown, time: number): Frame<'value'>[] {
  const { resultType, result } = checkData(data)
  const times = Float64Array.of(time)
  const frameOf = (labels: Labels, text: unknown): Frame<'value'> => ({
    labels,
    times,
    columns: { value: Float64Array.of(parseSample(text)) },
  })
  if (resultType === 'scalar') return [frameOf({}, result[1])]
  if (resultType !== 'vector') throw broken(`must answer an instant with a vector or a scalar, got ${resultType}`)
  const seen = new Set<string>()
  return (result as readonly VectorEntry[]).map(({ metric = {}, value, histogram }) => {
    if (histogram) throw nativeHistogram(metric)
    if (!Array.isArray(value)) throw broken(`must answer with a value, got none for ${seriesId(metric)}`)
    const id = seriesId(metric)
    if (seen.has(id)) throw broken(`must answer with each series once, got ${id} twice`)
    seen.add(id)
    return frameOf(metric, value[1])
  })
}

interface MatrixEntry {
  readonly metric?: Labels
  readonly values?: readonly (readonly [number, string])[]
  readonly histograms?: readonly unknown[]
}

interface VectorEntry {
  readonly metric?: Labels
  readonly value?: readonly [number, string]
  readonly histogram?: unknown
}

function checkData(data: unknown): { resultType: string; result: readonly unknown[] } {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown }
  if (typeof resultType !== 'string' || !Array.isArray(result))
    throw broken('must answer with resultType and result, got neither')
  return { resultType, result }
}

/** `NaN` and the infinities, which are text in JSON, are unknown. */
function parseSample(text: unknown): number {
  const value = Number(text)
  return Number.isFinite(value) ? value : NaN
}

function nativeHistogram(labels: Labels): SourceError {
  return broken(
    `must answer with numbers, got native histograms for ${seriesId(labels)}; use histogram_quantile, histogram_count or histogram_sum`,
  )
}

function broken(message: string): SourceError {
  return new SourceError(message, { retryable: false })
}
