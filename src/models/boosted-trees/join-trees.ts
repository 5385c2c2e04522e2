import type { BoostedTrees } from './boosted-trees.ts'
import type { Nodes } from './grow-tree.ts'

type Head = Pick<BoostedTrees, 'objective' | 'columns' | 'base'>

/** One tree, with the cuts of each column where its nodes have bins. */
export function fromNodes(nodes: Nodes, cuts: readonly Float32Array[], head: Head): BoostedTrees {
  return {
    version: 1,
    ...head,
    roots: Int32Array.of(0),
    left: Int32Array.from(nodes.left),
    right: Int32Array.from(nodes.right),
    column: Int32Array.from(nodes.column),
    threshold: Float32Array.from(nodes.bin, (bin, i) => (bin < 0 ? 0 : cuts[nodes.column[i]][bin])),
    missingLeft: Uint8Array.from(nodes.missingLeft),
    value: Float32Array.from(nodes.value),
    gain: Float32Array.from(nodes.gain),
    cover: Float32Array.from(nodes.cover),
  }
}

/** The trees of several, one after another. */
export function joinTrees(head: Head, parts: readonly BoostedTrees[]): BoostedTrees {
  const offsets: number[] = []
  let size = 0
  for (const { left } of parts) {
    offsets.push(size)
    size += left.length
  }
  const shift = (name: 'left' | 'right') =>
    Int32Array.from(parts.flatMap((part, p) => Array.from(part[name], node => (node < 0 ? -1 : node + offsets[p]))))
  const floats = (name: 'threshold' | 'value' | 'gain' | 'cover') =>
    Float32Array.from(parts.flatMap(part => Array.from(part[name])))
  return {
    version: 1,
    ...head,
    roots: Int32Array.from(parts.flatMap(({ roots }, p) => Array.from(roots, root => root + offsets[p]))),
    left: shift('left'),
    right: shift('right'),
    column: Int32Array.from(parts.flatMap(({ column }) => Array.from(column))),
    threshold: floats('threshold'),
    missingLeft: Uint8Array.from(parts.flatMap(({ missingLeft }) => Array.from(missingLeft))),
    value: floats('value'),
    gain: floats('gain'),
    cover: floats('cover'),
  }
}

/** The same trees and leaves of 0, up to `count` trees in `size` nodes, so that what a store keeps of every fit is of one length. */
export function padTrees(trees: BoostedTrees, count: number, size: number): BoostedTrees {
  const { roots, left } = trees
  if (roots.length > count || left.length >= size)
    throw new RangeError(`trees must fit into ${count} and ${size} nodes, got ${roots.length} and ${left.length}`)
  const ints = (values: Int32Array, rest: number) => {
    const padded = new Int32Array(size).fill(rest)
    padded.set(values)
    return padded
  }
  const floats = (values: Float32Array) => {
    const padded = new Float32Array(size)
    padded.set(values)
    return padded
  }
  const missingLeft = new Uint8Array(size)
  missingLeft.set(trees.missingLeft)
  return {
    ...trees,
    roots: Int32Array.from({ length: count }, (_, t) => roots[t] ?? left.length),
    left: ints(left, -1),
    right: ints(trees.right, -1),
    column: ints(trees.column, 0),
    threshold: floats(trees.threshold),
    missingLeft,
    value: floats(trees.value),
    gain: floats(trees.gain),
    cover: floats(trees.cover),
  }
}
