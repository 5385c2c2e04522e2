import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../math/random.ts'
import { openTemporalMemory, type TemporalMemoryOptions } from './temporal-memory.ts'

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

interface Segment {
  cell: number
  synapses: { from: number; permanence: number }[]
}

/** Objects in lists, every segment looked at in every row, no index of synapses. */
function openTwin(o: TemporalMemoryOptions, random: Random) {
  const segments: (Segment | undefined)[] = []
  const free: number[] = []
  let active: number[] = []
  let winners: number[] = []
  const isAlive = (segment: Segment | undefined) => segment !== undefined
  const columnOf = (id: number) => Math.floor(segments[id]!.cell / o.cells)
  const end = (id: number) => {
    segments[id] = undefined
    free.push(id)
  }
  const adapt = (id: number, increment: number, decrement: number) => {
    const own = segments[id]!.synapses
    for (let k = own.length - 1; k >= 0; k--) {
      own[k].permanence = Math.fround(Math.min(1, own[k].permanence + (active.includes(own[k].from) ? increment : -decrement)))
      if (own[k].permanence < 1e-6) remove(own, k)
    }
    if (own.length === 0) end(id)
  }
  const remove = (list: Segment['synapses'], k: number) => {
    const last = list.pop()!
    if (k < list.length) list[k] = last
  }
  const grow = (id: number, wanted: number) => {
    const own = segments[id]!.synapses
    const candidates = winners.filter(cell => own.every(synapse => synapse.from !== cell))
    const count = Math.min(wanted, candidates.length, o.synapsesPerSegment)
    while (own.length + count > o.synapsesPerSegment) {
      const least = Math.min(...own.map(synapse => synapse.permanence))
      remove(
        own,
        own.findIndex(synapse => synapse.permanence === least),
      )
    }
    for (let k = 0; k < count; k++) {
      const at = k + Math.floor(random.next() * (candidates.length - k))
      own.push({ from: candidates[at], permanence: Math.fround(o.initial) })
      candidates[at] = candidates[k]
    }
  }
  const add = (cell: number) => {
    const own = segments.flatMap((segment, id) => (segment?.cell === cell ? [id] : []))
    if (own.length >= o.segmentsPerCell) {
      const sums = own.map(id => segments[id]!.synapses.reduce((sum, synapse) => sum + synapse.permanence, 0))
      end(own[sums.indexOf(Math.min(...sums))])
    }
    const id = free.pop() ?? segments.length
    segments[id] = { cell, synapses: [] }
    return id
  }
  return {
    count: () => segments.filter(isAlive).length,
    step(on: number[]) {
      const alive = [...segments.keys()].filter(id => isAlive(segments[id]))
      const potential = new Map(alive.map(id => [id, segments[id]!.synapses.filter(s => active.includes(s.from)).length]))
      const strength = (id: number) =>
        segments[id]!.synapses.filter(s => active.includes(s.from) && s.permanence >= Math.fround(o.connected)).length
      const firing = alive.filter(id => strength(id) >= o.activation)
      const matching = alive.filter(id => potential.get(id)! >= o.minimum)
      const good = firing.filter(id => on.includes(columnOf(id)))
      const nextActive = [...new Set(good.map(id => segments[id]!.cell))]
      const nextWinners = [...nextActive]
      const reinforced = [...good]
      const wrong = matching.filter(id => !on.includes(columnOf(id)))
      const newcomers: number[] = []
      const bursting = on.filter(column => good.every(id => columnOf(id) !== column))
      for (const column of bursting) {
        const own = Array.from({ length: o.cells }, (_, k) => column * o.cells + k)
        nextActive.push(...own)
        const matches = matching.filter(id => columnOf(id) === column)
        const most = Math.max(...matches.map(id => potential.get(id)!))
        const best = matches.find(id => potential.get(id) === most)
        if (best !== undefined) {
          reinforced.push(best)
          nextWinners.push(segments[best]!.cell)
          continue
        }
        const uses = own.map(cell => segments.filter(segment => segment?.cell === cell).length)
        const least = own.filter((_, k) => uses[k] === Math.min(...uses))
        const chosen = least[Math.floor(random.next() * least.length)]
        nextWinners.push(chosen)
        newcomers.push(chosen)
      }
      for (const id of reinforced) {
        adapt(id, o.increment, o.decrement)
        if (segments[id] && o.growth > potential.get(id)!) grow(id, o.growth - potential.get(id)!)
      }
      for (const id of wrong) adapt(id, -o.punishment, 0)
      if (winners.length > 0) for (const cell of newcomers) grow(add(cell), o.growth)
      active = nextActive.sort((a, b) => a - b)
      winners = nextWinners.sort((a, b) => a - b)
      return bursting.length / on.length
    },
    activeCells: () => active,
  }
}

const drawColumns = (random: Random, count = 6) => {
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(Math.floor(random.next() * 64))
  return [...chosen].sort((a, b) => a - b)
}

describe('openTemporalMemory', () => {
  const draw = seededRandom(5)
  const words = Array.from({ length: 8 }, () => drawColumns(draw))

  it('agrees with a naive twin over noisy sequences', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    const twin = openTwin(options, seededRandom(1))
    for (let row = 0; row < 500; row++) {
      const columns = draw.next() < 0.2 ? drawColumns(draw) : words[row % 8]
      expect(memory.step(columns, true)).toBe(twin.step(columns))
      expect([...memory.activeCells()]).toEqual(twin.activeCells())
      expect(memory.count()).toBe(twin.count())
    }
    expect(memory.count()).toBeGreaterThan(100)
  })

  it('learns a repeated sequence, and is surprised by a break and not by what follows it in order', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    for (let row = 0; row < 240; row++) memory.step(words[row % 8], true)
    for (let row = 0; row < 16; row++) expect(memory.step(words[row % 8], true)).toBe(0)
    expect(memory.step(words[5], true)).toBeGreaterThan(0.8)
    memory.step(words[6], true)
    expect(memory.step(words[7], true)).toBe(0)
  })

  it('tells two sequences with a common middle apart', () => {
    const [a, b, c, d, x, y] = words
    const memory = openTemporalMemory({ ...options, growth: 8, synapsesPerSegment: 16 }, seededRandom(2))
    for (let round = 0; round < 60; round++) {
      for (const sequence of [
        [a, b, c, d],
        [x, b, c, y],
      ]) {
        memory.reset()
        for (const columns of sequence) memory.step(columns, true)
      }
    }
    const last = (sequence: number[][]) => {
      memory.reset()
      return sequence.map(columns => memory.step(columns, false)).at(-1)!
    }
    expect(last([a, b, c, d])).toBe(0)
    expect(last([x, b, c, y])).toBe(0)
    expect(last([a, b, c, y])).toBeGreaterThan(0.5)
    expect(last([x, b, c, d])).toBeGreaterThan(0.5)
  })

  it('learns nothing unless told, and starts afresh after a reset', () => {
    const memory = openTemporalMemory(options, seededRandom(1))
    for (let row = 0; row < 80; row++) memory.step(words[row % 8], true)
    const before = memory.state()
    for (let row = 0; row < 20; row++) memory.step(words[(3 * row) % 8], false)
    memory.reset()
    expect(memory.step(words[0], false)).toBe(1)
    const { owners, sources, permanences } = memory.state()
    expect({ owners, sources, permanences }).toEqual({
      owners: before.owners,
      sources: before.sources,
      permanences: before.permanences,
    })
    expect(memory.step([], false)).toBe(0)
  })

  it('holds no more segments and synapses than it may, on nothing but noise, and still learns', () => {
    const memory = openTemporalMemory({ ...options, segments: 300 }, seededRandom(1))
    for (let row = 0; row < 1500; row++) {
      memory.step(drawColumns(draw), true)
      expect(memory.count()).toBeLessThanOrEqual(300)
    }
    const { owners, sizes, sources } = memory.state()
    expect(owners.length).toBeLessThanOrEqual(300)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8)
    expect(sources.length).toBe(sizes.reduce((sum, size) => sum + size, 0))
    const perCell = Map.groupBy(owners, cell => cell)
    expect(Math.max(...[...perCell.values()].map(own => own.length))).toBeLessThanOrEqual(3)
    let last = 1
    for (let row = 0; row < 240; row++) last = memory.step(words[row % 8], true)
    expect(last).toBe(0)
  })

  it('goes on from a state, with segments ended and evicted', () => {
    const tight = { ...options, segments: 200 }
    const whole = openTemporalMemory(tight, seededRandom(1))
    for (let row = 0; row < 300; row++) whole.step(row % 3 ? words[row % 8] : drawColumns(draw), true)
    const resumed = openTemporalMemory(tight, seededRandom(99), structuredClone(whole.state()))
    for (let row = 0; row < 300; row++) {
      const columns = row % 3 ? words[row % 8] : drawColumns(draw)
      expect(resumed.step(columns, true)).toBe(whole.step(columns, true))
    }
    expect(resumed.state()).toEqual(whole.state())
  })

  it('refuses a segment that would be active before it matches', () => {
    expect(() => openTemporalMemory({ ...options, minimum: 5 }, seededRandom(1))).toThrow(
      'minimum must be from 1 to activation (4)',
    )
  })
})
