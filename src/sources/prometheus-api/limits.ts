import type { Labels } from '../../anomaly.ts'
import { SourceError } from '../../errors.ts'

/** What the answers to one question may hold; options of the source with the same names. */
export interface Limits {
  readonly maxSeries: number
  readonly maxSamples: number
  readonly maxLabels: number
  readonly maxLabelLength: number
}

/** Checks what the series of a question take, before memory is taken for them. */
export function checkSize(series: number, rows: number, { maxSeries, maxSamples }: Limits): void {
  if (series > maxSeries)
    throw beyond('maxSeries', `must answer with at most ${maxSeries} series, got ${series}; narrow the query, or raise maxSeries`)
  if (series * rows > maxSamples)
    throw beyond(
      'maxSamples',
      `must answer with at most ${maxSamples} samples, got ${series} series of ${rows} rows; narrow the query, use a longer step, ` +
        'shorten lookback, or raise maxSamples',
    )
}

/** Returns the labels of a series, or throws when they are none or too many or too long. */
export function checkLabels(metric: unknown, { maxLabels, maxLabelLength }: Limits): Labels {
  if (typeof metric !== 'object' || metric === null || Array.isArray(metric))
    throw new SourceError(`must answer with labels, got ${JSON.stringify(metric)}`, { retryable: false })
  let count = 0
  for (const name in metric) {
    const value = (metric as Record<string, unknown>)[name]
    if (typeof value !== 'string')
      throw new SourceError(`must answer with labels that are text, got ${JSON.stringify(value)} for ${cut(name)}`, {
        retryable: false,
      })
    if (++count > maxLabels)
      throw beyond(
        'maxLabels',
        `must answer with at most ${maxLabels} labels, got more for ${cut(nameOf(metric))}; raise maxLabels`,
      )
    const longest = Math.max(name.length, value.length)
    if (longest > maxLabelLength)
      throw beyond(
        'maxLabelLength',
        `must answer with labels of at most ${maxLabelLength} characters, got ${longest} for ${cut(name)} of ${cut(nameOf(metric))}; ` +
          'raise maxLabelLength',
      )
  }
  return metric as Labels
}

function nameOf(metric: object): string {
  const { __name__ } = metric as { __name__?: unknown }
  return typeof __name__ === 'string' ? __name__ : 'a series without a name'
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** An error that says which limit was hit; counted by its name. */
export function beyond(limit: string, message: string): SourceError {
  return new SourceError(message, { retryable: false, limit })
}
