import type { Merge } from './average-linkage.ts'

/** The clusters that stay apart when only merges up to `height` are done, largest first, each with its leaves ascending. */
export function cutTree(merges: readonly Merge[], count: number, height: number): number[][] {
  const clusters = new Map<number, number[]>(Array.from({ length: count }, (_, i) => [i, [i]]))
  for (const [m, { left, right, height: at }] of merges.entries()) {
    if (at > height) break
    clusters.set(count + m, [...clusters.get(left)!, ...clusters.get(right)!])
    clusters.delete(left)
    clusters.delete(right)
  }
  return [...clusters.values()].map(leaves => leaves.toSorted((a, b) => a - b)).sort((a, b) => b.length - a.length || a[0] - b[0])
}
