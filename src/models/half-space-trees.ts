import type { Random } from '../math/random.ts'

/** Trees of half spaces with the masses of a reference window. */
export interface HalfSpaceTrees {
  /** Mean over the trees of log2(1 + mass × 2^level) where the row ends: high is usual. Rows must be known in every column. */
  mass(row: ArrayLike<number>): number
  /**
   * Fills in how much the halvings of each column take from that, in the mean of the trees: by each, what the row counts in the node before it
   * less what it counts in the one behind it (contributions along the path: Palczewska et al. 2013, "Interpreting random forest models using a feature
   * contribution method", III). Below 0 where the row lies with the many. The sum is log2(1 + rows) less the mass.
   */
  explain(row: ArrayLike<number>, credits: Float64Array): void
}

/**
 * Builds half-space trees from ranges alone and counts the first `count` rows (one after the other in `rows`, all known) into them (Tan, Ting & Liu
 * 2011, "Fast Anomaly Detection for Streaming Data", algorithms 1 to 3): each node halves the work range of a random column, and a row is scored by
 * the mass of the first node on its path that holds no more than a tenth of the window, or is a leaf. Departures: the work range is
 * that of `low` … `high` instead of 0 … 1, and the mean of logarithms stands for the sum of masses, so that no single tree decides.
 */
export function buildHalfSpaceTrees(
  rows: Float64Array,
  count: number,
  ranges: { low: Float64Array; high: Float64Array },
  options: { trees: number; depth: number },
  random: Random,
): HalfSpaceTrees {
  const { trees, depth } = options
  const columns = ranges.low.length
  const size = 2 ** (depth + 1) - 1
  const inner = 2 ** depth - 1
  const cutAt = new Uint16Array(trees * size)
  const cutValues = new Float64Array(trees * size)
  const masses = new Uint16Array(trees * size)
  const sizeLimit = 0.1 * count
  const low = new Float64Array(columns)
  const high = new Float64Array(columns)

  for (let t = 0; t < trees; t++) {
    for (let c = 0; c < columns; c++) {
      // The work range of section 3.1: around a random point of the range, as wide as twice the longer side.
      const span = ranges.high[c] - ranges.low[c]
      const at = random.next()
      const reach = 2 * Math.max(at, 1 - at)
      low[c] = ranges.low[c] + span * (at - reach)
      high[c] = ranges.low[c] + span * (at + reach)
    }
    halve(t * size, 0)
    for (let i = 0; i < count; i++) pour(t * size, i * columns)
  }

  function halve(base: number, node: number): void {
    if (node >= inner) return
    const column = Math.floor(random.next() * columns)
    const [from, to] = [low[column], high[column]]
    const middle = from / 2 + to / 2
    cutAt[base + node] = column
    cutValues[base + node] = middle
    high[column] = middle
    halve(base, 2 * node + 1)
    high[column] = to
    low[column] = middle
    halve(base, 2 * node + 2)
    low[column] = from
  }

  function pour(base: number, row: number): void {
    let node = 0
    while (node < inner) {
      masses[base + node]++
      node = 2 * node + (rows[row + cutAt[base + node]] < cutValues[base + node] ? 1 : 2)
    }
    masses[base + node]++
  }

  return {
    explain(row, credits) {
      credits.fill(0)
      for (let t = 0; t < trees; t++) {
        const base = t * size
        let node = 0
        let weight = 1
        let before = Math.log2(1 + masses[base])
        while (node < inner && masses[base + node] > sizeLimit) {
          const column = cutAt[base + node]
          node = 2 * node + (row[column] < cutValues[base + node] ? 1 : 2)
          weight *= 2
          const behind = Math.log2(1 + masses[base + node] * weight)
          credits[column] += (before - behind) / trees
          before = behind
        }
      }
    },
    mass(row) {
      let sum = 0
      for (let t = 0; t < trees; t++) {
        const base = t * size
        let node = 0
        let weight = 1
        while (node < inner && masses[base + node] > sizeLimit) {
          node = 2 * node + (row[cutAt[base + node]] < cutValues[base + node] ? 1 : 2)
          weight *= 2
        }
        sum += Math.log2(1 + masses[base + node] * weight)
      }
      return sum / trees
    },
  }
}
