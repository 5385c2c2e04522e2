import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { component } from '../component.ts'
import { SourceError } from '../errors.ts'
import { size } from '../schema.ts'
import type { SeriesAnswer, Source, SourceNeeds } from './source.ts'
import { abortable, checkStep, rereader, withoutUnknown } from './table/answering.ts'
import { describeUnknown } from './table/nearest.ts'
import { TIME_FORMATS } from './table/parse-time.ts'
import { readTable, type Table } from './table/read-table.ts'
import { frameOf, gridOf, rowsAt, type Series, toSeries, windowOf } from './table/series.ts'

const config = z.strictObject({
  path: z.string().min(1).meta({ description: 'a CSV file with a header line, plain or .gz' }),
  time: z.string().optional().meta({ description: 'name of the time column; by default timestamp, time, ts or the first' }),
  format: z.enum(TIME_FORMATS).optional().meta({ description: 'how times are written; by default told from the first row' }),
  columns: z.array(z.string()).optional().meta({ description: 'value columns; by default all' }),
  ignore: z
    .array(z.string())
    .default(() => ['label'])
    .meta({ description: 'columns that are not values' }),
  maxBytes: size().optional().meta({ description: 'largest file that is read, after unzipping; default 256MiB' }),
})

/**
 * Series of a CSV file. `expr` is a column, several with commas, or `*`. A row stands until the next one is due, or for one step of the
 * question when that is longer; rows in wrong order are put in order and of rows with one time the last counts; both are warned about.
 */
export const csv = component<Source, typeof config, SourceNeeds>({
  type: 'csv',
  summary: 'Series of a CSV file (also .gz) with a time column and one or many value columns.',
  config,
  examples: [{ path: 'metrics.csv' }, { path: 'metrics.csv.gz', time: 'when', format: 's', columns: ['requests', 'errors'] }],
  create({ path, ...options }, { folder }) {
    const file = isAbsolute(path) ? path : join(folder, path)
    const load = rereader(file, async () => {
      const table = await readTable(file, withoutUndefined(options))
      return { table, series: toSeries(table) }
    })
    const answer = async (expr: string, times: Float64Array, step: number | undefined, signal: AbortSignal) => {
      const { table, series } = await abortable(load(), signal)
      return select(expr, table, series, times, step)
    }
    return {
      read: async ({ expr, range, step }, signal) => answer(expr, gridOf(range, checkStep(step)), step, signal),
      latest: async ({ expr, time }, signal) => withoutUnknown(await answer(expr, Float64Array.of(time), undefined, signal)),
      names: async signal => Object.keys((await abortable(load(), signal)).table.columns).sort(),
      check: async signal => void (await abortable(load(), signal)),
    }
  },
})

function select(expr: string, table: Table, series: Series, times: Float64Array, step: number | undefined): SeriesAnswer {
  const window = windowOf(series, step ?? (Number.isNaN(series.step) ? Infinity : series.step))
  const rows = rowsAt(series, times, window)
  const frames = chooseColumns(expr, table).map(column => frameOf(series, column, { column }, times, times, rows, window))
  return { frames, warnings: table.warnings, requests: [] }
}

function chooseColumns(expr: string, { name, columns }: Table): readonly string[] {
  const known = Object.keys(columns)
  if (expr.trim() === '*') return known
  if (known.includes(expr)) return [expr]
  const wanted = [...new Set(expr.split(',').map(part => part.trim()))]
  for (const column of wanted)
    if (!known.includes(column))
      throw new SourceError(`${name}: ${describeUnknown('column', column, known)}`, { retryable: false })
  return wanted
}

function withoutUndefined<Options extends object>(
  options: Options,
): { [Key in keyof Options]: Exclude<Options[Key], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
