import type { Random } from '../../math/random.ts'

/** Segments of cells with their synapses, in bounded memory, and for each cell the synapses that come from it. */
export interface Segments {
  /** The cell of a segment; −1 where there is none. */
  ownerOf(segment: number): number
  /** Segments of a cell. */
  countOf(cell: number): number
  /** Segments there are. */
  count(): number
  /** Counts for each segment its synapses from these cells; gives how many segments have some, which `touched` lists and `tallies` counts. */
  tally(cells: ArrayLike<number>, size: number, isConnectedOnly: boolean): number
  readonly touched: Int32Array
  /** By place in `touched`. */
  readonly tallies: Uint8Array
  /** A segment without synapses; the weakest makes room. */
  add(cell: number): number
  /** Moves permanences towards what was active; false when the segment ended by it. */
  adapt(segment: number, wasActive: Uint8Array, increment: number, decrement: number): boolean
  /** Grows synapses to some of these cells that the segment does not know; the weakest make room. */
  grow(segment: number, cells: Int32Array, size: number, wanted: number): void
  state(): SegmentsState
}

export interface SegmentsOptions {
  readonly cells: number
  readonly perCell: number
  readonly synapsesPerSegment: number
  /** Segments in all. */
  readonly segments: number
  /** Permanence of a new synapse. */
  readonly initial: number
  /** A synapse is connected from this permanence on. */
  readonly connected: number
  /** Called before a segment ends. */
  readonly onEnd: (segment: number) => void
}

/** Plain data from which segments go on: 3 bytes for each synapse (5 when there are more than 65,536 cells), 5 for each segment. */
export interface SegmentsState {
  /** The cell of each segment; −1 where there is none. */
  readonly owners: Int32Array
  readonly sizes: Uint8Array
  /** Segments that ended, the last to be used again first at the end. */
  readonly free: Int32Array
  /** Synapses, segment by segment. */
  readonly sources: Uint16Array | Int32Array
  /** In steps of 1 / 200. */
  readonly permanences: Uint8Array
}

/** Steps in a permanence of 1, so that one takes a byte. */
export const SEGMENT_STEPS = 200
/** Of this many segments drawn, the weakest ends when there is no room for another. */
const DRAWS = 16

/** Permanences here are whole steps of 1 / `SEGMENT_STEPS`. Takes 9 bytes for each synapse that a segment may have, and 4 to 6 for each there is. */
export function openSegments(options: SegmentsOptions, random: Random, from?: SegmentsState): Segments {
  const { cells, perCell, synapsesPerSegment: width, segments: limit, initial, connected, onEnd } = options
  if (!(width >= 1 && width <= 255)) throw new RangeError(`synapsesPerSegment must be from 1 to 255, got ${width}`)

  // Segments. Those of a cell form a list by `siblings`.
  let room = 0
  let owners = new Int32Array(0)
  let sizes = new Uint8Array(0)
  let siblings = new Int32Array(0)
  let used = 0
  const free: number[] = []
  const firstOf = new Int32Array(cells).fill(-1)
  const counts = new Uint16Array(cells)

  // Synapses: those of segment s start at s × 2 ** shift. Of the list of those from a cell the connected ones come first.
  const shift = Math.ceil(Math.log2(width))
  let sources = new Int32Array(0)
  let permanences = new Uint8Array(0)
  let places = new Int32Array(0)
  const none = new Int32Array(0)
  const lists: Int32Array[] = Array.from({ length: cells }, () => none)
  const lengths = new Int32Array(cells)
  const strong = new Int32Array(cells)

  const tallyOf = new Uint8Array(limit)
  const touched = new Int32Array(limit)
  const tallies = new Uint8Array(limit)
  const isSource = new Uint8Array(cells)
  let candidates = new Int32Array(64)

  function makeRoom(needed: number): void {
    if (needed <= room) return
    room = Math.min(limit, Math.max(needed, 2 * room, 256))
    owners = widen(owners, new Int32Array(room))
    sizes = widen(sizes, new Uint8Array(room))
    siblings = widen(siblings, new Int32Array(room))
    sources = widen(sources, new Int32Array(room << shift))
    permanences = widen(permanences, new Uint8Array(room << shift))
    places = widen(places, new Int32Array(room << shift))
  }

  function swap(list: Int32Array, a: number, b: number): void {
    const synapse = list[a]
    list[a] = list[b]
    list[b] = synapse
    places[list[a]] = a
    places[synapse] = b
  }

  function connect(synapse: number): void {
    const source = sources[synapse]
    swap(lists[source], places[synapse], strong[source]++)
  }

  function disconnect(synapse: number): void {
    const source = sources[synapse]
    swap(lists[source], places[synapse], --strong[source])
  }

  function link(synapse: number, source: number): void {
    const size = lengths[source]++
    if (size === lists[source].length) lists[source] = widen(lists[source], new Int32Array(Math.max(8, size + (size >> 1))))
    sources[synapse] = source
    places[synapse] = size
    lists[source][size] = synapse
    if (permanences[synapse] >= connected) connect(synapse)
  }

  function unlink(synapse: number): void {
    if (permanences[synapse] >= connected) disconnect(synapse)
    const source = sources[synapse]
    swap(lists[source], places[synapse], --lengths[source])
  }

  function addSynapse(segment: number, source: number, permanence: number): void {
    const synapse = (segment << shift) + sizes[segment]++
    permanences[synapse] = permanence
    link(synapse, source)
  }

  /** The last synapse takes the place of the one that ends. */
  function removeSynapse(segment: number, synapse: number): void {
    unlink(synapse)
    const last = (segment << shift) + --sizes[segment]
    if (last === synapse) return
    unlink(last)
    permanences[synapse] = permanences[last]
    link(synapse, sources[last])
  }

  function end(segment: number): void {
    onEnd(segment)
    while (sizes[segment] > 0) removeSynapse(segment, (segment << shift) + sizes[segment] - 1)
    const cell = owners[segment]
    if (firstOf[cell] === segment) firstOf[cell] = siblings[segment]
    else {
      let before = firstOf[cell]
      while (siblings[before] !== segment) before = siblings[before]
      siblings[before] = siblings[segment]
    }
    counts[cell]--
    owners[segment] = -1
    free.push(segment)
  }

  function sumOf(segment: number): number {
    let sum = 0
    for (let k = segment << shift; k < (segment << shift) + sizes[segment]; k++) sum += permanences[k]
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
      const segment = Math.floor(random.next() * used)
      if (owners[segment] < 0) continue
      const sum = sumOf(segment)
      if (sum < least) {
        weakest = segment
        least = sum
      }
    }
    return weakest
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
      counts[cell]++
      for (let left = from.sizes[segment]; left > 0; left--, k++) addSynapse(segment, from.sources[k], from.permanences[k])
    }
  }

  return {
    ownerOf: segment => owners[segment],
    countOf: cell => counts[cell],
    count: () => used - free.length,
    touched,
    tallies,
    tally(active, size, isConnectedOnly) {
      let count = 0
      const ends = isConnectedOnly ? strong : lengths
      for (let i = 0; i < size; i++) {
        const list = lists[active[i]]
        const end = ends[active[i]]
        for (let j = 0; j < end; j++) {
          const segment = list[j] >> shift
          if (tallyOf[segment]++ === 0) touched[count++] = segment
        }
      }
      for (let i = 0; i < count; i++) {
        const segment = touched[i]
        tallies[i] = tallyOf[segment]
        tallyOf[segment] = 0
      }
      return count
    },
    add(cell) {
      if (counts[cell] >= perCell) end(weakestOf(cell))
      else if (used - free.length >= limit) end(weakestOfSome())
      const segment = free.pop() ?? used++
      makeRoom(used)
      owners[segment] = cell
      sizes[segment] = 0
      siblings[segment] = firstOf[cell]
      firstOf[cell] = segment
      counts[cell]++
      return segment
    },
    adapt(segment, wasActive, increment, decrement) {
      for (let k = (segment << shift) + sizes[segment] - 1; k >= segment << shift; k--) {
        const before = permanences[k]
        const after = before + (wasActive[sources[k]] ? increment : -decrement)
        if (after <= 0) {
          removeSynapse(segment, k)
          continue
        }
        permanences[k] = after > SEGMENT_STEPS ? SEGMENT_STEPS : after
        if (before < connected && after >= connected) connect(k)
        else if (before >= connected && after < connected) disconnect(k)
      }
      if (sizes[segment] > 0) return true
      end(segment)
      return false
    },
    grow(segment, cells, size, wanted) {
      const base = segment << shift
      for (let k = base; k < base + sizes[segment]; k++) isSource[sources[k]] = 1
      if (candidates.length < size) candidates = new Int32Array(2 * size)
      let left = 0
      for (let i = 0; i < size; i++) if (!isSource[cells[i]]) candidates[left++] = cells[i]
      for (let k = base; k < base + sizes[segment]; k++) isSource[sources[k]] = 0
      const count = Math.min(wanted, left, width)
      while (sizes[segment] + count > width) {
        let weakest = base
        for (let k = base + 1; k < base + sizes[segment]; k++) if (permanences[k] < permanences[weakest]) weakest = k
        removeSynapse(segment, weakest)
      }
      for (let k = 0; k < count; k++) {
        const at = k + Math.floor(random.next() * (left - k))
        addSynapse(segment, candidates[at], initial)
        candidates[at] = candidates[k]
      }
    },
    state() {
      let total = 0
      for (let segment = 0; segment < used; segment++) total += sizes[segment]
      const from = cells <= 65_536 ? new Uint16Array(total) : new Int32Array(total)
      const strengths = new Uint8Array(total)
      for (let segment = 0, k = 0; segment < used; k += sizes[segment++]) {
        const base = segment << shift
        from.set(sources.subarray(base, base + sizes[segment]), k)
        strengths.set(permanences.subarray(base, base + sizes[segment]), k)
      }
      return {
        owners: owners.slice(0, used),
        sizes: sizes.slice(0, used),
        free: Int32Array.from(free),
        sources: from,
        permanences: strengths,
      }
    },
  }
}

function widen<T extends Int32Array | Uint8Array>(before: T, after: T): T {
  after.set(before)
  return after
}
