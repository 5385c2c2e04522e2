/** Two clusters become one. Leaves are 0 … n-1, the cluster of merge `m` is `n + m`. */
export interface Merge {
  readonly left: number
  readonly right: number
  /** Mean distance of their leaves. */
  readonly height: number
  /** Leaves of both. */
  readonly size: number
}

/**
 * Hierarchical clustering by average linkage (UPGMA, Sokal & Michener 1958) of `count` leaves, in O(n²) by chains of nearest neighbours
 * (Müllner 2011, section 3.1). `distances` is symmetric, row by row, and is not written to; a NaN counts as `Infinity`. Merges ascend in height.
 */
export function averageLinkage(distances: ArrayLike<number>, count: number): Merge[] {
  const d = Float64Array.from(distances, value => (Number.isNaN(value) ? Infinity : value))
  const alive = Array.from({ length: count }, (_, i) => i)
  const sizes = new Float64Array(count).fill(1)
  const merges: { a: number; b: number; height: number }[] = []
  const chain: number[] = []
  while (alive.length > 1) {
    if (chain.length === 0) chain.push(alive[0])
    for (;;) {
      const tip = chain[chain.length - 1]
      const before = chain[chain.length - 2]
      // Of equal distances the one before wins: the chain must end.
      let nearest = before ?? -1
      let least = before === undefined ? Infinity : d[tip * count + before]
      for (const other of alive)
        if (other !== tip && (nearest < 0 || d[tip * count + other] < least)) {
          nearest = other
          least = d[tip * count + other]
        }
      if (nearest === before) break
      chain.push(nearest)
    }
    const a = chain.pop()!
    const b = chain.pop()!
    merges.push({ a, b, height: d[a * count + b] })
    const [kept, gone] = a < b ? [a, b] : [b, a]
    for (const other of alive) {
      if (other === a || other === b) continue
      const mean = (sizes[a] * d[a * count + other] + sizes[b] * d[b * count + other]) / (sizes[a] + sizes[b])
      d[kept * count + other] = mean
      d[other * count + kept] = mean
    }
    sizes[kept] = sizes[a] + sizes[b]
    alive.splice(alive.indexOf(gone), 1)
  }
  return inOrder(merges, count)
}

/** Chains find merges out of order; in order of height each takes the clusters that its leaves belong to by then. */
function inOrder(found: readonly { a: number; b: number; height: number }[], count: number): Merge[] {
  const parent = Array.from({ length: count }, (_, i) => i)
  const cluster = Array.from({ length: count }, (_, i) => i)
  const sizes = Array.from({ length: count }, () => 1)
  const root = (i: number): number => {
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]]
      i = parent[i]
    }
    return i
  }
  return found
    .map((merge, at) => ({ ...merge, at }))
    .sort((x, y) => (x.height === y.height ? x.at - y.at : x.height - y.height))
    .map(({ a, b, height }, m) => {
      const [x, y] = [root(a), root(b)]
      const [left, right] = [cluster[x], cluster[y]].sort((p, q) => p - q)
      const size = sizes[x] + sizes[y]
      parent[y] = x
      cluster[x] = count + m
      sizes[x] = size
      return { left, right, height, size }
    })
}
