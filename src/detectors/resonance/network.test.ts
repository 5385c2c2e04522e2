import { describe, expect, it } from 'vitest'
import { INPUT, openNetwork } from './network.ts'

/** Complement-coded inputs from a few kinds of shapes and noise, by a small linear generator. */
function inputs(count: number): Float32Array[] {
  let state = 5
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  return Array.from({ length: count }, (_, i) => {
    const out = new Float32Array(INPUT)
    for (let k = 0; k < INPUT / 2; k++) {
      out[k] = Math.min(1, Math.max(0, 0.5 + 0.4 * Math.sin(k * (1 + (i % 4))) + 0.15 * (random() - 0.5)))
      out[INPUT / 2 + k] = 1 - out[k]
    }
    return out
  })
}

/** The description word for word: every category in full, visited by falling match. */
class NaiveNetwork {
  weights: number[][] = []
  present(x: Float32Array, low: number, high: number): { match: number; newest: number; matched: boolean } {
    const said = this.weights.map((w, c) => {
      const sum = (of: ArrayLike<number>) => Array.from(of).reduce((a, b) => a + b, 0)
      const both = w.map((weight, k) => Math.min(weight, x[k]))
      const newest = (both[15] + both[31]) / (w[15] + w[31])
      return { c, newest, match: (sum(both) / sum(w)) ** 3 * newest ** 2 }
    })
    if (said.length === 0) {
      this.weights.push(Array.from(x))
      return { match: 0, newest: 0, matched: true }
    }
    said.sort((a, b) => b.match - a.match || a.c - b.c)
    let matched = false
    for (const { c, match } of said) {
      if (match < high) {
        if (!matched) {
          matched = match >= low
          this.weights.push(Array.from(x))
        }
        break
      }
      matched = true
      this.weights[c] = this.weights[c].map((weight, k) => Math.min(weight, x[k]))
    }
    return { match: said[0].match, newest: said[0].newest, matched }
  }
}

describe('network', () => {
  it('says and learns what its naive twin does', () => {
    const network = openNetwork(1000)
    const naive = new NaiveNetwork()
    for (const [i, x] of inputs(600).entries()) {
      const [low, high] = i < 300 ? [0.7, 0.75] : [0.6, 0.8]
      const { match, newest } = network.respond(x, high)
      const twin = naive.present(x, low, high)
      expect(match).toBeCloseTo(twin.match, 5)
      expect(newest).toBeCloseTo(twin.newest, 5)
      expect(network.learn(x, low, high)).toBe(twin.matched)
      expect(network.snapshot().count).toBe(naive.weights.length)
    }
  })

  it('forgets the category that was matched longest ago when all are used', () => {
    const network = openNetwork(2)
    const at = (level: number) => Float32Array.from({ length: INPUT }, (_, k) => (k < INPUT / 2 ? level : 1 - level))
    for (const level of [0.1, 0.5, 0.1, 0.9]) {
      network.respond(at(level), 0.99)
      network.learn(at(level), 0.99, 0.99)
    }
    expect(network.respond(at(0.1), 0.99).match).toBeCloseTo(1, 5)
    expect(network.respond(at(0.9), 0.99).match).toBeCloseTo(1, 5)
    expect(network.respond(at(0.5), 0.99).match).toBeLessThan(0.9)
  })

  it('goes on from what it remembers', () => {
    const network = openNetwork(100)
    const learn = (one: ReturnType<typeof openNetwork>, x: Float32Array) => {
      const { match } = one.respond(x, 0.8)
      one.learn(x, 0.7, 0.8)
      return match
    }
    for (const x of inputs(60).slice(0, 30)) learn(network, x)
    const again = openNetwork(100, network.snapshot())
    for (const x of inputs(60).slice(30)) expect(learn(again, x)).toBe(learn(network, x))
    expect(again.snapshot()).toEqual(network.snapshot())
  })
})
