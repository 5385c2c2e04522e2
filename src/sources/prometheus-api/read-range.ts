import { SourceError } from '../../errors.ts'
import type { SeriesAnswer, SeriesQuery } from '../source.ts'
import { checkStep } from '../table/answering.ts'
import { gridOf } from '../table/series.ts'
import type { Ask } from './ask.ts'
import { checkCounters } from './check-counters.ts'
import { openJoiner } from './join.ts'
import type { Options } from './options.ts'
import { seconds } from './seconds.ts'
import { type Piece, splitGrid, splitPiece } from './split.ts'

/**
 * Asks for a range, in pieces, and joins them. A piece whose answer is larger than `maxBytes` is asked again in shorter ones, down to a single
 * row, so that many series over a long time are read in any case; what they may take in sum is `maxSeries` and `maxSamples`.
 */
export async function readRange(
  { expr, range, step }: SeriesQuery,
  ask: Ask,
  options: Options,
  signal: AbortSignal,
): Promise<SeriesAnswer> {
  signal.throwIfAborted()
  const times = gridOf(range, checkStep(step))
  const warnings = new Set(checkCounters(expr))
  const requests: { readonly from: number; readonly text: string }[] = []
  const join = openJoiner(times, options)

  const readPiece = async (piece: Piece, signal: AbortSignal): Promise<void> => {
    const { from, to } = piece
    const params = {
      query: expr,
      start: seconds(times[from]),
      end: seconds(times[to - 1]),
      step: seconds(step),
      timeout: seconds(options.timeout),
    }
    const rows = { start: times[from], step, count: to - from, whole: times.length }
    try {
      const reply = await ask('query_range', params, { kind: 'range', rows, limits: options }, signal)
      for (const text of reply.warnings) warnings.add(text)
      requests.push({ from, text: reply.request })
      addressed(options.url, [reply.request], () => join.add(reply.series!, piece))
    } catch (error) {
      const isTooLarge = error instanceof SourceError && error.limit === 'maxBytes'
      if (!isTooLarge || to - from < 2) throw error
      await together(splitPiece(piece), signal, readPiece)
    }
  }

  await together(splitGrid(times.length, step, options), signal, readPiece)
  const asked = requests.toSorted((a, b) => a.from - b.from).map(({ text }) => text)
  const frames = addressed(options.url, asked.slice(0, 1), () => join.frames())
  return { frames, warnings: [...warnings, ...join.warnings()], requests: asked }
}

/** Runs one task for each item; when one fails, the others are aborted and its error is thrown. */
async function together<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  task: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    await Promise.all(items.map(item => task(item, either)))
  } catch (error) {
    stop.abort()
    throw error
  }
}

/** Adds to a fault of the answer where it came from. */
export function addressed<Value>(url: string, requests: readonly string[], use: () => Value): Value {
  try {
    return use()
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    const { message, retryable, limit } = error
    throw new SourceError(`prometheus at ${url} ${message}`, { retryable, limit, requests })
  }
}
