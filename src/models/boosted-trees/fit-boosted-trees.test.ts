import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { attribute } from './attribute.ts'
import type { BoostedTrees } from './boosted-trees.ts'
import { marginOf, predictRow, predictRows } from './boosted-trees.ts'
import type { BoostingOptions, BoostingProgress } from './fit-boosted-trees.ts'
import { finish, fitBoostedTrees } from './fit-boosted-trees.ts'
import { importanceOf } from './importance.ts'
import type { Examples } from './table.ts'

/** Friedman's first function (1991) with noise of 1; a share of the values is missing. */
function friedman(rows: number, seed: number, missing = 0): Examples {
  const random = seededRandom(seed)
  const columns = 8
  const values = Float64Array.from({ length: rows * columns }, () => random.next())
  const noise = () => random.next() + random.next() + random.next() + random.next() - 2
  const labels = Float64Array.from({ length: rows }, (_, i) => {
    const [a, b, c, d, e] = values.subarray(i * columns)
    return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + 1.7 * noise()
  })
  for (let i = 0; i < values.length; i++) if (random.next() < missing) values[i] = NaN
  return { values, columns, labels }
}

const withOutcome = (examples: Examples): Examples => ({
  ...examples,
  labels: Float64Array.from(examples.labels, label => (label > 14 ? 1 : 0)),
})

function errorOf(trees: BoostedTrees, examples: Examples): number {
  const predictions = predictRows(trees, examples)
  return Math.sqrt(predictions.reduce((sum, value, i) => sum + (value - examples.labels[i]) ** 2, 0) / predictions.length)
}

interface Twin {
  column: number
  threshold: number
  missingLeft: boolean
  left?: Twin
  right?: Twin
  value: number
}

/** Exact greedy boosting (Chen & Guestrin 2016, algorithm 1): every middle between two values of every column, every row summed anew. */
function exactBoosting({ values, columns, labels }: Examples, options: BoostingOptions): (row: number) => number {
  const { rounds, maxDepth, eta, lambda, alpha, gamma, minChildWeight } = options
  const shrink = (g: number) => Math.sign(g) * Math.max(Math.abs(g) - alpha, 0)
  const score = (rows: readonly number[]) => shrink(gradient(rows)) ** 2 / (rows.length + lambda)
  const margins = Array.from(labels, () => Array.from(labels).reduce((a, b) => a + b, 0) / labels.length)
  const gradient = (rows: readonly number[]) => rows.reduce((sum, row) => sum + margins[row] - labels[row], 0)
  const at = (row: number, column: number) => values[row * columns + column]
  const goesLeft = (row: number, { column, threshold, missingLeft }: Twin) =>
    Number.isNaN(at(row, column)) ? missingLeft : at(row, column) < threshold

  function grow(rows: readonly number[], depth: number): Twin {
    const node: Twin = {
      column: -1,
      threshold: 0,
      missingLeft: false,
      value: (-eta * shrink(gradient(rows))) / (rows.length + lambda),
    }
    if (depth === maxDepth) return node
    let best = score(rows) + Math.max(gamma, 1e-6)
    for (let column = 0; column < columns; column++) {
      const known = [...new Set(rows.map(row => at(row, column)).filter(Number.isFinite))].sort((a, b) => a - b)
      // Cuts lie between all values of the whole table, so that the missing may be cut off, too.
      for (const threshold of [...known.slice(1).map((value, i) => (value + known[i]) / 2), Infinity])
        for (const missingLeft of [false, true]) {
          const cut: Twin = { ...node, column, threshold, missingLeft }
          const left = rows.filter(row => goesLeft(row, cut))
          const right = rows.filter(row => !goesLeft(row, cut))
          if (left.length < minChildWeight || right.length < minChildWeight) continue
          const gain = score(left) + score(right)
          if (gain <= best + 1e-9) continue
          best = gain
          Object.assign(node, { column, threshold, missingLeft })
        }
    }
    if (node.column < 0) return node
    node.left = grow(
      rows.filter(row => goesLeft(row, node)),
      depth + 1,
    )
    node.right = grow(
      rows.filter(row => !goesLeft(row, node)),
      depth + 1,
    )
    return node
  }

  for (let round = 0; round < rounds; round++) {
    const root = grow(
      margins.map((_, row) => row),
      0,
    )
    margins.forEach((_, row) => {
      let node = root
      while (node.left && node.right) node = goesLeft(row, node) ? node.left : node.right
      margins[row] += node.value
    })
  }
  return row => margins[row]
}

const fit = (examples: Examples, options: Partial<BoostingOptions> = {}, validation?: Examples) =>
  finish(fitBoostedTrees(examples, options, validation))

describe('fitBoostedTrees', () => {
  it.each([
    { lambda: 1, alpha: 0, gamma: 0, minChildWeight: 1 },
    { lambda: 0, alpha: 2, gamma: 4, minChildWeight: 5 },
  ])('is exact greedy boosting on few rows: %j', given => {
    for (const missing of [0, 0.2]) {
      const examples = friedman(60, 3, missing)
      const options = { rounds: 4, maxDepth: 3, eta: 0.5, ...given } as BoostingOptions
      const trees = fit(examples, options)
      const twin = exactBoosting(examples, options)
      predictRows(trees, examples).forEach((value, row) => expect(value).toBeCloseTo(twin(row), 3))
    }
  })

  it('learns a function from noisy rows', () => {
    const trees = fit(friedman(3000, 1), { eta: 0.1, maxDepth: 4 })
    const error = errorOf(trees, friedman(1000, 2))
    // The noise alone is 0.98, and the function's own spread 4.9.
    expect(error).toBeLessThan(1.4)
  })

  it('learns from rows with gaps, and which side they belong to', () => {
    const random = seededRandom(5)
    const values = Float64Array.from({ length: 400 }, () => (random.next() < 0.4 ? NaN : random.next()))
    const labels = values.map(value => (Number.isNaN(value) ? 5 : value < 0.5 ? 5 : 1))
    const trees = fit({ values, columns: 1, labels }, { rounds: 30, maxDepth: 1, lambda: 0 })
    expect(predictRow(trees, [NaN])).toBeCloseTo(5, 2)
    expect(predictRow(trees, [0.2])).toBeCloseTo(5, 2)
    expect(predictRow(trees, [0.9])).toBeCloseTo(1, 2)
    expect(predictRow(trees, [Infinity])).toBe(predictRow(trees, [NaN]))
  })

  it('estimates probabilities', () => {
    const trees = fit(withOutcome(friedman(3000, 1)), { objective: 'logistic', rounds: 60, eta: 0.1, maxDepth: 4 })
    const test = withOutcome(friedman(2000, 2))
    const predictions = predictRows(trees, test)
    for (const [from, to] of [
      [0, 0.2],
      [0.2, 0.8],
      [0.8, 1],
    ]) {
      const chosen = [...predictions.keys()].filter(i => predictions[i] >= from && predictions[i] < to)
      const said = chosen.reduce((sum, i) => sum + predictions[i], 0) / chosen.length
      const seen = chosen.reduce((sum, i) => sum + test.labels[i], 0) / chosen.length
      expect(Math.abs(said - seen)).toBeLessThan(0.08)
    }
    const right = predictions.filter((value, i) => value > 0.5 === test.labels[i] > 0.5).length
    expect(right / predictions.length).toBeGreaterThan(0.88)
  })

  it('stops when the validation rows no longer gain, and keeps the best', () => {
    const progress: BoostingProgress[] = []
    const validation = friedman(300, 2)
    const fitting = fitBoostedTrees(friedman(300, 1), { rounds: 500, patience: 10 }, validation)
    let step = fitting.next()
    for (; !step.done; step = fitting.next()) progress.push(step.value)
    const best = Math.min(...progress.map(({ loss }) => loss))
    expect(progress.length).toBeLessThan(200)
    expect(step.value.roots.length).toBe(progress.findIndex(({ loss }) => loss === best) + 1)
    expect(progress.length - step.value.roots.length).toBe(10)
    expect(errorOf(step.value, validation)).toBeCloseTo(best, 4)
  })

  it('may be stopped and does not disturb others', () => {
    const alone = fit(friedman(200, 1), { rounds: 10 })
    const one = fitBoostedTrees(friedman(200, 1), { rounds: 10 })
    const other = fitBoostedTrees(friedman(500, 9), { rounds: 10 })
    for (let i = 0; i < 5; i++) {
      one.next()
      other.next()
    }
    other.return(undefined as never)
    expect(finish(one)).toEqual(alone)
  })

  it('draws rows and columns by its seed', () => {
    const examples = friedman(500, 1)
    const options = { rounds: 20, subsample: 0.5, colsample: 0.5 }
    const once = fit(examples, options)
    expect(fit(examples, options)).toEqual(once)
    expect(fit(examples, { ...options, seed: 2 })).not.toEqual(once)
    expect(errorOf(once, friedman(500, 2))).toBeLessThan(3)
    for (let t = 0; t < 20; t++) {
      const nodes = [...once.left.keys()].slice(once.roots[t], once.roots[t + 1])
      const used = new Set(nodes.filter(node => once.left[node] >= 0).map(node => once.column[node]))
      expect(used.size).toBeLessThanOrEqual(4)
      expect(once.cover[once.roots[t]]).toBeLessThan(300)
    }
  })

  it('counts a row by its weight', () => {
    const examples = friedman(200, 1)
    const twice = {
      ...examples,
      values: Float64Array.of(...examples.values, ...examples.values.slice(0, 100 * 8)),
      labels: [...Array.from(examples.labels), ...Array.from(examples.labels).slice(0, 100)],
    }
    const weights = Array.from(examples.labels, (_, i) => (i < 100 ? 2 : 1))
    const weighted = fit({ ...examples, weights }, { rounds: 5 })
    const found = predictRows(weighted, examples)
    predictRows(fit(twice, { rounds: 5 }), examples).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 3))
  })

  it('is plain data', () => {
    const trees = fit(friedman(100, 1), { rounds: 3 })
    const stored = deserialize(serialize(trees)) as BoostedTrees
    expect(stored).toEqual(trees)
    expect(predictRows(stored, friedman(50, 2))).toEqual(predictRows(trees, friedman(50, 2)))
  })

  it('lives with columns that say nothing and values of any size', () => {
    const rows = 100
    const columns = 5
    const values = new Float64Array(rows * columns)
    const labels = new Float64Array(rows)
    for (let i = 0; i < rows; i++) {
      values.set([7, NaN, i % 3 === 0 ? 1e308 : -1e308, i % 2 === 0 ? Infinity : i, 1e7 + i], i * columns)
      labels[i] = i % 2
    }
    const trees = fit({ values, columns, labels }, { rounds: 20 })
    expect(errorOf(trees, { values, columns, labels })).toBeLessThan(0.1)
    expect([...trees.value, ...trees.threshold].every(Number.isFinite)).toBe(true)
    expect(fit({ values: Float64Array.of(1), columns: 1, labels: [3] }).base).toBe(3)
    expect(predictRow(fit({ values: Float64Array.of(NaN, NaN), columns: 1, labels: [3, 5] }), [1])).toBe(4)
  })

  it('refuses what it cannot learn from', () => {
    const { values, columns, labels } = friedman(10, 1)
    expect(() => fit({ values, columns: 7, labels })).toThrow('whole rows of 7 columns')
    expect(() => fit({ values, columns, labels: [1] })).toThrow('labels must be 10, one per row, got 1')
    expect(() => fit({ values, columns, labels: Array.from(labels, (label, i) => (i === 0 ? NaN : label)) })).toThrow(
      'labels must be finite, got NaN in row 0',
    )
    expect(() => fit({ values, columns, labels }, { objective: 'logistic' })).toThrow('labels must be between 0 and 1')
    expect(() => fit({ values, columns, labels, weights: Array(10).fill(0) })).toThrow('weights must not all be 0')
    expect(() => fit({ values, columns, labels }, { maxBin: 1 })).toThrow('maxBin must be')
    expect(() => predictRows(fit({ values, columns, labels }), { values, columns: 4 })).toThrow('rows must have 8 columns, got 4')
  })
})

/** Shapley's sum over all subsets of columns, where unknown columns are averaged over by cover. */
function shapley(trees: BoostedTrees, row: ArrayLike<number>): number[] {
  const { columns, left, right, column, threshold, missingLeft, cover, value, roots } = trees
  const expectation = (node: number, known: number): number => {
    if (left[node] < 0) return value[node]
    if ((known >> column[node]) & 1) {
      const x = Math.fround(row[column[node]])
      const goesLeft = Number.isNaN(x) ? missingLeft[node] === 1 : x < threshold[node]
      return expectation(goesLeft ? left[node] : right[node], known)
    }
    const [a, b] = [cover[left[node]], cover[right[node]]]
    return (a * expectation(left[node], known) + b * expectation(right[node], known)) / (a + b)
  }
  const worth = (known: number) => roots.reduce((sum, root) => sum + expectation(root, known), 0)
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
  return Array.from({ length: columns }, (_, c) => {
    let sum = 0
    for (let known = 0; known < 2 ** columns; known++) {
      if ((known >> c) & 1) continue
      const size = known.toString(2).replaceAll('0', '').length
      const share = (factorial(size) * factorial(columns - size - 1)) / factorial(columns)
      sum += share * (worth(known | (1 << c)) - worth(known))
    }
    return sum
  })
}

describe('attribute', () => {
  const examples = friedman(300, 1, 0.1)
  const trees = fit(examples, { rounds: 5, maxDepth: 5 })

  it('gives the Shapley values', () => {
    for (let i = 0; i < 5; i++) {
      const row = examples.values.subarray(i * 8, (i + 1) * 8)
      const { contributions } = attribute(trees, row)
      shapley(trees, row).forEach((wanted, c) => expect(contributions[c]).toBeCloseTo(wanted, 6))
    }
  })

  it('adds up to what the trees say', () => {
    for (let i = 0; i < 100; i++) {
      const { contributions, expected } = attribute(trees, examples.values, i * 8)
      expect(contributions.reduce((a, b) => a + b, expected)).toBeCloseTo(marginOf(trees, examples.values, i * 8), 4)
    }
  })
})

describe('importanceOf', () => {
  it('finds the columns that matter', () => {
    const { gain, weight } = importanceOf(fit(friedman(2000, 1), { rounds: 20, maxDepth: 3 }))
    const total = gain.map((mean, i) => mean * weight[i])
    const least = Math.min(...total.subarray(0, 5))
    for (const useless of total.subarray(5)) expect(useless).toBeLessThan(0.2 * least)
  })
})
