import { describe, expect, it } from 'vitest'
import { seededRandom } from '../math/random.ts'
import { rememberContexts } from './context-tree.ts'

/** The recipe word for word, with sets and no bound. */
function naive(symbols: readonly number[]): number[] {
  interface Context {
    left: Set<number>
    right: Set<number>
    uses: number
    whole: boolean
    id: number
  }
  const contexts: Context[] = []
  const holds = (part: Set<number>, facts: Set<number>) => [...part].every(fact => facts.has(fact))
  const same = (a: Set<number>, b: Set<number>) => a.size === b.size && holds(a, b)
  const find = (left: Set<number>, right: Set<number>) =>
    contexts.find(context => same(context.left, left) && same(context.right, right))
  let group = new Set<number>()
  return symbols.map(symbol => {
    const now = new Set([0, 1, 2].map(bit => 2 * bit + ((symbol >> bit) & 1)))
    const present = find(group, now)
    const isNew = group.size > 0 && !present?.whole
    if (isNew && present) present.whole = true
    if (isNew && !present) contexts.push({ left: group, right: now, uses: 0, whole: true, id: contexts.length })
    const selected = contexts.filter(({ left }) => left.size > 0 && holds(left, group))
    const active = selected.filter(({ right }) => holds(right, now))
    for (const context of active) context.uses++
    const candidates: [Set<number>, Set<number>][] = []
    let stored = 1
    if (isNew)
      for (const context of contexts.filter(({ whole, left }) => whole && left !== group)) {
        const left = new Set([...context.left].filter(fact => group.has(fact)))
        const right = new Set([...context.right].filter(fact => now.has(fact)))
        if (context === present || left.size === 0 || left.size > 7 || right.size === 0) continue
        if (!candidates.some(([l, r]) => same(l, left) && same(r, right))) candidates.push([left, right])
      }
    for (const [left, right] of candidates)
      if (!find(left, right)) {
        stored++
        contexts.push({ left, right, uses: 0, whole: false, id: contexts.length })
      }
    const foretold = selected.length > 0 ? 1 - active.length / selected.length : 0
    const strongest = active.sort((a, b) => a.uses - b.uses || a.id - b.id).slice(-15)
    group = new Set([...now, ...strongest.map(({ id }) => 8 + id)])
    return (foretold + (isNew ? stored / (candidates.length + 1) : 0)) / 2
  })
}

const random = seededRandom(4)
/** A tide of symbols, now and then a wrong one. */
const symbols = Array.from({ length: 250 }, (_, i) =>
  random.next() < 0.04 ? Math.floor(8 * random.next()) : Math.round(3.5 + 3.5 * Math.sin(i / 5)),
)

describe('rememberContexts', () => {
  it('agrees with a naive twin', () => {
    const contexts = rememberContexts(8192)
    const twin = naive(symbols)
    symbols.forEach((symbol, i) => {
      expect(contexts.score(symbol)).toBeCloseTo(twin[i], 12)
      contexts.learn(symbol)
    })
  })

  it('expects what came before', () => {
    const contexts = rememberContexts(1024)
    for (let i = 0; i < 300; i++) contexts.learn([1, 3, 6][i % 3])
    expect(contexts.score(1)).toBeLessThan(0.1)
    expect(contexts.score(6)).toBeGreaterThan(0.5)
  })

  it('keeps to its bound, and goes on from its state', () => {
    const contexts = rememberContexts(64)
    for (const symbol of symbols) {
      contexts.learn(symbol)
      expect(contexts.state().count).toBeLessThanOrEqual(64)
    }
    const on = rememberContexts(64, contexts.state())
    for (const symbol of symbols) {
      expect(on.score(symbol)).toBe(contexts.score(symbol))
      for (const each of [on, contexts]) each.learn(symbol)
    }
  })
})
