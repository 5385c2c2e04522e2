import { LANES, type Sheet } from '../../kernels/ops.ts'

/** Rows of numbers, scaled, one after another; NaN is unknown. */
export interface Rows {
  readonly values: Float32Array | Float64Array
  readonly columns: number
}

/**
 * Writes windows of rows as examples: the window that begins at row `starts[order[from + example]]`, for `count` examples; the rest of the batch is
 * nought. Unknown values are nought; masks are 1 where a value is known and else 0. Returns how many values are known.
 */
export function loadWindows(
  { values, columns }: Rows,
  starts: ArrayLike<number>,
  order: ArrayLike<number>,
  from: number,
  count: number,
  x: readonly Sheet[],
  masks?: readonly Sheet[],
): number {
  let known = 0
  const panels = x[0].panels
  const first = new Int32Array(LANES)
  for (let panel = 0; panel < panels; panel++) {
    const lanes = Math.min(LANES, count - panel * LANES)
    if (lanes < LANES)
      for (const sheets of [x, masks ?? []])
        for (const { data, step } of sheets) data.fill(0, panel * step * LANES, (panel * step + columns) * LANES)
    for (let lane = 0; lane < lanes; lane++) first[lane] = starts[order[from + panel * LANES + lane]] * columns
    for (let step = 0; step < x.length; step++) {
      const sheet = x[step].data
      const mask = masks?.[step]
      const marks = mask?.data
      const to = panel * x[step].step * LANES
      const toMask = mask ? panel * mask.step * LANES : 0
      for (let lane = 0; lane < lanes; lane++) {
        const at = first[lane] + step * columns
        for (let column = 0, place = lane; column < columns; column++, place += LANES) {
          const value = values[at + column]
          // NaN differs from itself.
          const isKnown = value === value
          if (marks) marks[toMask + place] = isKnown ? 1 : 0
          sheet[to + place] = isKnown ? value : 0
          if (isKnown) known++
        }
      }
    }
  }
  return known
}
