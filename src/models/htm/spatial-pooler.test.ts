import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { openSpatialPooler, type SpatialPoolerState } from './spatial-pooler.ts'

const options = { inputs: 60, columns: 64, active: 6, potential: 0.8, connected: 0.2, increment: 0.03, decrement: 0.005 }

/** Goes through every synapse of every column, and sorts. */
function naivePool(
  { permanences }: SpatialPoolerState,
  input: Uint8Array,
  { inputs, columns: count, active } = options,
): number[] {
  const columns = Array.from({ length: count }, (_, column) => {
    const own = permanences.subarray(column * inputs, (column + 1) * inputs)
    return { column, overlap: own.reduce((sum, p, i) => sum + (input[i] && p >= 400 ? 1 : 0), 0) }
  })
  const best = columns.sort((a, b) => b.overlap - a.overlap || a.column - b.column).slice(0, active)
  const winners = best.map(({ column }) => column).sort((a, b) => a - b)
  for (const column of winners) {
    for (let i = 0; i < inputs; i++) {
      const at = column * inputs + i
      if (permanences[at] === -1) continue
      const moved = Math.min(2000, permanences[at] + (input[i] ? 60 : -10))
      permanences[at] = moved < 30 ? 0 : moved
    }
  }
  return winners
}

describe('openSpatialPooler', () => {
  const random = seededRandom(9)
  const inputs = Array.from({ length: 12 }, () => Uint8Array.from({ length: 60 }, () => (random.next() < 0.15 ? 1 : 0)))

  it('agrees with a naive twin over 300 rows of learning', () => {
    const pooler = openSpatialPooler(options, seededRandom(1))
    const twin = pooler.state()
    for (let row = 0; row < 300; row++) {
      const input = inputs[Math.floor(random.next() * 12)]
      expect([...pooler.pool(input, true)]).toEqual(naivePool(twin, input))
    }
    expect(pooler.state()).toEqual(twin)
  })

  it('counts overlaps above 255, of columns that are no multiple of four', () => {
    const wide = { ...options, inputs: 900, columns: 30 }
    const pooler = openSpatialPooler(wide, seededRandom(1))
    const twin = pooler.state()
    for (let row = 0; row < 20; row++) {
      const input = Uint8Array.from({ length: 900 }, () => (random.next() < 0.9 ? 1 : 0))
      expect([...pooler.pool(input, true)]).toEqual(naivePool(twin, input, wide))
    }
  })

  it('starts with about half of its potential synapses connected', () => {
    const { permanences } = openSpatialPooler(options, seededRandom(1)).state()
    const potential = permanences.filter(p => p >= 0)
    for (let c = 0; c < 64; c++) expect(permanences.subarray(60 * c, 60 * (c + 1)).filter(p => p >= 0)).toHaveLength(48)
    expect(potential.filter(p => p >= 400).length / potential.length).toBeCloseTo(0.5, 1)
  })

  it('gives one answer to one input, and nearly that to one with a bit less, and learns nothing unless told', () => {
    const pooler = openSpatialPooler(options, seededRandom(1))
    for (let row = 0; row < 600; row++) pooler.pool(inputs[row % 12], true)
    const before = pooler.state()
    for (const input of inputs) {
      const clean = new Set(pooler.pool(input, false))
      const noisy = input.slice()
      noisy[noisy.indexOf(1)] = 0
      expect(pooler.pool(noisy, false).filter(column => clean.has(column)).length).toBeGreaterThanOrEqual(4)
    }
    expect(pooler.state()).toEqual(before)
  })

  it('learns of an input afterwards what it learns at once', () => {
    const [atOnce, afterwards] = [1, 2].map(() => openSpatialPooler(options, seededRandom(1)))
    for (let row = 0; row < 60; row++) {
      const input = inputs[row % 12]
      const winners = afterwards.pool(input, false).slice()
      afterwards.learn(input, winners)
      expect(winners).toEqual(atOnce.pool(input, true))
    }
    expect(afterwards.state()).toEqual(atOnce.state())
  })

  it('goes on from a state', () => {
    const whole = openSpatialPooler(options, seededRandom(1))
    for (let row = 0; row < 50; row++) whole.pool(inputs[row % 12], true)
    const resumed = openSpatialPooler(options, seededRandom(77), whole.state())
    for (let row = 0; row < 50; row++)
      expect([...resumed.pool(inputs[row % 7], true)]).toEqual([...whole.pool(inputs[row % 7], true)])
    expect(resumed.state()).toEqual(whole.state())
  })

  it('refuses more winners than columns', () => {
    expect(() => openSpatialPooler({ ...options, active: 65 }, seededRandom(1))).toThrow('columns must be from active (65)')
  })
})
