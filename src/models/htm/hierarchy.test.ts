import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { type HierarchyOptions, openHierarchy, openRegion, type Surprise, upperInputs } from './hierarchy.ts'
import { openSpatialPooler } from './spatial-pooler.ts'
import { openTemporalMemory } from './temporal-memory.ts'

const memory = {
  columns: 128,
  cells: 6,
  activation: 5,
  minimum: 4,
  growth: 8,
  initial: 0.21,
  connected: 0.2,
  increment: 0.1,
  decrement: 0.05,
  punishment: 0.005,
  segmentsPerCell: 16,
  synapsesPerSegment: 16,
  segments: 3000,
}
const pooler = { columns: 128, active: 8, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 }
const options: HierarchyOptions = {
  lower: { pooler: { ...pooler, inputs: 100 }, memory },
  upper: { pooler: { ...pooler, columns: 64 }, memory: { ...memory, columns: 64 } },
  rows: 4,
  bits: 256,
  pooled: 'active',
}

const random = seededRandom(6)
/** Words of eight rows. */
const [a, b, c] = Array.from({ length: 3 }, () =>
  Array.from({ length: 8 }, () => Uint8Array.from({ length: 100 }, () => (random.next() < 0.12 ? 1 : 0))),
)

/** Pooler and memory by hand, the union a set of texts for cells and columns. */
function openTwin(o: HierarchyOptions) {
  const random = seededRandom(1)
  const draw = seededRandom(Math.floor(random.next() * 2 ** 32))
  const upperDraw = seededRandom(Math.floor(random.next() * 2 ** 32))
  const lowerPooler = openSpatialPooler(o.lower.pooler, draw)
  const lowerMemory = openTemporalMemory(o.lower.memory, draw)
  const upperPooler = openSpatialPooler({ ...o.upper.pooler, inputs: upperInputs(o) }, upperDraw)
  const upperMemory = openTemporalMemory(o.upper.memory, upperDraw)
  let rows: number[][] = []
  return (input: Uint8Array) => {
    const lower = lowerMemory.step(lowerPooler.pool(input, true), true)
    rows.push([...lowerMemory.activeCells()])
    if (rows.length < o.rows) return { lower, upper: NaN }
    const union = new Uint8Array(upperInputs(o))
    for (const cells of rows) {
      for (const cell of cells) {
        const column = Math.floor(cell / 6)
        if (cells.filter(other => Math.floor(other / 6) === column).length < 6) {
          union[(Math.imul(cell, 0x9e3779b1) >>> 8) % o.bits] = 1
        } else if (o.pooled === 'active') union[o.bits + column] = 1
      }
    }
    rows = []
    return { lower, upper: upperMemory.step(upperPooler.pool(union, true), true) }
  }
}

describe('openHierarchy', () => {
  it.each(['active', 'predicted'] as const)('agrees with a naive twin, %s cells going up', pooled => {
    const hierarchy = openHierarchy({ ...options, pooled }, seededRandom(1))
    const twin = openTwin({ ...options, pooled })
    for (let row = 0; row < 200; row++) {
      const input = [a, b, c][(row >> 3) % 3][row % 8]
      expect(hierarchy.step(input, true)).toEqual(twin(input))
    }
  })

  it('is surprised above, and less below, when words that were learned come in another order', () => {
    const most = (surprises: readonly Surprise[], level: 'lower' | 'upper') =>
      Math.max(...surprises.map(surprise => surprise[level]).filter(share => !Number.isNaN(share)))
    const broken = [1, 2, 3, 4].map(seed => {
      const hierarchy = openHierarchy({ ...options, bits: 512 }, seededRandom(seed))
      const say = (word: Uint8Array[]) => word.map(input => hierarchy.step(input, true))
      // Each word follows itself as often as the other, so that none is a surprise by the one before it.
      for (let word = 0; word < 200; word++) say([a, a, b, b][word % 4])
      const usual = [a, a, b, b].flatMap(say)
      expect(most(usual, 'upper')).toBe(0)
      expect(most(usual, 'lower')).toBe(0)
      return [a, a, b, a].flatMap(say)
    })
    for (const surprises of broken) expect(most(surprises, 'upper')).toBeGreaterThanOrEqual(0.5)
    const mean = (level: 'lower' | 'upper') => broken.reduce((sum, surprises) => sum + most(surprises, level) / 4, 0)
    expect(mean('upper')).toBeGreaterThan(mean('lower') + 0.2)
  })

  it('steps above once for each stretch, and says NaN between', () => {
    const hierarchy = openHierarchy(options, seededRandom(1))
    const uppers = a.map(input => hierarchy.step(input, true).upper)
    expect(uppers.map(Number.isNaN)).toEqual([true, true, true, false, true, true, true, false])
    expect(hierarchy.upperCells().length).toBeGreaterThan(0)
    expect(hierarchy.lowerCells().length).toBeGreaterThan(0)
  })

  it('goes on from a state, in the middle of a stretch', () => {
    const whole = openHierarchy(options, seededRandom(1))
    for (let row = 0; row < 102; row++) whole.step([a, b][(row >> 3) % 2][row % 8], true)
    const resumed = openHierarchy(options, seededRandom(50), structuredClone(whole.state()))
    for (let row = 102; row < 200; row++) {
      const input = [a, b, c][(row >> 3) % 3][row % 8]
      expect(resumed.step(input, true)).toEqual(whole.step(input, true))
    }
    expect(resumed.state()).toEqual(whole.state())
  })

  it('has inputs above for cells, and for columns that burst where these go up', () => {
    expect(upperInputs(options)).toBe(256 + 128)
    expect(upperInputs({ ...options, pooled: 'predicted' })).toBe(256)
  })
})

it('openRegion refuses a memory of other columns than the pooler', () => {
  const other = { pooler: options.lower.pooler, memory: { ...memory, columns: 64 } }
  expect(() => openRegion(other, seededRandom(1))).toThrow('memory.columns must be those of the pooler (128), got 64')
})
