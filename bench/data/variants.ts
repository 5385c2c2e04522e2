import type { BenchEntry, BenchSeries } from './series.ts'

/** Behind the name of a set: labelled rows of the training part are unknown. */
export const HIDDEN = ':hidden'
/** Behind the name of a set: each column is a series of its own, with the labels of all. */
export const SINGLE = ':single'

/** The series of a set in a variant. */
export async function vary(entries: readonly BenchEntry[], variant: typeof HIDDEN | typeof SINGLE): Promise<BenchEntry[]> {
  if (variant === HIDDEN) return entries.map(({ name, load }) => ({ name, load: async () => hideLabelled(await load()) }))
  const all = await Promise.all(entries.map(({ load }) => load()))
  return all.flatMap(series =>
    Object.keys(series.columns).map(column => ({
      name: `${series.name}/${column}`,
      load: async () => ({ ...series, name: `${series.name}/${column}`, columns: { [column]: series.columns[column]! } }),
    })),
  )
}

function hideLabelled(series: BenchSeries): BenchSeries {
  const { columns, labels, trainRows } = series
  const hidden = Object.entries(columns).map(([name, column]) => [
    name,
    column.map((value, i) => (i < trainRows && labels[i] === 1 ? NaN : value)),
  ])
  return { ...series, columns: Object.fromEntries(hidden) }
}
