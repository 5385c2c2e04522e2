import { seriesId } from '../anomaly.ts'
import type { Frame, TimeRange } from '../frame/frame.ts'
import type { Diagnostic } from '../stores/store.ts'

/** Asks for the series of a flow with that time (ms) between rows. */
export type AskSeries = (range: TimeRange, step: number) => Promise<FrameAnswer>

/** The rows of a flow; its frames have one column unless it looks at several together. */
export interface FrameAnswer {
  readonly frames: readonly Frame[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Of a history of more rows it is asked first, with as many as this, where it begins. */
const OVERVIEW_ROWS = 10_000

/**
 * All rows of the range, which may reach far back, of the series whose ids are in `only` (of all without it). A short step makes a long history
 * large: two weeks at 2 s have 600,000 rows, and a source fills what it does not have with NaN. Where there may be so many, one question with
 * a longer step says first where the data begins, and only rows from there on are asked for.
 */
export async function askHistory(
  ask: AskSeries,
  range: TimeRange,
  step: number,
  only?: ReadonlySet<string>,
): Promise<FrameAnswer> {
  const rows = (range.end - range.start) / step
  if (rows <= 2 * OVERVIEW_ROWS) return ask(range, step)
  const overviewStep = Math.ceil(rows / OVERVIEW_ROWS) * step
  const { frames } = await ask(range, overviewStep)
  const begin = Math.min(
    range.end - overviewStep,
    ...frames.filter(({ labels }) => !only || only.has(seriesId(labels))).map(frame => firstValue(frame) - overviewStep),
  )
  return ask({ start: Math.max(range.start, begin), end: range.end }, step)
}

/** Time of the first row with a value; Infinity without one. */
export function firstValue({ times, columns }: Frame): number {
  const first = Object.values(columns).map(column => column.findIndex(value => !Number.isNaN(value)))
  return Math.min(Infinity, ...first.filter(at => at >= 0).map(at => times[at]))
}

/** Time of the last row with a value; -Infinity without one. */
export function lastValue({ times, columns }: Frame): number {
  const last = Object.values(columns).map(column => column.findLastIndex(value => !Number.isNaN(value)))
  return Math.max(-Infinity, ...last.filter(at => at >= 0).map(at => times[at]))
}
