import { averageLinkage, type Merge } from '../../math/average-linkage.ts'
import { cutTree } from '../../math/cut-tree.ts'
import { leafOrder } from '../../math/leaf-order.ts'
import type { Correlations } from './correlate.ts'

/** Series of which one tells nearly all that the others tell. */
export interface Group {
  /** The member that is nearest to all others. */
  readonly representative: number
  readonly members: readonly Member[]
}

export interface Member {
  readonly at: number
  /** Correlation with the representative. */
  readonly r: number
  /** Rows by which it follows the representative; negative when it leads. */
  readonly lag: number
}

export interface Grouping {
  /** Dendrogram over 1 − |r|, average linkage. */
  readonly tree: readonly Merge[]
  /** Places in the order of the dendrogram. */
  readonly order: readonly number[]
  /** Groups of two or more, largest first. */
  readonly groups: readonly Group[]
}

/** Clusters series by |r|; groups are what average linkage joins at an |r| of at least `redundant`. Equally near, the shortest name represents. */
export function groupSeries({ matrix, lags }: Correlations, names: readonly string[], redundant: number): Grouping {
  const count = names.length
  const tree = averageLinkage(
    matrix.map(r => 1 - Math.abs(r)),
    count,
  )
  const groups = cutTree(tree, count, 1 - redundant + 1e-9)
    .filter(leaves => leaves.length > 1)
    .map((leaves): Group => {
      const nearness = (i: number) => Math.round(1e3 * leaves.reduce((sum, j) => sum + Math.abs(matrix[i * count + j]), 0)) / 1e3
      const representative = leaves.toSorted((a, b) => nearness(b) - nearness(a) || names[a].length - names[b].length || a - b)[0]
      const members = leaves
        .filter(at => at !== representative)
        .map(at => ({ at, r: matrix[representative * count + at], lag: lags[representative * count + at] }))
        .sort((a, b) => Math.abs(b.r) - Math.abs(a.r))
      return { representative, members }
    })
  return { tree, order: leafOrder(tree, count), groups }
}
