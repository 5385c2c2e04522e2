import type { Merge } from './average-linkage.ts'

/** The leaves as a dendrogram shows them, so that no lines cross; of two branches the larger comes first. */
export function leafOrder(merges: readonly Merge[], count: number): number[] {
  const size = (id: number) => (id < count ? 1 : merges[id - count].size)
  const order: number[] = []
  const open = merges.length > 0 ? [count + merges.length - 1] : Array.from({ length: count }, (_, i) => count - 1 - i)
  while (open.length > 0) {
    const id = open.pop()!
    if (id < count) order.push(id)
    else {
      const { left, right } = merges[id - count]
      open.push(...(size(left) >= size(right) ? [right, left] : [left, right]))
    }
  }
  return order
}
