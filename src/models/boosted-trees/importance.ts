import type { BoostedTrees } from './boosted-trees.ts'

/** By column, as XGBoost's `weight`, `gain` and `cover`: number of cuts, and means over them; 0 for a column that is never cut. */
export interface Importance {
  readonly weight: Float64Array
  readonly gain: Float64Array
  readonly cover: Float64Array
}

/** How much the trees use each column. */
export function importanceOf(trees: BoostedTrees): Importance {
  const weight = new Float64Array(trees.columns)
  const gain = new Float64Array(trees.columns)
  const cover = new Float64Array(trees.columns)
  trees.left.forEach((left, node) => {
    if (left < 0) return
    const column = trees.column[node]
    weight[column]++
    gain[column] += trees.gain[node]
    cover[column] += trees.cover[node]
  })
  for (let column = 0; column < trees.columns; column++) {
    gain[column] /= Math.max(1, weight[column])
    cover[column] /= Math.max(1, weight[column])
  }
  return { weight, gain, cover }
}
