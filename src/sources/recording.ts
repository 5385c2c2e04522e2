import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import type { Labels } from '../anomaly.ts'
import { component } from '../component.ts'
import { SourceError } from '../errors.ts'
import { compilePattern, type Pattern } from '../pattern.ts'
import { size } from '../schema.ts'
import type { SeriesAnswer, Source, SourceNeeds } from './source.ts'
import { abortable, checkStep, withoutUnknown } from './table/answering.ts'
import { describeUnknown } from './table/nearest.ts'
import { MAX_BYTES, readTable, type Table } from './table/read-table.ts'
import { parseSeriesId } from './table/selector.ts'
import { frameOf, gridOf, rowsAt, type Series, toSeries, windowOf } from './table/series.ts'

const config = z.strictObject({
  path: z.string().min(1).meta({ description: 'a CSV file (also .gz): timestamp, then one column for each series' }),
  position: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .meta({ description: 'how much of the recording is already past when the replay begins: 0 nothing, 1 all' }),
  at: z
    .number()
    .optional()
    .meta({ description: 'epoch ms at which the replay stands at `position`; default the first question' }),
  loop: z.boolean().default(true).meta({ description: 'begin again when the recording is over' }),
  maxBytes: size().optional().meta({ description: 'largest file that is read, after unzipping; default 256MiB' }),
})

/**
 * Replays a recording as if it happened now. The clock is read at the first question: there the replay stands at `position`, everything
 * before it is history, rows after the present are not given, and before the first row there is nothing (NaN). Times are moved by whole
 * steps of the recording. `expr` is a column, several with commas, `/regex/` over the headers, or `*`; a header that reads as a series
 * (`up{job="dns"}`) gives its labels, any other `{signal: header}`.
 */
export const recording = component<Source, typeof config, SourceNeeds>({
  type: 'recording',
  summary: 'Replays a recorded CSV file as if it happened now.',
  config,
  examples: [{ path: 'recording.csv.gz' }, { path: 'recording.csv.gz', position: 0.5, loop: false }],
  create({ path, position, at, loop, maxBytes = MAX_BYTES }, { folder, now }) {
    const file = isAbsolute(path) ? path : join(folder, path)
    let opened: Promise<Replay> | undefined
    const open = () => {
      const moment = at ?? now()
      opened ??= readTable(file, { maxBytes }).then(table => startReplay(table, { position, loop, moment }))
      opened.catch(() => {
        opened = undefined
      })
      return opened
    }
    const answer = async (expr: string, times: Float64Array, step: number | undefined, signal: AbortSignal) =>
      replay(await abortable(open(), signal), expr, times, step, now())
    return {
      read: async ({ expr, range, step }, signal) => answer(expr, gridOf(range, checkStep(step)), step, signal),
      latest: async ({ expr, time }, signal) => withoutUnknown(await answer(expr, Float64Array.of(time), undefined, signal)),
      names: async signal => Object.keys((await abortable(open(), signal)).series.columns).sort(),
      check: async signal => void (await abortable(open(), signal)),
    }
  },
})

interface Replay {
  readonly table: Table
  readonly series: Series
  /** Time of the recording's first row in the replay. */
  readonly begin: number
  /** ms from the first row to its return in the next round. */
  readonly length: number
  readonly loop: boolean
}

function startReplay(table: Table, options: { position: number; loop: boolean; moment: number }): Replay {
  const series = toSeries(table)
  if (Number.isNaN(series.step))
    throw new SourceError(`${table.name}: must have rows at two times or more, got ${series.times.length}`, { retryable: false })
  const first = series.times[0]
  const length = series.times[series.times.length - 1] - first + series.step
  const reached = first + Math.floor((options.position * (length - series.step)) / series.step) * series.step
  const shift = Math.floor((options.moment - reached) / series.step) * series.step
  return { table, series, begin: first + shift, length, loop: options.loop }
}

function replay(run: Replay, expr: string, times: Float64Array, step: number | undefined, now: number): SeriesAnswer {
  const { series, begin, length, loop } = run
  const window = windowOf(series, step ?? series.step)
  const first = series.times[0]
  const looked = times.map(time => {
    if (time < begin || time > now) return -Infinity
    const since = time - begin
    return first + (loop ? since % length : since)
  })
  const rows = rowsAt(series, looked, window)
  const frames = chooseColumns(expr, run.table).map(column =>
    frameOf(series, column, labelsOf(column), times, looked, rows, window),
  )
  return { frames, warnings: [], requests: [] }
}

function chooseColumns(expr: string, { name, columns }: Table): readonly string[] {
  const known = Object.keys(columns)
  const text = expr.trim()
  if (text === '*') return known
  if (known.includes(text)) return [text]
  const pattern = /^\/(.*)\/(i?)$/.exec(text)
  if (pattern) {
    const regex = compile(pattern[1], pattern[2] === 'i', name)
    return known.filter(column => regex.matchesPart(column))
  }
  const wanted = [...new Set(text.split(',').map(part => part.trim()))]
  for (const column of wanted)
    if (!known.includes(column))
      throw new SourceError(`${name}: ${describeUnknown('column', wanted.length > 1 ? column : text, known)}`, {
        retryable: false,
      })
  return wanted
}

function compile(text: string, ignoreCase: boolean, name: string): Pattern {
  try {
    return compilePattern(text, { ignoreCase })
  } catch (error) {
    throw new SourceError(`${name}: what is between slashes ${(error as Error).message}`, { retryable: false })
  }
}

function labelsOf(header: string): Labels {
  return parseSeriesId(header) ?? { signal: header }
}
