import type { BenchEntry, BenchSeries } from './series.ts'

/** Behind the name of a set: labelled rows of the training part are unknown. */
export const HIDDEN = ':hidden'
/** Behind the name of a set: each column is a series of its own, with the labels of all. */
export const SINGLE = ':single'

/** Behind the name of a set: the last rows of the training part and the first of the test part, at most `SHORT_ROWS` of each. */
export const SHORT = ':short'
const SHORT_ROWS = 20_000

export const VARIANTS = [HIDDEN, SINGLE, SHORT] as const

/** The series of a set in a variant. */
export async function vary(entries: readonly BenchEntry[], variant: (typeof VARIANTS)[number]): Promise<BenchEntry[]> {
  if (variant === SHORT) return entries.map(({ name, load }) => ({ name, load: async () => shorten(await load()) }))
  if (variant === HIDDEN) return entries.map(({ name, load }) => ({ name, load: async () => hideLabelled(await load()) }))
  const all = await Promise.all(entries.map(({ load }) => load()))
  return all.flatMap(series =>
    Object.keys(series.columns).map(column => ({
      name: `${series.name}/${column}`,
      load: async () => ({ ...series, name: `${series.name}/${column}`, columns: { [column]: series.columns[column]! } }),
    })),
  )
}

function shorten(series: BenchSeries): BenchSeries {
  const { times, columns, labels, trainRows } = series
  const from = Math.max(0, trainRows - SHORT_ROWS)
  const to = trainRows + SHORT_ROWS
  const cut = Object.entries(columns).map(([name, column]) => [name, column.slice(from, to)])
  return {
    ...series,
    times: times.slice(from, to),
    columns: Object.fromEntries(cut),
    labels: labels.slice(from, to),
    trainRows: trainRows - from,
  }
}

function hideLabelled(series: BenchSeries): BenchSeries {
  const { columns, labels, trainRows } = series
  const hidden = Object.entries(columns).map(([name, column]) => [
    name,
    column.map((value, i) => (i < trainRows && labels[i] === 1 ? NaN : value)),
  ])
  return { ...series, columns: Object.fromEntries(hidden) }
}
