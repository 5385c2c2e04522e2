import { type Random, seededRandom } from '../../math/random.ts'

/** Learns which sets of columns follow which, and says how unexpected the next one is. */
export interface TemporalMemory {
  /** Takes the active columns of a row, in rising order; gives the share that was not predicted, 0 … 1 (0 for no columns). */
  step(columns: ArrayLike<number>, learn: boolean): number
  /** Forgets what came before this row, and nothing that was learned. */
  reset(): void
  /** Active cells, in rising order; cell k of column c is c × cells + k. */
  activeCells(): Uint32Array
  /** Segments there are; at most `segments`. */
  count(): number
  state(): TemporalMemoryState
}

export interface TemporalMemoryOptions {
  readonly columns: number
  /** Cells in a column. */
  readonly cells: number
  /** Connected synapses on active cells that make a segment active. */
  readonly activation: number
  /** Synapses on active cells that make a segment match. */
  readonly minimum: number
  /** Synapses on winners that a learning segment grows to. */
  readonly growth: number
  readonly initial: number
  /** A synapse is connected from this permanence on. */
  readonly connected: number
  readonly increment: number
  readonly decrement: number
  /** What synapses of segments lose that matched in a column that stayed inactive. */
  readonly punishment: number
  readonly segmentsPerCell: number
  readonly synapsesPerSegment: number
  /** Segments in all: each takes 16 bytes for each synapse it may have, and 14. */
  readonly segments: number
}

/** Plain data from which a memory goes on: 8 bytes for each synapse, 8 for each segment. */
export interface TemporalMemoryState {
  readonly random: number
  /** The cell of each segment; −1 where there is none. */
  readonly owners: Int32Array
  readonly sizes: Int32Array
  /** Segments that ended, the last to be used again first at the end. */
  readonly free: Int32Array
  /** Synapses, segment by segment. */
  readonly sources: Int32Array
  readonly permanences: Float32Array
  readonly active: Uint32Array
  readonly winners: Uint32Array
}

/** Of this many segments drawn, the weakest ends when there is no room for another. */
const DRAWS = 16

/**
 * Temporal memory (Hawkins & Ahmad 2016, "Why neurons have thousands of synapses"; the plain one of the Numenta Anomaly Benchmark). Departures:
 * segments end by the sum of their permanences, not by age; rows are learned in four rounds: correct predictions, matches in bursting columns,
 * wrong matches, new segments.
 */
export function openTemporalMemory(options: TemporalMemoryOptions, random: Random, from?: TemporalMemoryState): TemporalMemory {
  const { columns, cells, activation, minimum, growth, segmentsPerCell, synapsesPerSegment: width, segments } = options
  if (!(minimum >= 1 && minimum <= activation)) {
    throw new RangeError(`minimum must be from 1 to activation (${activation}), got ${minimum}`)
  }
  const initial = Math.fround(options.initial)
  const connected = Math.fround(options.connected)
  const draw = from ? seededRandom(from.random) : random

  // Segments. Those of a cell form a list by `siblings`.
  let room = 0
  let owners = new Int32Array(0)
  let sizes = new Uint16Array(0)
  let siblings = new Int32Array(0)
  let potentials = new Uint16Array(0)
  let strengths = new Uint16Array(0)
  let used = 0
  const free: number[] = []
  const firstOf = new Int32Array(columns * cells).fill(-1)
  const countOf = new Uint16Array(columns * cells)

  // Synapses: those of segment s start at s × width. Those from a cell form a list by `nexts` and `previouses`.
  let sources = new Int32Array(0)
  let permanences = new Float32Array(0)
  let nexts = new Int32Array(0)
  let previouses = new Int32Array(0)
  const heads = new Int32Array(columns * cells).fill(-1)

  let active = new Uint32Array(0)
  let winners = new Uint32Array(0)
  let wasActive = new Uint8Array(columns * cells)
  let isActive = new Uint8Array(columns * cells)
  const isSource = new Uint8Array(columns * cells)
  const isOn = new Uint8Array(columns)
  /** The segment of a bursting column that matched best; −1 is none. */
  const bestOf = new Int32Array(columns)
  const isForetold = new Uint8Array(columns)
  let touched: number[] = []
  let activeSegments = new Uint32Array(0)
  let matchingSegments = new Uint32Array(0)

  function makeRoom(needed: number): void {
    if (needed <= room) return
    room = Math.min(segments, Math.max(needed, 2 * room, 256))
    owners = widen(owners, new Int32Array(room))
    sizes = widen(sizes, new Uint16Array(room))
    siblings = widen(siblings, new Int32Array(room))
    potentials = widen(potentials, new Uint16Array(room))
    strengths = widen(strengths, new Uint16Array(room))
    sources = widen(sources, new Int32Array(room * width))
    permanences = widen(permanences, new Float32Array(room * width))
    nexts = widen(nexts, new Int32Array(room * width))
    previouses = widen(previouses, new Int32Array(room * width))
  }

  function link(synapse: number, source: number): void {
    sources[synapse] = source
    const next = heads[source]
    nexts[synapse] = next
    previouses[synapse] = -1
    if (next >= 0) previouses[next] = synapse
    heads[source] = synapse
  }

  function unlink(synapse: number): void {
    const next = nexts[synapse]
    const previous = previouses[synapse]
    if (next >= 0) previouses[next] = previous
    if (previous >= 0) nexts[previous] = next
    else heads[sources[synapse]] = next
  }

  function addSynapse(segment: number, source: number, permanence: number): void {
    const synapse = segment * width + sizes[segment]++
    permanences[synapse] = permanence
    link(synapse, source)
  }

  /** The last synapse takes the place of the one that ends. */
  function removeSynapse(segment: number, synapse: number): void {
    unlink(synapse)
    const last = segment * width + --sizes[segment]
    if (last === synapse) return
    unlink(last)
    permanences[synapse] = permanences[last]
    link(synapse, sources[last])
  }

  function addSegment(cell: number): number {
    if (countOf[cell] >= segmentsPerCell) removeSegment(weakestOf(cell))
    else if (used - free.length >= segments) removeSegment(weakestOfSome())
    const segment = free.pop() ?? used++
    makeRoom(used)
    owners[segment] = cell
    sizes[segment] = 0
    potentials[segment] = 0
    strengths[segment] = 0
    siblings[segment] = firstOf[cell]
    firstOf[cell] = segment
    countOf[cell]++
    return segment
  }

  function removeSegment(segment: number): void {
    while (sizes[segment] > 0) removeSynapse(segment, segment * width + sizes[segment] - 1)
    const cell = owners[segment]
    if (firstOf[cell] === segment) firstOf[cell] = siblings[segment]
    else {
      let before = firstOf[cell]
      while (siblings[before] !== segment) before = siblings[before]
      siblings[before] = siblings[segment]
    }
    countOf[cell]--
    owners[segment] = -1
    free.push(segment)
  }

  function sumOf(segment: number): number {
    let sum = 0
    for (let k = segment * width; k < segment * width + sizes[segment]; k++) sum += permanences[k]
    return sum
  }

  function weakestOf(cell: number): number {
    let weakest = -1
    let least = Infinity
    for (let segment = firstOf[cell]; segment >= 0; segment = siblings[segment]) {
      const sum = sumOf(segment)
      if (sum < least || (sum === least && segment < weakest)) {
        weakest = segment
        least = sum
      }
    }
    return weakest
  }

  function weakestOfSome(): number {
    let weakest = -1
    let least = Infinity
    for (let tries = 0; tries < DRAWS || weakest < 0; tries++) {
      const segment = Math.floor(draw.next() * used)
      if (owners[segment] < 0) continue
      const sum = sumOf(segment)
      if (sum < least) {
        weakest = segment
        least = sum
      }
    }
    return weakest
  }

  /** Moves permanences towards what was active; false when the segment ended by it. */
  function adapt(segment: number, increment: number, decrement: number): boolean {
    for (let k = segment * width + sizes[segment] - 1; k >= segment * width; k--) {
      const moved = permanences[k] + (wasActive[sources[k]] ? increment : -decrement)
      permanences[k] = Math.min(1, moved)
      if (permanences[k] < 1e-6) removeSynapse(segment, k)
    }
    if (sizes[segment] > 0) return true
    removeSegment(segment)
    return false
  }

  /** Grows synapses to random winners that the segment does not know; the weakest make room. */
  function grow(segment: number, wanted: number): void {
    const base = segment * width
    for (let k = base; k < base + sizes[segment]; k++) isSource[sources[k]] = 1
    const candidates = winners.filter(cell => !isSource[cell])
    for (let k = base; k < base + sizes[segment]; k++) isSource[sources[k]] = 0
    const count = Math.min(wanted, candidates.length, width)
    while (sizes[segment] + count > width) {
      let weakest = base
      for (let k = base + 1; k < base + sizes[segment]; k++) if (permanences[k] < permanences[weakest]) weakest = k
      removeSynapse(segment, weakest)
    }
    for (let k = 0; k < count; k++) {
      const at = k + Math.floor(draw.next() * (candidates.length - k))
      addSynapse(segment, candidates[at], initial)
      candidates[at] = candidates[k]
    }
  }

  function leastUsedCell(column: number): number {
    let least = Infinity
    let ties = 0
    for (let cell = column * cells; cell < (column + 1) * cells; cell++) {
      if (countOf[cell] < least) {
        least = countOf[cell]
        ties = 0
      }
      if (countOf[cell] === least) ties++
    }
    let skip = Math.floor(draw.next() * ties)
    let cell = column * cells
    while (countOf[cell] !== least || skip-- > 0) cell++
    return cell
  }

  function foretell(): void {
    for (const segment of touched) {
      potentials[segment] = 0
      strengths[segment] = 0
    }
    touched = []
    for (const cell of active) {
      for (let k = heads[cell]; k >= 0; k = nexts[k]) {
        const segment = (k / width) | 0
        if (potentials[segment]++ === 0) touched.push(segment)
        if (permanences[k] >= connected) strengths[segment]++
      }
    }
    activeSegments = Uint32Array.from(touched.filter(segment => strengths[segment] >= activation)).sort()
    matchingSegments = Uint32Array.from(touched.filter(segment => potentials[segment] >= minimum)).sort()
  }

  function learnRow(on: ArrayLike<number>, nextWinners: Uint32Array, newcomers: readonly number[]): void {
    const { increment, decrement, punishment } = options
    const reinforced: number[] = []
    for (const segment of activeSegments) if (isOn[Math.floor(owners[segment] / cells)]) reinforced.push(segment)
    for (let i = 0; i < on.length; i++) if (!isForetold[on[i]] && bestOf[on[i]] >= 0) reinforced.push(bestOf[on[i]])
    for (const segment of reinforced) {
      const wanted = growth - potentials[segment]
      if (adapt(segment, increment, decrement) && wanted > 0) grow(segment, wanted)
    }
    if (punishment > 0) {
      for (const segment of matchingSegments) {
        if (owners[segment] >= 0 && !isOn[Math.floor(owners[segment] / cells)]) adapt(segment, -punishment, 0)
      }
    }
    if (winners.length === 0) return
    for (const place of newcomers) grow(addSegment(nextWinners[place]), growth)
  }

  if (from) {
    used = from.owners.length
    makeRoom(used)
    free.push(...from.free)
    let k = 0
    for (let segment = 0; segment < used; segment++) {
      const cell = from.owners[segment]
      owners[segment] = cell
      if (cell < 0) continue
      siblings[segment] = firstOf[cell]
      firstOf[cell] = segment
      countOf[cell]++
      for (let left = from.sizes[segment]; left > 0; left--, k++) addSynapse(segment, from.sources[k], from.permanences[k])
    }
    active = from.active.slice()
    winners = from.winners.slice()
    for (const cell of active) wasActive[cell] = 1
    foretell()
  }

  return {
    step(on, learn) {
      for (let i = 0; i < on.length; i++) {
        isOn[on[i]] = 1
        isForetold[on[i]] = 0
        bestOf[on[i]] = -1
      }
      const nextActive: number[] = []
      const nextWinners: number[] = []
      for (const segment of activeSegments) {
        const cell = owners[segment]
        const column = Math.floor(cell / cells)
        if (!isOn[column]) continue
        isForetold[column] = 1
        if (isActive[cell]) continue
        isActive[cell] = 1
        nextActive.push(cell)
        nextWinners.push(cell)
      }
      for (const segment of matchingSegments) {
        const column = Math.floor(owners[segment] / cells)
        if (!isOn[column] || isForetold[column]) continue
        if (bestOf[column] < 0 || potentials[segment] > potentials[bestOf[column]]) bestOf[column] = segment
      }
      let surprises = 0
      const newcomers: number[] = []
      for (let i = 0; i < on.length; i++) {
        if (isForetold[on[i]]) continue
        surprises++
        for (let cell = on[i] * cells; cell < (on[i] + 1) * cells; cell++) {
          isActive[cell] = 1
          nextActive.push(cell)
        }
        if (bestOf[on[i]] < 0) newcomers.push(nextWinners.length)
        nextWinners.push(bestOf[on[i]] < 0 ? leastUsedCell(on[i]) : owners[bestOf[on[i]]])
      }
      const won = Uint32Array.from(nextWinners)
      if (learn) learnRow(on, won, newcomers)

      for (let i = 0; i < on.length; i++) isOn[on[i]] = 0
      for (const cell of active) wasActive[cell] = 0
      ;[wasActive, isActive] = [isActive, wasActive]
      active = Uint32Array.from(nextActive).sort()
      winners = won.sort()
      foretell()
      return on.length > 0 ? surprises / on.length : 0
    },
    reset() {
      for (const cell of active) wasActive[cell] = 0
      active = new Uint32Array(0)
      winners = new Uint32Array(0)
      foretell()
    },
    activeCells: () => active.slice(),
    count: () => used - free.length,
    state() {
      const kept: number[] = []
      for (let segment = 0; segment < used; segment++) {
        if (owners[segment] < 0) continue
        for (let k = segment * width; k < segment * width + sizes[segment]; k++) kept.push(k)
      }
      return {
        random: draw.state(),
        owners: owners.slice(0, used),
        sizes: Int32Array.from(sizes.subarray(0, used)),
        free: Int32Array.from(free),
        sources: Int32Array.from(kept, k => sources[k]),
        permanences: Float32Array.from(kept, k => permanences[k]),
        active: active.slice(),
        winners: winners.slice(),
      }
    },
  }
}

function widen<T extends Int32Array | Uint16Array | Float32Array>(before: T, after: T): T {
  after.set(before)
  return after
}
