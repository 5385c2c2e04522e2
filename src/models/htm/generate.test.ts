import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { generateCells } from './generate.ts'
import { openSdrClassifier } from './sdr-classifier.ts'
import { openTemporalMemory, type TemporalMemoryOptions, type TemporalMemoryState } from './temporal-memory.ts'

const options: TemporalMemoryOptions = {
  columns: 64,
  cells: 4,
  activation: 4,
  minimum: 3,
  growth: 6,
  initial: 0.21,
  connected: 0.2,
  increment: 0.1,
  decrement: 0.1,
  punishment: 0.01,
  segmentsPerCell: 3,
  synapsesPerSegment: 8,
  segments: 5000,
}
const generation = { ...options, active: 6 }
const random = seededRandom(5)
const drawColumns = () => {
  const chosen = new Set<number>()
  while (chosen.size < 6) chosen.add(Math.floor(random.next() * 64))
  return [...chosen].sort((a, b) => a - b)
}
const words = Array.from({ length: 8 }, drawColumns)
const columnsOf = (cells: Iterable<number>) => [...new Set([...cells].map(cell => cell >> 2))]

/** The memory itself, put back into the state, takes the columns that all of its segments predict as the next row. */
function dream(state: TemporalMemoryState, steps: number): number[][] {
  const memory = openTemporalMemory(options, seededRandom(1), structuredClone(state))
  return Array.from({ length: steps }, () => {
    const active = [...memory.activeCells()]
    const strengthOf = new Map<number, number>()
    let k = 0
    for (const [segment, owner] of state.owners.entries()) {
      if (owner < 0) continue
      let strength = 0
      for (const end = k + state.sizes[segment]; k < end; k++)
        if (state.permanences[k] >= Math.fround(0.2) && active.includes(state.sources[k])) strength++
      if (strength >= 4) strengthOf.set(owner >> 2, Math.max(strength, strengthOf.get(owner >> 2) ?? 0))
    }
    const best = [...strengthOf].sort(([a, x], [b, y]) => y - x || a - b).slice(0, generation.active)
    memory.step(
      best.map(([column]) => column).sort((a, b) => a - b),
      false,
    )
    return [...memory.activeCells()]
  })
}

describe('generateCells', () => {
  it('agrees with a memory that takes its own predictions for rows, on noisy sequences too', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    let rows = 0
    for (let row = 0; row < 400; row++) {
      memory.step(random.next() < 0.1 ? drawColumns() : words[row % 8], true)
      if (row % 20 > 0) continue
      const made = generateCells(generation, memory.state(), 5).map(cells => [...cells])
      expect(made).toEqual(dream(memory.state(), 5))
      rows += made.filter(cells => cells.length > 0).length
    }
    expect(rows).toBeGreaterThan(30)
  })

  it('goes on with a learned sequence, round after round, and leaves the memory as it was', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    for (let row = 0; row < 243; row++) memory.step(words[row % 8], true)
    const before = memory.state()
    const made = generateCells(generation, before, 20)
    for (const [k, cells] of made.entries()) expect(columnsOf(cells)).toEqual(words[(243 + k) % 8])
    expect(before).toEqual(memory.state())
  })

  it('follows two futures at once while there is room, and the stronger when there is not', () => {
    const memory = openTemporalMemory({ ...options, growth: 8, synapsesPerSegment: 16 }, seededRandom(2))
    const [a, b, c] = words
    for (let round = 0; round < 100; round++) {
      memory.reset()
      for (const columns of [a, round % 3 ? b : c]) memory.step(columns, true)
    }
    memory.reset()
    memory.step(a, false)
    const both = new Set(columnsOf(generateCells({ ...generation, active: 12 }, memory.state(), 1)[0]))
    expect(b.filter(column => both.has(column)).length).toBeGreaterThanOrEqual(5)
    expect(c.filter(column => both.has(column)).length).toBeGreaterThanOrEqual(5)
    expect(columnsOf(generateCells(generation, memory.state(), 1)[0])).toHaveLength(6)
  })

  it('gives nothing where nothing is predicted', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    memory.step(words[0], true)
    expect(generateCells(generation, memory.state(), 3).map(cells => cells.length)).toEqual([0, 0, 0])
  })

  it('with a classifier of one step says the values of many', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    const classifier = openSdrClassifier({ bits: 256, buckets: 8, fields: 1, steps: 1, rate: 2 })
    for (let row = 0; row < 402; row++) {
      memory.step(words[row % 8], true)
      classifier.update(memory.activeCells(), [row % 8])
    }
    const cells = generateCells(generation, memory.state(), 10)
    for (const [k, active] of cells.entries()) expect(classifier.predict(1, active)[(402 + k + 1) % 8]).toBeGreaterThan(0.5)
  })
})
