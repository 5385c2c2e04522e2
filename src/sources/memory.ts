import { z } from 'zod'
import { type Labels, seriesId } from '../anomaly.ts'
import { component } from '../component.ts'
import { InputError, SourceError } from '../errors.ts'
import type { Frame } from '../frame/frame.ts'
import { duration } from '../schema.ts'
import type { SeriesAnswer, Source } from './source.ts'
import { checkStep, withoutUnknown } from './table/answering.ts'
import { describeUnknown } from './table/nearest.ts'
import { parseIsoTime } from './table/parse-time.ts'
import { matches, parseSelector } from './table/selector.ts'
import { frameOf, gridOf, rowsAt, type Series, windowOf } from './table/series.ts'

const config = z.strictObject({
  series: z
    .array(
      z.strictObject({
        labels: z.record(z.string(), z.string()),
        start: z
          .string()
          .refine(text => !Number.isNaN(parseIsoTime(text)), 'must be a time like 2026-09-01T00:00:00Z')
          .meta({ description: 'time of the first value' }),
        step: duration(),
        values: z.array(z.number().nullable()).meta({ description: 'one value a step; null is unknown' }),
      }),
    )
    .meta({ description: 'the series, written out' }),
})

/** Series written in the configuration. `expr` is a selector (`name{label="value"}`) or `*`. */
export const memory = component<Source, typeof config, unknown>({
  type: 'memory',
  summary: 'Series written out in the configuration, for tests and first steps.',
  config,
  examples: [
    {
      series: [
        { labels: { __name__: 'requests' }, start: '2026-09-01T00:00:00Z', step: '1m', values: [12, 13, null, 12, 14, 80, 12] },
      ],
    },
  ],
  create: ({ series }) =>
    fromFrames(
      series.map(({ labels, start, step, values }) => ({
        labels,
        times: Float64Array.from(values, (_, i) => parseIsoTime(start) + i * step),
        columns: { value: Float64Array.from(values, value => value ?? NaN) },
      })),
    ),
})

/**
 * A source of frames that are at hand. A function is asked anew for each question, so that a test may let data arrive. `expr` is a selector
 * or `*`; a row stands until the next one is due, or for one step of the question when that is longer.
 */
export function fromFrames(frames: readonly Frame<'value'>[] | (() => readonly Frame<'value'>[])): Source {
  const given = typeof frames === 'function' ? frames : () => frames
  const answer = (expr: string, times: Float64Array, step: number | undefined, signal: AbortSignal): SeriesAnswer => {
    signal.throwIfAborted()
    const answered = choose(expr, given()).map(frame => {
      const series: Series = { times: frame.times, columns: frame.columns, step: usualStep(frame.times) }
      const window = windowOf(series, step ?? (Number.isNaN(series.step) ? Infinity : series.step))
      return frameOf(series, 'value', frame.labels, times, times, rowsAt(series, times, window), window)
    })
    return { frames: answered, warnings: [], requests: [] }
  }
  return {
    read: async ({ expr, range, step }, signal) => answer(expr, gridOf(range, checkStep(step)), step, signal),
    latest: async ({ expr, time }, signal) => withoutUnknown(answer(expr, Float64Array.of(time), undefined, signal)),
    names: async signal => {
      signal.throwIfAborted()
      return [...new Set(given().map(frame => nameOf(frame.labels)))].sort()
    },
    check: async signal => signal.throwIfAborted(),
  }
}

function choose(expr: string, frames: readonly Frame<'value'>[]): readonly Frame<'value'>[] {
  checkIdentities(frames)
  const text = expr.trim()
  if (text === '*') return frames
  const named = frames.filter(({ labels }) => nameOf(labels) === text || seriesId(labels) === text)
  if (named.length > 0) return named
  const matchers = parseSelector(text)
  if (!matchers) {
    const known = [...new Set(frames.map(({ labels }) => nameOf(labels)))]
    throw new SourceError(`memory: ${describeUnknown('expr', text, known)}`, { retryable: false })
  }
  return frames.filter(({ labels }) => matches(labels, matchers))
}

function checkIdentities(frames: readonly Frame<'value'>[]): void {
  const seen = new Set<string>()
  for (const { labels } of frames) {
    const id = seriesId(labels)
    if (seen.has(id)) throw new InputError(`series must have different labels, got ${id} twice`)
    seen.add(id)
  }
}

function nameOf(labels: Labels): string {
  return labels.__name__ ?? seriesId(labels)
}

/** Median of the distances of neighbouring rows; NaN with fewer than two. */
function usualStep(times: Float64Array): number {
  if (times.length < 2) return NaN
  const distances = Float64Array.from({ length: times.length - 1 }, (_, i) => times[i + 1] - times[i]).sort()
  return distances[(distances.length - 1) >> 1]
}
