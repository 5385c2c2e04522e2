import { type Labels, seriesId } from '../anomaly.ts'
import { InputError } from '../errors.ts'
import { align, type Frame } from '../frame/frame.ts'
import type { FlowConfig } from './configuration.ts'

/** Which series of a flow are looked at together, as the columns of one frame. */
export type ColumnPlan = Pick<FlowConfig['query'], 'queries' | 'by' | 'columns' | 'step'>

/** Whether the frames of a flow have several columns. */
export function hasColumns({ queries, columns }: Pick<ColumnPlan, 'queries' | 'columns'>): boolean {
  return queries !== undefined || columns !== undefined
}

/** What a flow asks, by name; one that names nothing asks one question. */
export function questionsOf({ expr, queries }: Pick<FlowConfig['query'], 'expr' | 'queries'>): Readonly<Record<string, string>> {
  return queries ?? { expr: expr! }
}

/** What a flow asks, for people: one line for each question. */
export function describeQuery(query: Pick<FlowConfig['query'], 'expr' | 'queries'>): string {
  return (
    query.expr ??
    Object.entries(questionsOf(query))
      .map(([name, expr]) => `${name}: ${expr}`)
      .join('\n')
  )
}

/**
 * Joins the answers to the questions of a flow, by name: one frame for each entity, which is what its series have in common in the labels `by`,
 * with a column for each question in the order of the configuration. Where a question has no series for an entity its column is unknown.
 * Throws `InputError` when one has two.
 */
export function joinQueries(
  answers: Readonly<Record<string, readonly Frame<'value'>[]>>,
  { by = [], step }: Pick<ColumnPlan, 'by' | 'step'>,
): Frame[] {
  const names = Object.keys(answers)
  const cells = names.flatMap(name =>
    answers[name]!.map(frame => ({ entity: only(frame.labels, by), name, column: name, frame })),
  )
  return together(cells, names, step, ({ entity, name }, frames) => {
    const where = by.length > 0 ? `for ${seriesId(entity)}` : 'for the flow'
    const found = frames.slice(0, 2).map(({ labels }) => seriesId(labels))
    return `query ${name} must have one series ${where}, got ${frames.length}, such as ${found.join(' and ')}; aggregate them, or name under \`by\` what tells them apart`
  })
}

/**
 * Makes all series that differ only in the labels `columns` one frame, each a column that is called by those labels: `pod=web-0`. Columns are in
 * order of name.
 */
export function spreadColumns(
  frames: readonly Frame<'value'>[],
  { columns = [], step }: Pick<ColumnPlan, 'columns' | 'step'>,
): Frame[] {
  const cells = frames.map(frame => {
    // With the name of its label no column is called like a number, which objects would put first.
    const column = columns.map(label => `${label}=${frame.labels[label] ?? ''}`).join(',')
    const entity = Object.fromEntries(Object.entries(frame.labels).filter(([label]) => !columns.includes(label)))
    return { entity, name: column, column, frame }
  })
  const order = [...new Set(cells.map(({ column }) => column))].toSorted()
  return together(cells, order, step, ({ column }) => `series must differ in more than ${column}`).map(dropAbsent)
}

interface Cell {
  readonly entity: Labels
  readonly name: string
  readonly column: string
  readonly frame: Frame<'value'>
}

function together(
  cells: readonly Cell[],
  order: readonly string[],
  step: number,
  describeTwice: (cell: Cell, frames: readonly Frame[]) => string,
): Frame[] {
  let start = Infinity
  let end = -Infinity
  for (const { frame } of cells) {
    if (frame.times.length === 0) continue
    start = Math.min(start, frame.times[0])
    end = Math.max(end, frame.times.at(-1)! + 1)
  }
  return [...Map.groupBy(cells, ({ entity }) => seriesId(entity)).values()].map(own => {
    const byColumn = Map.groupBy(own, ({ column }) => column)
    for (const [cell, ...more] of byColumn.values())
      if (more.length > 0)
        throw new InputError(
          describeTwice(
            cell,
            [cell, ...more].map(({ frame }) => frame),
          ),
        )
    const aligned = own.map(({ column, frame }) => [column, align(frame, { start, end }, step)] as const)
    const found = new Map(aligned)
    const { times } = aligned[0][1]
    const unknown = () => new Float64Array(times.length).fill(NaN)
    const columns = Object.fromEntries(order.map(name => [name, found.get(name)?.columns.value ?? unknown()]))
    return { labels: own[0].entity, times, columns }
  })
}

/** Without the columns that only other entities have. */
function dropAbsent(frame: Frame): Frame {
  const columns = Object.entries(frame.columns).filter(([, values]) => values.some(value => !Number.isNaN(value)))
  return { ...frame, columns: Object.fromEntries(columns) }
}

function only(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.flatMap(name => (labels[name] === undefined ? [] : [[name, labels[name]] as const])))
}

/**
 * The frame with its columns in the places that a stream knows them at. A new one takes the place of one that has no value any more, as a pod
 * that replaces another; where there is none it comes last. `grown`: how many came last.
 */
export function arrangeColumns(frame: Frame, known: readonly string[]): { readonly frame: Frame; readonly grown: number } {
  const { columns, times } = frame
  const isLive = (name: string) => columns[name]?.some(value => !Number.isNaN(value)) ?? false
  const isKnown = new Set(known)
  const newcomers = Object.keys(columns).filter(name => !isKnown.has(name) && isLive(name))
  const names = known.map(name => (isLive(name) ? name : (newcomers.shift() ?? name)))
  const all = [...names, ...newcomers]
  const unknown = () => new Float64Array(times.length).fill(NaN)
  return {
    frame: { ...frame, columns: Object.fromEntries(all.map(name => [name, columns[name] ?? unknown()])) },
    grown: newcomers.length,
  }
}

/** Under which a column of a frame is kept for charts. */
export function columnLabels(labels: Labels, name: string): Labels {
  return { ...labels, column: name }
}

/** One column that says whether anything is known: the first known value of each row, NaN without one. */
export function anyColumn(frame: Frame): Frame<'value'> {
  const { value } = frame.columns
  if (value && Object.keys(frame.columns).length === 1) return frame as Frame<'value'>
  const all = Object.values(frame.columns)
  const first = Float64Array.from(frame.times, (_, i) => all.find(column => !Number.isNaN(column[i]))?.[i] ?? NaN)
  return { labels: frame.labels, times: frame.times, columns: { value: first } }
}
