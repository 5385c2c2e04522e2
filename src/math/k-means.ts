/** Points and centres stand row after row in one array each. */
export interface Clusters {
  readonly centres: Float64Array
  readonly count: number
}

/**
 * Lloyd's k-means (Lloyd 1982) from k-means++ starts (Arthur & Vassilvitskii 2007), at most `rounds` rounds. `random` gives uniform numbers in [0, 1).
 * Fewer centres than `k` when the points are fewer or the same.
 */
export function kMeans(points: Float64Array, size: number, k: number, random: () => number, rounds = 25): Clusters {
  const n = points.length / size
  if (!(n >= 1)) throw new RangeError(`points must hold at least one of size ${size}, got ${points.length} numbers`)
  const centres = new Float64Array(Math.min(k, n) * size)
  const away = new Float64Array(n).fill(Infinity)
  let count = 0
  let next = Math.floor(random() * n)
  for (; count < Math.min(k, n); count++) {
    centres.set(points.subarray(next * size, (next + 1) * size), count * size)
    let sum = 0
    for (let i = 0; i < n; i++) sum += away[i] = Math.min(away[i], squaredDistance(points, i * size, centres, count * size, size))
    if (!(sum > 0)) {
      count++
      break
    }
    let left = random() * sum
    for (next = 0; next < n - 1 && left >= away[next]; next++) left -= away[next]
  }
  const own = new Int32Array(n).fill(-1)
  for (let round = 0; round < rounds; round++) if (!assign(points, size, centres, count, own)) break
  return { centres: centres.subarray(0, count * size), count }
}

/** One round: each point to its nearest centre, each centre to the mean of its points. False when no point changed. */
function assign(points: Float64Array, size: number, centres: Float64Array, count: number, own: Int32Array): boolean {
  let changed = false
  const members = new Int32Array(count)
  for (let i = 0; i < own.length; i++) {
    const best = nearestCentre(points, i * size, centres, count, size)
    if (best !== own[i]) changed = true
    own[i] = best
    members[best]++
  }
  if (!changed) return false
  for (let c = 0; c < count; c++) if (members[c] > 0) centres.fill(0, c * size, (c + 1) * size)
  for (let i = 0; i < own.length; i++) {
    const to = own[i] * size
    for (let d = 0; d < size; d++) centres[to + d] += points[i * size + d]
  }
  for (let c = 0; c < count; c++) if (members[c] > 0) for (let d = c * size; d < (c + 1) * size; d++) centres[d] /= members[c]
  return true
}

/** Place of the centre nearest to the point at `from`; the first of equals. */
export function nearestCentre(points: Float64Array, from: number, centres: Float64Array, count: number, size: number): number {
  let best = 0
  let least = Infinity
  for (let c = 0; c < count; c++) {
    const distance = squaredDistance(points, from, centres, c * size, size)
    if (distance < least) {
      least = distance
      best = c
    }
  }
  return best
}

export function squaredDistance(a: Float64Array, from: number, b: Float64Array, at: number, size: number): number {
  let sum = 0
  for (let d = 0; d < size; d++) {
    const difference = a[from + d] - b[at + d]
    sum += difference * difference
  }
  return sum
}
