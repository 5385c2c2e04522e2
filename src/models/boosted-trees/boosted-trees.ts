import type { Table } from './table.ts'
import { rowCount } from './table.ts'

export type Objective = 'squared-error' | 'logistic'

/**
 * A sum of regression trees; plain data. Nodes of all trees stand in one row of arrays, each tree from its root on; children are places in
 * these arrays. `left` is -1 in a leaf. A row goes left when its value, in 32 bits, is below the threshold, and to the side that was learned when
 * its value is not finite.
 */
export interface BoostedTrees {
  readonly version: 1
  readonly objective: Objective
  /** Columns of a row. */
  readonly columns: number
  /** What is said before the first tree: a value, or the log odds. */
  readonly base: number
  readonly roots: Int32Array
  readonly left: Int32Array
  readonly right: Int32Array
  readonly column: Int32Array
  readonly threshold: Float32Array
  readonly missingLeft: Uint8Array
  /** What a leaf adds; of an inner node, what it would add if it were a leaf. */
  readonly value: Float32Array
  /** By how much the objective fell with the cut; 0 in leaves. */
  readonly gain: Float32Array
  /** Sum of the hessians of the training rows in a node. */
  readonly cover: Float32Array
}

/** Where a row ends in the tree with this root. */
export function leafOf(trees: BoostedTrees, root: number, values: ArrayLike<number>, start = 0): number {
  const { left, right, column, threshold, missingLeft } = trees
  let node = root
  let next = left[node]
  while (next >= 0) {
    const value = Math.fround(values[start + column[node]])
    if (!(value < threshold[node]) && (value - value === 0 || missingLeft[node] === 0)) next = right[node]
    node = next
    next = left[node]
  }
  return node
}

/** Sum of base and leaves of one row, which starts at `start`: the value, or the log odds. In 32 bits and tree by tree, as XGBoost sums. */
export function marginOf(trees: BoostedTrees, values: ArrayLike<number>, start = 0): number {
  const { roots, value } = trees
  let sum = Math.fround(trees.base)
  for (let t = 0; t < roots.length; t++) sum = Math.fround(sum + value[leafOf(trees, roots[t], values, start)])
  return sum
}

/** What the trees say of one row: the value, or the probability of a 1. */
export function predictRow(trees: BoostedTrees, values: ArrayLike<number>, start = 0): number {
  const margin = marginOf(trees, values, start)
  return trees.objective === 'logistic' ? sigmoid(margin) : margin
}

/** What the trees say of each row. */
export function predictRows(trees: BoostedTrees, table: Table): Float64Array {
  if (table.columns !== trees.columns) throw new RangeError(`rows must have ${trees.columns} columns, got ${table.columns}`)
  return Float64Array.from({ length: rowCount(table) }, (_, i) => predictRow(trees, table.values, i * table.columns))
}

export function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin))
}
