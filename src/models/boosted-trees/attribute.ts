import type { BoostedTrees } from './boosted-trees.ts'

/** What each column adds to what the trees say of one row; `expected` and the contributions together are the margin. */
export interface Attribution {
  /** Mean margin over the training rows. */
  readonly expected: number
  readonly contributions: Float64Array
}

/**
 * Shapley values of the columns for one row: exact TreeSHAP with the covers of the training rows (Lundberg, Erion & Lee 2018, "Consistent Individualized
 * Feature Attribution for Tree Ensembles", algorithm 2), as in XGBoost's `pred_contribs`. For logistic trees they are log odds.
 * Takes leaves × depth² steps a tree.
 */
export function attribute(trees: BoostedTrees, values: ArrayLike<number>, start = 0): Attribution {
  const contributions = new Float64Array(trees.columns)
  const walk = openWalk(trees, contributions)
  let expected = trees.base
  for (const root of trees.roots) {
    expected += meanBelow(trees, root)
    walk(root, values, start)
  }
  return { expected, contributions }
}

/** Mean of the leaves below a node, by cover. */
function meanBelow(trees: BoostedTrees, node: number): number {
  const { left, right, cover, value } = trees
  if (left[node] < 0) return value[node]
  const [one, other] = [left[node], right[node]]
  const total = cover[one] + cover[other]
  if (!(total > 0)) return 0
  return (cover[one] * meanBelow(trees, one) + cover[other] * meanBelow(trees, other)) / total
}

/** The columns on the way to a node; place 0 is nobody's. */
interface Path {
  readonly column: Int32Array
  /** Share of the rows that go on when the column is unknown, and whether this row goes on when it is known (1 or 0). */
  readonly zero: Float64Array
  readonly one: Float64Array
  /** Share of the subsets of each size that go on. */
  readonly weight: Float64Array
}

function openWalk(trees: BoostedTrees, contributions: Float64Array) {
  const { left, right, column, threshold, missingLeft, value, cover } = trees
  const paths: Path[] = []
  const pathAt = (level: number) => {
    paths[level] ??= {
      column: new Int32Array(level + 2),
      zero: new Float64Array(level + 2),
      one: new Float64Array(level + 2),
      weight: new Float64Array(level + 2),
    }
    return paths[level]
  }
  let row: ArrayLike<number>
  let offset: number

  /** `level` counts the nodes from the root, `depth` the different columns among them. */
  function visit(node: number, level: number, depth: number, zero: number, one: number, by: number): void {
    const path = pathAt(level)
    if (level > 0) copyPath(paths[level - 1], path, depth)
    extend(path, depth, zero, one, by)
    if (left[node] < 0) {
      for (let i = 1; i <= depth; i++)
        contributions[path.column[i]] += sumUnwound(path, depth, i) * (path.one[i] - path.zero[i]) * value[node]
      return
    }
    const x = Math.fround(row[offset + column[node]])
    const goesLeft = x - x === 0 ? x < threshold[node] : missingLeft[node] === 1
    const [hot, cold] = goesLeft ? [left[node], right[node]] : [right[node], left[node]]
    let inZero = 1
    let inOne = 1
    let size = depth
    for (let i = 1; i <= depth; i++) {
      if (path.column[i] !== column[node]) continue
      inZero = path.zero[i]
      inOne = path.one[i]
      unwind(path, depth, i)
      size--
      break
    }
    const total = cover[hot] + cover[cold]
    const share = total > 0 ? cover[hot] / total : 0.5
    visit(hot, level + 1, size + 1, share * inZero, inOne, column[node])
    visit(cold, level + 1, size + 1, (1 - share) * inZero, 0, column[node])
  }

  return (root: number, values: ArrayLike<number>, start: number) => {
    row = values
    offset = start
    visit(root, 0, 0, 1, 1, -1)
  }
}

function copyPath(from: Path, to: Path, count: number): void {
  for (let i = 0; i < count; i++) {
    to.column[i] = from.column[i]
    to.zero[i] = from.zero[i]
    to.one[i] = from.one[i]
    to.weight[i] = from.weight[i]
  }
}

function extend({ column, zero, one, weight }: Path, depth: number, inZero: number, inOne: number, by: number): void {
  column[depth] = by
  zero[depth] = inZero
  one[depth] = inOne
  weight[depth] = depth === 0 ? 1 : 0
  for (let i = depth - 1; i >= 0; i--) {
    weight[i + 1] += (inOne * weight[i] * (i + 1)) / (depth + 1)
    weight[i] = (inZero * weight[i] * (depth - i)) / (depth + 1)
  }
}

/** Takes the column at place `at` out again. */
function unwind({ column, zero, one, weight }: Path, depth: number, at: number): void {
  let next = weight[depth]
  for (let i = depth - 1; i >= 0; i--) {
    if (one[at] !== 0) {
      const kept = weight[i]
      weight[i] = (next * (depth + 1)) / ((i + 1) * one[at])
      next = kept - (weight[i] * zero[at] * (depth - i)) / (depth + 1)
    } else weight[i] = zero[at] === 0 ? 0 : (weight[i] * (depth + 1)) / (zero[at] * (depth - i))
  }
  for (let i = at; i < depth; i++) {
    column[i] = column[i + 1]
    zero[i] = zero[i + 1]
    one[i] = one[i + 1]
  }
}

/** Sum of the weights without the column at place `at`. */
function sumUnwound({ zero, one, weight }: Path, depth: number, at: number): number {
  let next = weight[depth]
  let total = 0
  for (let i = depth - 1; i >= 0; i--) {
    if (one[at] !== 0) {
      const part = (next * (depth + 1)) / ((i + 1) * one[at])
      total += part
      next = weight[i] - (part * zero[at] * (depth - i)) / (depth + 1)
    } else if (zero[at] !== 0) total += (weight[i] * (depth + 1)) / (zero[at] * (depth - i))
  }
  return total
}
