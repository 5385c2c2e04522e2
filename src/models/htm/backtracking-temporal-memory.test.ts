import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../math/random.ts'
import { type BacktrackingTemporalMemoryOptions, openBacktrackingTemporalMemory } from './backtracking-temporal-memory.ts'

const options: BacktrackingTemporalMemoryOptions = {
  columns: 64,
  cells: 4,
  active: 6,
  activation: 4,
  minimum: 3,
  growth: 6,
  initial: 0.21,
  connected: 0.5,
  increment: 0.1,
  decrement: 0.1,
  segmentsPerCell: 3,
  synapsesPerSegment: 8,
  segments: 5000,
  backtrack: 6,
  learningBacktrack: 4,
  patience: 3,
  longest: 12,
}

interface Segment {
  readonly cell: number
  readonly synapses: { from: number; permanence: number }[]
}

/** Objects in lists; every segment is looked at for every question; permanences in steps of 1 / 200. */
function openTwin(o: BacktrackingTemporalMemoryOptions, random: Random) {
  const segments: (Segment | undefined)[] = []
  const free: number[] = []
  let active: number[] = []
  let predicted: number[] = []
  let learning: number[] = []
  let rows: number[][] = []
  let learningRows: number[][] = []
  let patience = o.patience
  let length = 0
  let isFirst = true
  const columnOf = (cell: number) => Math.floor(cell / o.cells)
  const cellsOf = (column: number) => Array.from({ length: o.cells }, (_, k) => column * o.cells + k)
  const alive = () => [...segments.keys()].filter(id => segments[id])
  const synapsesFrom = (id: number, cells: number[], least = 0) =>
    segments[id]!.synapses.filter(({ from, permanence }) => permanence >= least && cells.includes(from)).length

  const end = (id: number) => {
    segments[id] = undefined
    free.push(id)
  }
  const drop = (list: Segment['synapses'], k: number) => {
    const last = list.pop()!
    if (k < list.length) list[k] = last
  }
  const grow = (id: number, wanted: number) => {
    const own = segments[id]!.synapses
    const candidates = learning.filter(cell => own.every(({ from }) => from !== cell))
    const count = Math.min(wanted, candidates.length, o.synapsesPerSegment)
    while (own.length + count > o.synapsesPerSegment) {
      const least = Math.min(...own.map(({ permanence }) => permanence))
      drop(
        own,
        own.findIndex(({ permanence }) => permanence === least),
      )
    }
    for (let k = 0; k < count; k++) {
      const at = k + Math.floor(random.next() * (candidates.length - k))
      own.push({ from: candidates[at], permanence: 42 })
      candidates[at] = candidates[k]
    }
  }
  const reinforce = (id: number, matching: number) => {
    const own = segments[id]!.synapses
    for (let k = own.length - 1; k >= 0; k--) {
      own[k].permanence = Math.min(200, own[k].permanence + (learning.includes(own[k].from) ? 20 : -20))
      if (own[k].permanence <= 0) drop(own, k)
    }
    if (own.length === 0) end(id)
    else grow(id, Math.max(0, o.growth - matching))
  }
  const add = (cell: number) => {
    const own = alive().filter(id => segments[id]!.cell === cell)
    if (own.length >= o.segmentsPerCell) {
      const sums = own.map(id => segments[id]!.synapses.reduce((sum, { permanence }) => sum + permanence, 0))
      end(own[sums.indexOf(Math.min(...sums))])
    }
    const id = free.pop() ?? segments.length
    segments[id] = { cell, synapses: [] }
    return id
  }

  const activate = (on: number[], isStart: boolean) => {
    const isForetold = (column: number) => predicted.some(cell => columnOf(cell) === column)
    active = on.flatMap(column => {
      if (isStart) return [column * o.cells]
      return isForetold(column) ? cellsOf(column).filter(cell => predicted.includes(cell)) : cellsOf(column)
    })
    return isStart || 2 * on.filter(isForetold).length >= on.length
  }
  const foretell = () => {
    predicted = [
      ...new Set(
        alive()
          .filter(id => synapsesFrom(id, active, 100) >= o.activation)
          .map(id => segments[id]!.cell),
      ),
    ]
    return 2 * new Set(predicted.map(columnOf)).size >= o.active
  }
  const infer = (on: number[]) => {
    rows = o.backtrack ? [...rows, on].slice(-o.backtrack) : []
    if (activate(on, isFirst) && foretell()) return
    const burst = active
    const start = rows.findIndex((_, from) => rows.slice(from).every((row, k) => activate(row, k === 0) && foretell()))
    rows = start < 0 ? [] : rows.slice(start + 1)
    if (start >= 0) return
    active = burst
    foretell()
  }

  /** What matched before the row; made anew after it, as the memory does. */
  let best = new Map<number, { id: number; tally: number }>()
  const match = () => {
    best = new Map()
    for (const id of alive()) {
      const tally = synapsesFrom(id, learning)
      const column = columnOf(segments[id]!.cell)
      if (tally >= o.minimum && !((best.get(column)?.tally ?? 0) >= tally)) best.set(column, { id, tally })
    }
  }
  const follow = (on: number[], isLearning: boolean) => {
    let misses = 0
    const next = on.flatMap(column => {
      const found = best.get(column)
      const isAlive = found && segments[found.id] && columnOf(segments[found.id]!.cell) === column
      const isExpected = isAlive && found.tally >= o.activation
      if (!isExpected) misses++
      if (isExpected || (isLearning && isAlive)) {
        const { cell } = segments[found!.id]!
        if (isLearning) reinforce(found!.id, found!.tally)
        return [cell]
      }
      if (!isLearning) return []
      const own = cellsOf(column).slice(1)
      const uses = own.map(cell => alive().filter(id => segments[id]!.cell === cell).length)
      const least = own.filter((_, k) => uses[k] === Math.min(...uses))
      const cell = least[Math.floor(random.next() * least.length)]
      if (learning.length > 0) grow(add(cell), o.growth)
      return [cell]
    })
    learning = next
    return 2 * misses < on.length
  }
  const start = (on: number[]) => {
    learning = on.map(column => column * o.cells)
  }
  const startAnew = () => {
    const last = learningRows.length - 1
    for (let from = 0; from < last; from++) {
      start(learningRows[from])
      const isThere = learningRows.slice(from + 1).every(row => {
        match()
        return follow(row, false)
      })
      if (!isThere) continue
      learningRows = learningRows.slice(from)
      return last - from
    }
    start(learningRows[last])
    learningRows = [learningRows[last]]
    return 0
  }
  return {
    count: () => alive().length,
    activeCells: () => active,
    predictedCells: () => predicted.toSorted((a, b) => a - b),
    step(on: number[]) {
      const surprise = on.filter(column => predicted.every(cell => columnOf(cell) !== column)).length / on.length
      learningRows = [...learningRows, on].slice(-o.learningBacktrack)
      patience = Math.max(0, patience - 1)
      length++
      if (!isFirst && follow(on, true)) patience = o.patience
      if (isFirst || patience === 0 || length >= o.longest) {
        length = startAnew()
        patience = o.patience
      }
      match()
      infer(on)
      isFirst = false
      return surprise
    },
  }
}

const drawColumns = (random: Random, count = 6) => {
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(Math.floor(random.next() * 64))
  return [...chosen].sort((a, b) => a - b)
}

describe('openBacktrackingTemporalMemory', () => {
  const draw = seededRandom(5)
  const words = Array.from({ length: 8 }, () => drawColumns(draw))

  it.each([6, 0])('agrees with a naive twin over noisy sequences, playing %i rows again', backtrack => {
    const memory = openBacktrackingTemporalMemory({ ...options, backtrack }, seededRandom(1))
    const twin = openTwin({ ...options, backtrack }, seededRandom(1))
    let known = 0
    for (let row = 0; row < 500; row++) {
      const columns = draw.next() < 0.15 ? drawColumns(draw) : words[row % 8]
      expect(memory.look(columns)).toBe(memory.look(columns))
      const surprise = memory.step(columns)
      expect(surprise).toBe(twin.step(columns))
      expect([...memory.activeCells()]).toEqual(twin.activeCells())
      expect([...memory.predictedCells()]).toEqual(twin.predictedCells())
      expect(memory.count()).toBe(twin.count())
      if (surprise < 0.5) known++
    }
    expect(known).toBeGreaterThan(200)
    expect(memory.count()).toBeGreaterThan(100)
  })

  it('learns a repeated sequence, and is surprised by a break and not by what follows it in order', () => {
    const memory = openBacktrackingTemporalMemory(options, seededRandom(1))
    for (let row = 0; row < 400; row++) memory.step(words[row % 8])
    for (let row = 0; row < 16; row++) expect(memory.step(words[row % 8])).toBeLessThan(0.2)
    expect(memory.look(words[5])).toBeGreaterThan(0.8)
    expect(memory.step(words[5])).toBeGreaterThan(0.8)
    memory.step(words[6])
    expect(memory.step(words[7])).toBeLessThan(0.2)
  })

  it('starts afresh after a reset, with what it learned', () => {
    const memory = openBacktrackingTemporalMemory(options, seededRandom(1))
    for (let row = 0; row < 400; row++) memory.step(words[row % 8])
    memory.reset()
    expect(memory.step(words[0])).toBe(1)
    expect([...memory.activeCells()]).toEqual(words[0].map(column => column * 4))
    for (let row = 1; row < 8; row++) memory.step(words[row])
    for (let row = 8; row < 16; row++) expect(memory.step(words[row % 8])).toBeLessThan(0.2)
    expect(memory.step([])).toBe(0)
  })

  it('holds no more segments and synapses than it may, on nothing but noise, and still learns', () => {
    const memory = openBacktrackingTemporalMemory({ ...options, segments: 300 }, seededRandom(1))
    for (let row = 0; row < 1500; row++) {
      memory.step(drawColumns(draw))
      expect(memory.count()).toBeLessThanOrEqual(300)
    }
    const { owners, sizes, sources } = memory.state()
    expect(owners.length).toBeLessThanOrEqual(300)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8)
    expect(sources.length).toBe(sizes.reduce((sum, size) => sum + size, 0))
    const perCell = Map.groupBy(owners, cell => cell)
    expect(Math.max(...[...perCell].map(([cell, own]) => (cell < 0 ? 0 : own.length)))).toBeLessThanOrEqual(3)
    let last = 1
    for (let row = 0; row < 400; row++) last = memory.step(words[row % 8])
    expect(last).toBeLessThan(0.2)
  })

  it('goes on from a state, with segments ended and evicted', () => {
    const tight = { ...options, segments: 200 }
    const whole = openBacktrackingTemporalMemory(tight, seededRandom(1))
    for (let row = 0; row < 300; row++) whole.step(row % 5 ? words[row % 8] : drawColumns(draw))
    const resumed = openBacktrackingTemporalMemory(tight, seededRandom(99), structuredClone(whole.state()))
    for (let row = 0; row < 300; row++) {
      const columns = row % 5 ? words[row % 8] : drawColumns(draw)
      expect(resumed.step(columns)).toBe(whole.step(columns))
    }
    expect(resumed.state()).toEqual(whole.state())
  })

  it('refuses what cannot hold', () => {
    const open = (changed: Partial<BacktrackingTemporalMemoryOptions>) =>
      openBacktrackingTemporalMemory({ ...options, ...changed }, seededRandom(1))
    expect(() => open({ minimum: 5 })).toThrow('minimum must be from 1 to activation (4)')
    expect(() => open({ cells: 1 })).toThrow('cells must be at least 2')
    expect(() => open({ synapsesPerSegment: 300 })).toThrow('synapsesPerSegment must be from 1 to 255, got 300')
    expect(() => open({}).step([1, 2, 3, 4, 5, 6, 7])).toThrow('columns must be at most active (6), got 7')
  })
})
