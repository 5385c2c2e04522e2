import { describe, expect, it } from 'vitest'
import { seededRandom } from '../math/random.ts'
import type { CutForestState } from './random-cut-forest.ts'
import { growCutForest } from './random-cut-forest.ts'

const SHAPE = { trees: 3, sample: 32, dimensions: 2, memory: 100, seed: 5 }
const WEIGHTS = Float64Array.of(1, 0.5)

interface Node {
  low: number[]
  high: number[]
  mass: number
  dim?: number
  cut?: number
  left?: Node
  right?: Node
}

function grown(rows: number, make: (random: () => number) => number[], shape = SHAPE) {
  const forest = growCutForest(shape)
  const random = seededRandom(9)
  for (let i = 0; i < rows; i++) forest.learn(Float64Array.from(make(random.next)), WEIGHTS)
  return forest
}

/** The trees as objects, with boxes and masses found anew from the points. */
function toTrees(state: CutForestState, { trees, sample, dimensions } = SHAPE): Node[] {
  return Array.from({ length: trees }, (_, t) => {
    const base = t * (2 * sample - 1)
    const build = (node: number): Node => {
      if (node < sample) {
        const at = (t * sample + node) * dimensions
        const point = [...state.points.subarray(at, at + dimensions)]
        const mass = state.leaves.subarray(t * sample, (t + 1) * sample).filter(leaf => leaf === node).length
        return { low: point, high: point, mass }
      }
      const left = build(state.lefts[base + node])
      const right = build(state.rights[base + node])
      return {
        low: left.low.map((x, i) => Math.min(x, right.low[i])),
        high: left.high.map((x, i) => Math.max(x, right.high[i])),
        mass: left.mass + right.mass,
        dim: state.cutAt[base + node],
        cut: state.cutValues[base + node],
        left,
        right,
      }
    }
    return build(state.roots[t])
  })
}

/** CoDisp of one random insertion (algorithm 2), by the definition: the largest displaced mass per mass that goes, over all ancestors. */
function insertOnce(node: Node, point: number[], random: () => number): number {
  const spans = point.map((x, i) => WEIGHTS[i] * (Math.max(x, node.high[i]) - Math.min(x, node.low[i])))
  const total = spans.reduce((a, b) => a + b, 0)
  if (total === 0) return 0
  let rest = random() * total
  const dim = spans.findIndex(span => (rest -= span) < 0)
  const cut = Math.min(point[dim], node.low[dim]) + (rest + spans[dim]) / WEIGHTS[dim]
  if ((point[dim] <= cut && cut < node.low[dim]) || (point[dim] > cut && cut >= node.high[dim])) return node.mass
  const goesLeft = point[node.dim!] <= node.cut!
  const [next, sibling] = goesLeft ? [node.left!, node.right!] : [node.right!, node.left!]
  return Math.max(sibling.mass / (next.mass + 1), insertOnce(next, point, random))
}

describe('growCutForest', () => {
  it('keeps trees whole while points come and go', () => {
    const forest = grown(2000, random => [Math.floor(random() * 6), random() < 0.3 ? 1 : random() * 40])
    const state = forest.state()
    const check = (node: Node): number => {
      if (!node.left || !node.right) return node.mass
      expect(node.left.high[node.dim!]).toBeLessThanOrEqual(node.cut!)
      expect(node.right.low[node.dim!]).toBeGreaterThan(node.cut!)
      return check(node.left) + check(node.right)
    }
    for (const tree of toTrees(state)) {
      expect(check(tree)).toBe(32)
      expect(tree.mass).toBe(32)
    }
    expect([...state.sizes]).toEqual([32, 32, 32])
  })

  it('expects the displacement that random insertion has on average', () => {
    const forest = grown(400, random => [random() * 10, random() < 0.3 ? 7 : random() * 40])
    const trees = toTrees(forest.state())
    const random = seededRandom(2)
    for (const point of [
      [5, 20],
      [11, 3],
      [-30, 90],
      [5, 7],
    ]) {
      let sum = 0
      const draws = 20_000
      for (const tree of trees) for (let i = 0; i < draws; i++) sum += insertOnce(tree, point, random.next)
      const naive = sum / draws / trees.length
      const shares = new Float64Array(2)
      const fast = forest.displacement(Float64Array.from(point), WEIGHTS, shares)
      expect(Math.abs(fast / naive - 1)).toBeLessThan(0.03)
      expect(fast).toBe(forest.displacement(Float64Array.from(point), WEIGHTS))
      expect(shares[0] + shares[1]).toBeLessThanOrEqual(fast + 1e-9)
    }
  })

  it('gives the displacement to the dimension that stands out', () => {
    const forest = grown(400, random => [random() * 10, random() * 10])
    const shares = new Float64Array(2)
    forest.displacement(Float64Array.of(5, 60), WEIGHTS, shares)
    expect(shares[0]).toBeLessThan(0.01)
    expect(shares[1]).toBeGreaterThan(20)
  })

  it('remembers recent points more, and keeps boxes exact after deletions', () => {
    let time = 0
    const forest = grown(1000, () => [time, (time++ * 7) % 13], { ...SHAPE, trees: 10 })
    const { points } = forest.state()
    const times = [...points].filter((_, i) => i % 2 === 0)
    const mean = times.reduce((a, b) => a + b, 0) / times.length
    // Ages under weights that decay over 100 rows, of 32 kept.
    expect(999 - mean).toBeGreaterThan(50)
    expect(999 - mean).toBeLessThan(150)
    const on = growCutForest({ ...SHAPE, trees: 10 }, forest.state())
    for (const point of [Float64Array.of(990, 5), Float64Array.of(0, 0), Float64Array.of(2000, 6)])
      expect(on.displacement(point, WEIGHTS)).toBe(forest.displacement(point, WEIGHTS))
  })

  it('imputes what goes with the rest of the point', () => {
    const forest = grown(
      3000,
      random => {
        const side = random() < 0.5 ? 0 : 1
        return [side * 100 + random(), side * 50 + random()]
      },
      { ...SHAPE, trees: 20 },
    )
    const found = new Float64Array(20)
    forest.impute(Float64Array.of(100.5, NaN), 1, found)
    expect(found.filter(value => value > 49).length).toBeGreaterThan(10)
    forest.impute(Float64Array.of(0.5, NaN), 1, found)
    expect(found.filter(value => value < 2).length).toBeGreaterThan(10)
  })

  it('is one leaf of many while all points are the same', () => {
    const forest = grown(100, () => [3, 3])
    expect(forest.displacement(Float64Array.of(3, 3), WEIGHTS)).toBe(0)
    expect(forest.displacement(Float64Array.of(3, 3.01), WEIGHTS)).toBe(32)
  })
})
