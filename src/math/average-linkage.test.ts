import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averageLinkage } from './average-linkage.ts'
import { cutTree } from './cut-tree.ts'
import { leafOrder } from './leaf-order.ts'
import { seededRandom } from './random.ts'

function distancesOf(count: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  const d = new Float64Array(count * count)
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) d[i * count + j] = d[j * count + i] = random.next()
  return d
}

/** Looks through all pairs for the nearest, every time. */
function naive(d: Float64Array, count: number) {
  const clusters = Array.from({ length: count }, (_, i) => ({ id: i, leaves: [i] }))
  const merges: { left: number; right: number; height: number; size: number }[] = []
  while (clusters.length > 1) {
    let best = { a: 0, b: 1, height: Infinity }
    for (let a = 0; a < clusters.length; a++)
      for (let b = a + 1; b < clusters.length; b++) {
        let sum = 0
        for (const i of clusters[a].leaves) for (const j of clusters[b].leaves) sum += d[i * count + j]
        const height = sum / clusters[a].leaves.length / clusters[b].leaves.length
        if (height < best.height) best = { a, b, height }
      }
    const [b] = clusters.splice(best.b, 1)
    const [a] = clusters.splice(best.a, 1)
    const [left, right] = [a.id, b.id].sort((x, y) => x - y)
    const leaves = [...a.leaves, ...b.leaves]
    clusters.push({ id: count + merges.length, leaves })
    merges.push({ left, right, height: best.height, size: leaves.length })
  }
  return merges
}

describe('averageLinkage', () => {
  it('merges as its naive twin does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.nat(), (count, seed) => {
        const d = distancesOf(count, seed)
        const [fast, slow] = [averageLinkage(d, count), naive(d, count)]
        expect(fast.map(({ left, right, size }) => [left, right, size])).toEqual(
          slow.map(({ left, right, size }) => [left, right, size]),
        )
        for (const [m, { height }] of fast.entries()) expect(height).toBeCloseTo(slow[m].height, 9)
      }),
    )
  })
  it('ends on ties, infinities and unknown distances', () => {
    for (const fill of [0, 1, Infinity, NaN]) expect(averageLinkage(new Float64Array(36).fill(fill), 6)).toHaveLength(5)
  })
  it('does not write into its input', () => {
    const d = distancesOf(8, 1)
    const before = Float64Array.from(d)
    averageLinkage(d, 8)
    expect(d).toEqual(before)
  })
})

describe('cutTree and leafOrder', () => {
  it('find the groups that were put in, and lay them side by side', () => {
    const group = [0, 1, 0, 2, 1, 0, 2]
    const d = Float64Array.from({ length: 49 }, (_, at) => {
      const [i, j] = [Math.floor(at / 7), at % 7]
      return i === j ? 0 : group[i] === group[j] ? 0.05 : 0.9
    })
    const merges = averageLinkage(d, 7)
    expect(cutTree(merges, 7, 0.1)).toEqual([
      [0, 2, 5],
      [1, 4],
      [3, 6],
    ])
    const order = leafOrder(merges, 7)
    expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(order.map(leaf => group[leaf]).join('')).toMatch(/^(0{3}|1{2}|2{2}){3}$/)
  })
  it('keep every leaf, whatever the tree', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, seed, height) => {
          const merges = averageLinkage(distancesOf(count, seed), count)
          const all = Array.from({ length: count }, (_, i) => i)
          expect(leafOrder(merges, count).toSorted((a, b) => a - b)).toEqual(all)
          expect(
            cutTree(merges, count, height)
              .flat()
              .toSorted((a, b) => a - b),
          ).toEqual(all)
        },
      ),
    )
  })
})
