import type { Random } from '../math/random.ts'

/** Trees that cut rows off from one another. */
export interface IsolationForest {
  /** 2^(−mean path length / usual path length): 0 … 1, about 0.5 for usual rows. Rows must be known in every column. */
  score(row: ArrayLike<number>): number
  /**
   * Fills in how much the cuts in each column shorten the path of the row, in the mean of the trees: by each, the usual path length of the rows before
   * it less that of the rows behind it and itself (contributions along the path: Palczewska et al. 2013, "Interpreting random forest models
   * using a feature contribution method", III). Below 0 where it lies with the many. The sum is the usual path length less that of the row.
   */
  explain(row: ArrayLike<number>, credits: Float64Array): void
}

const LEAF = -1

/**
 * Grows isolation trees on samples, without replacement, of the first `count` rows (one after the other in `rows`, all known) (Liu, Ting & Zhou
 * 2008, "Isolation Forest", algorithms 1 to 3 and equations 1 and 2). Departure: columns that are constant in a node are not chosen for a cut.
 */
export function growIsolationForest(
  rows: Float64Array,
  count: number,
  columns: number,
  options: { trees: number; sample: number },
  random: Random,
): IsolationForest {
  const { trees } = options
  const sample = Math.min(options.sample, count)
  const depth = Math.ceil(Math.log2(Math.max(2, sample)))
  // Of a tree, the children of node k are 2k + 1 and 2k + 2.
  const size = 2 ** (depth + 1) - 1
  const cutAt = new Int16Array(trees * size).fill(LEAF)
  /** Where an inner node cuts; of a leaf, the length of the path that ends in it. */
  const values = new Float64Array(trees * size)
  /** Rows of the sample in a node. */
  const masses = new Uint16Array(trees * size)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const chosen = new Uint16Array(columns)

  for (let t = 0; t < trees; t++) {
    for (let i = 0; i < sample; i++) {
      const j = i + Math.floor(random.next() * (count - i))
      const kept = order[i]
      order[i] = order[j]
      order[j] = kept
    }
    cut(t * size, 0, 0, sample, 0)
  }

  function cut(base: number, node: number, from: number, to: number, level: number): void {
    masses[base + node] = to - from
    const dim = level < depth && to - from > 1 ? chooseColumn(from, to) : LEAF
    if (dim === LEAF) {
      values[base + node] = level + usualPathLength(to - from)
      return
    }
    let low = Infinity
    let high = -Infinity
    for (let i = from; i < to; i++) {
      const x = rows[order[i] * columns + dim]
      if (x < low) low = x
      if (x > high) high = x
    }
    let value = low + random.next() * (high - low)
    if (!(value < high)) value = low
    cutAt[base + node] = dim
    values[base + node] = value
    let middle = from
    for (let i = from; i < to; i++) {
      if (rows[order[i] * columns + dim] > value) continue
      const kept = order[middle]
      order[middle++] = order[i]
      order[i] = kept
    }
    cut(base, 2 * node + 1, from, middle, level + 1)
    cut(base, 2 * node + 2, middle, to, level + 1)
  }

  /** A column that is not constant in these rows, each with the same chance; −1 when all are. */
  function chooseColumn(from: number, to: number): number {
    for (let c = 0; c < columns; c++) chosen[c] = c
    for (let left = columns; left > 0; left--) {
      const at = Math.floor(random.next() * left)
      const column = chosen[at]
      chosen[at] = chosen[left - 1]
      const first = rows[order[from] * columns + column]
      for (let i = from + 1; i < to; i++) if (rows[order[i] * columns + column] !== first) return column
    }
    return LEAF
  }

  const usual = Math.max(usualPathLength(sample), 1)
  const usualOf = Float64Array.from({ length: sample + 1 }, (_, count) => usualPathLength(count))
  return {
    explain(row, credits) {
      credits.fill(0)
      for (let t = 0; t < trees; t++) {
        const base = t * size
        let node = 0
        for (let column = cutAt[base]; column !== LEAF; column = cutAt[base + node]) {
          const before = usualOf[masses[base + node]]
          node = 2 * node + (row[column] <= values[base + node] ? 1 : 2)
          credits[column] += (before - 1 - usualOf[masses[base + node]]) / trees
        }
      }
    },
    score(row) {
      let sum = 0
      for (let t = 0; t < trees; t++) {
        const base = t * size
        let node = 0
        for (let column = cutAt[base]; column !== LEAF; column = cutAt[base + node])
          node = 2 * node + (row[column] <= values[base + node] ? 1 : 2)
        sum += values[base + node]
      }
      return 2 ** (-sum / trees / usual)
    },
  }
}

/** Mean path length of an unsuccessful search in a binary search tree of so many rows (equation 1). */
export function usualPathLength(rows: number): number {
  if (rows <= 1) return 0
  if (rows === 2) return 1
  return 2 * (Math.log(rows - 1) + 0.5772156649015329) - (2 * (rows - 1)) / rows
}
