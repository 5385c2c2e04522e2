import type { Histograms } from '../../kernels/histogram.ts'
import { BLOCK } from '../../kernels/histogram.ts'

/** As in XGBoost: lambda and alpha shrink leaves, gamma is what a cut must gain, minChildWeight the hessian that a child must have. */
export interface TreeOptions {
  readonly maxDepth: number
  readonly eta: number
  readonly lambda: number
  readonly alpha: number
  readonly gamma: number
  readonly minChildWeight: number
}

/** The nodes of one tree, from 0 on; as in `BoostedTrees`. */
export interface Nodes {
  readonly left: number[]
  readonly right: number[]
  readonly column: number[]
  /** Last bin on the left; -1 in a leaf. */
  readonly bin: number[]
  readonly missingLeft: number[]
  readonly value: number[]
  readonly gain: number[]
  readonly cover: number[]
}

/** A gain below this is rounding; as in XGBoost. */
const LEAST_GAIN = 1e-6
/** What a cut says of the side of the missing where none were. */
const NONE_MISSING = 2

/**
 * Grows a tree over rows[0 … size) of the histograms, depth by depth of each branch (Chen & Guestrin 2016, algorithm 3 over binned columns): the
 * histogram of the smaller child is counted, that of the larger is what remains. `columns` are those that may be cut, with how many bins each has.
 * `onLeaf` hears of each leaf and which part of the rows ended in it.
 */
export function growTree(
  histograms: Histograms,
  size: number,
  columns: ArrayLike<number>,
  bins: ArrayLike<number>,
  options: TreeOptions,
  onLeaf: (value: number, from: number, to: number) => void,
): Nodes {
  const { maxDepth, eta, lambda, alpha, gamma, minChildWeight } = options
  const { best, sum } = histograms
  const blocks = [...new Set(Array.from(columns, column => Math.floor(column / BLOCK)))]
  const cutOptions = { lambda, alpha, minChildWeight }
  const nodes: Nodes = { left: [], right: [], column: [], bin: [], missingLeft: [], value: [], gain: [], cover: [] }

  const shrink = (gradient: number) => Math.sign(gradient) * Math.max(Math.abs(gradient) - alpha, 0)
  const gainOf = (gradient: number, hessian: number) => (hessian > 0 ? shrink(gradient) ** 2 / (hessian + lambda) : 0)
  const valueOf = (gradient: number, hessian: number) =>
    hessian > 0 ? Math.fround((-eta * shrink(gradient)) / (hessian + lambda)) : 0

  histograms.total(0, size)
  if (maxDepth > 0) histograms.accumulate(0, 0, size, blocks)
  grow(0, 0, size, 0, sum[0], sum[1])
  return nodes

  /** Slot `slot` holds the histogram of the rows, unless the depth is the greatest; it and those above it are free afterwards. */
  function grow(slot: number, from: number, to: number, depth: number, gradient: number, hessian: number): number {
    const node = nodes.left.length
    nodes.left.push(-1)
    nodes.right.push(-1)
    nodes.column.push(0)
    nodes.bin.push(-1)
    nodes.missingLeft.push(0)
    nodes.value.push(valueOf(gradient, hessian))
    nodes.gain.push(0)
    nodes.cover.push(hessian)
    if (depth === maxDepth || !cut(slot, gradient, hessian)) return leaf(node, from, to)
    const [children, column, bin, side, leftGradient, leftHessian] = best
    const middle = from + histograms.divide(from, to, column, bin, side === 1)
    // Rounding of what remains of a histogram can make a cut that parts nothing.
    if (middle === from || middle === to) return leaf(node, from, to)
    const rightGradient = gradient - leftGradient
    const rightHessian = hessian - leftHessian
    nodes.column[node] = column
    nodes.bin[node] = bin
    nodes.missingLeft[node] = side === NONE_MISSING ? Number(leftHessian > rightHessian) : side
    nodes.gain[node] = children - gainOf(gradient, hessian)
    const smallerLeft = middle - from <= to - middle
    if (depth + 1 < maxDepth) {
      if (smallerLeft) histograms.accumulate(slot + 1, from, middle, blocks)
      else histograms.accumulate(slot + 1, middle, to, blocks)
      histograms.subtract(slot, slot + 1)
    }
    // The smaller one first: the larger one's histogram waits below it.
    const growLeft = (at: number) => grow(at, from, middle, depth + 1, leftGradient, leftHessian)
    const growRight = (at: number) => grow(at, middle, to, depth + 1, rightGradient, rightHessian)
    if (smallerLeft) {
      nodes.left[node] = growLeft(slot + 1)
      nodes.right[node] = growRight(slot)
    } else {
      nodes.right[node] = growRight(slot + 1)
      nodes.left[node] = growLeft(slot)
    }
    return node
  }

  function leaf(node: number, from: number, to: number): number {
    onLeaf(nodes.value[node], from, to)
    return node
  }

  /** Leaves the best cut in `best`; false when none gains enough. */
  function cut(slot: number, gradient: number, hessian: number): boolean {
    const least = gainOf(gradient, hessian) + Math.max(gamma, LEAST_GAIN)
    best[0] = least
    best[1] = -1
    if (hessian < 2 * minChildWeight) return false
    for (let i = 0; i < columns.length; i++) histograms.cut(slot, columns[i], bins[columns[i]], gradient, hessian, cutOptions)
    return best[1] >= 0
  }
}
