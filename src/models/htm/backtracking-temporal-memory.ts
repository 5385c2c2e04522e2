import { type Random, seededRandom } from '../../math/random.ts'
import { openSegments, SEGMENT_STEPS, type SegmentsState } from './segments.ts'

/** Learns which sets of columns follow which, in pieces of bounded length, and says how unexpected the next one is. */
export interface BacktrackingTemporalMemory {
  /** The share of these columns that was not predicted, 0 … 1 (0 for no columns); changes nothing. */
  look(columns: ArrayLike<number>): number
  /** Takes the active columns of a row, in rising order; gives what `look` gives. */
  step(columns: ArrayLike<number>): number
  /** Forgets what came before this row, and nothing that was learned. */
  reset(): void
  /** Active cells, by column; cell k of column c is c × cells + k. All cells of a column that was not predicted are. */
  activeCells(): Int32Array
  /** Cells predicted for the next row, by number. */
  predictedCells(): Int32Array
  /** Segments there are; at most `segments`. */
  count(): number
  state(): BacktrackingTemporalMemoryState
}

export interface BacktrackingTemporalMemoryOptions {
  readonly columns: number
  /** Cells in a column; the first is its start cell. */
  readonly cells: number
  /** Columns active at a time, at most. */
  readonly active: number
  /** Synapses on active cells that make a segment active: connected ones where it predicts, any where it learns. */
  readonly activation: number
  /** Synapses on active cells that make a segment match. */
  readonly minimum: number
  /** Synapses that a learning segment grows to. */
  readonly growth: number
  readonly initial: number
  /** A synapse is connected from this permanence on. */
  readonly connected: number
  readonly increment: number
  readonly decrement: number
  readonly segmentsPerCell: number
  readonly synapsesPerSegment: number
  /** Segments in all: each takes 9 bytes for each synapse it may have, 14, and 4 to 6 for each synapse it has. */
  readonly segments: number
  /** Rows from which locking on to a learned sequence is tried when predictions fail; 0 for never. */
  readonly backtrack: number
  /** The same for the sequence that is being learned. */
  readonly learningBacktrack: number
  /** Rows on end of failing predictions after which learning starts another sequence. */
  readonly patience: number
  /** Rows in a learned sequence, at most. */
  readonly longest: number
}

/** Plain data from which a memory goes on. */
export interface BacktrackingTemporalMemoryState extends SegmentsState {
  readonly random: number
  readonly active: Int32Array
  readonly predicted: Int32Array
  /** The one cell in each column that the sequence being learned is in. */
  readonly learning: Int32Array
  /** Earlier rows, oldest first, with their sizes. */
  readonly rows: Int32Array
  readonly rowSizes: Int32Array
  readonly learningRows: Int32Array
  readonly learningRowSizes: Int32Array
  readonly patience: number
  readonly length: number
  /** 1 when nothing came before. */
  readonly isFirst: number
}

/**
 * The temporal memory with backtracking that leads its family on the Numenta Anomaly Benchmark (sequence learning after Hawkins, Ahmad & Dubinsky
 * 2011, "HTM Cortical Learning Algorithms", chapter 4). Two states go side by side. One predicts: all cells of an unpredicted column become active, and
 * when fewer than half of the columns were predicted, or too few are next, earlier rows are played again from start cells until
 * one start leads to here. The other learns: one cell a column, from start cells on, along what it predicts, going on for `patience` rows without
 * and over at most `longest` rows. Departures: segments end by the sum of their permanences; no duty cycles; permanences are whole steps.
 */
export function openBacktrackingTemporalMemory(
  options: BacktrackingTemporalMemoryOptions,
  random: Random,
  from?: BacktrackingTemporalMemoryState,
): BacktrackingTemporalMemory {
  const { columns, cells, active: most, activation, minimum, growth } = options
  if (!(minimum >= 1 && minimum <= activation)) {
    throw new RangeError(`minimum must be from 1 to activation (${activation}), got ${minimum}`)
  }
  if (!(cells >= 2)) throw new RangeError(`cells must be at least 2, one of which starts sequences, got ${cells}`)
  const size = columns * cells
  const increment = steps(options.increment)
  const decrement = steps(options.decrement)
  const draw = from ? seededRandom(from.random) : random
  const segments = openSegments(
    {
      cells: size,
      perCell: options.segmentsPerCell,
      synapsesPerSegment: options.synapsesPerSegment,
      segments: options.segments,
      initial: steps(options.initial),
      connected: steps(options.connected),
      onEnd: forget,
    },
    draw,
    from,
  )
  const { touched, tallies } = segments

  // The state that predicts.
  const active = new Int32Array(most * cells)
  let activeCount = 0
  const burst = new Int32Array(most * cells)
  const predicted = new Int32Array(size)
  let predictedCount = 0
  let predictedColumns = 0
  const isPredicted = new Uint8Array(size)
  const isForetold = new Uint8Array(columns)
  let rows: Int32Array[] = []

  // The state that learns. The best segment of a column is −1 where none matches.
  let learning = new Int32Array(most)
  let learningCount = 0
  let spare = new Int32Array(most)
  const wasLearning = new Uint8Array(size)
  const bestOf = new Int32Array(columns).fill(-1)
  const bestTally = new Uint8Array(columns)
  const matched = new Int32Array(columns)
  let matchedCount = 0
  let learningRows: Int32Array[] = []
  let patience = options.patience
  let length = 0
  let isFirst = true

  function forget(segment: number): void {
    const column = Math.floor(segments.ownerOf(segment) / cells)
    if (bestOf[column] === segment) bestOf[column] = -1
  }

  function clearPredicted(): void {
    for (let i = 0; i < predictedCount; i++) {
      isPredicted[predicted[i]] = 0
      isForetold[(predicted[i] / cells) | 0] = 0
    }
    predictedCount = 0
    predictedColumns = 0
  }

  /** Predicts a cell, once. */
  function predict(cell: number): void {
    if (isPredicted[cell]) return
    isPredicted[cell] = 1
    predicted[predictedCount++] = cell
    const column = (cell / cells) | 0
    if (!isForetold[column]) predictedColumns++
    isForetold[column] = 1
  }

  /** False when fewer than half of the columns were predicted. */
  function activate(on: Int32Array, isStart: boolean): boolean {
    activeCount = 0
    let hits = 0
    for (let i = 0; i < on.length; i++) {
      const start = on[i] * cells
      if (isStart) active[activeCount++] = start
      else if (isForetold[on[i]]) {
        hits++
        for (let cell = start; cell < start + cells; cell++) if (isPredicted[cell]) active[activeCount++] = cell
      } else for (let cell = start; cell < start + cells; cell++) active[activeCount++] = cell
    }
    return isStart || 2 * hits >= on.length
  }

  /** False when fewer columns are predicted than half of those active at a time. */
  function foretell(): boolean {
    clearPredicted()
    const count = segments.tally(active, activeCount, true)
    for (let i = 0; i < count; i++) if (tallies[i] >= activation) predict(segments.ownerOf(touched[i]))
    return 2 * predictedColumns >= most
  }

  function infer(on: Int32Array): void {
    if (options.backtrack === 0) {
      activate(on, isFirst)
      foretell()
      return
    }
    if (rows.length >= options.backtrack) rows.shift()
    rows.push(on)
    if (activate(on, isFirst) && foretell()) return
    burst.set(active)
    const burstCount = activeCount
    for (let start = 0; start < rows.length; start++) {
      let at = start
      while (at < rows.length && activate(rows[at], at === start) && foretell()) at++
      if (at < rows.length) continue
      rows = rows.slice(start + 1)
      return
    }
    rows = []
    active.set(burst)
    activeCount = burstCount
    foretell()
  }

  /** Finds for each column the segment that matches the learning state best; of equals the lower number. */
  function match(): void {
    for (let i = 0; i < matchedCount; i++) {
      bestOf[matched[i]] = -1
      bestTally[matched[i]] = 0
    }
    matchedCount = 0
    const count = segments.tally(learning, learningCount, false)
    for (let i = 0; i < count; i++) {
      const tally = tallies[i]
      if (tally < minimum) continue
      const segment = touched[i]
      const column = (segments.ownerOf(segment) / cells) | 0
      if (bestTally[column] === 0) matched[matchedCount++] = column
      if (tally > bestTally[column] || (tally === bestTally[column] && segment < bestOf[column])) {
        bestTally[column] = tally
        bestOf[column] = segment
      }
    }
  }

  /** Makes what `spare` holds the learning state. */
  function move(count: number): void {
    for (let i = 0; i < learningCount; i++) wasLearning[learning[i]] = 0
    ;[learning, spare] = [spare, learning]
    learningCount = count
    for (let i = 0; i < count; i++) wasLearning[learning[i]] = 1
  }

  function start(on: Int32Array): void {
    for (let i = 0; i < on.length; i++) spare[i] = on[i] * cells
    move(on.length)
  }

  function reinforce(column: number): void {
    const wanted = growth - bestTally[column]
    const segment = bestOf[column]
    if (segments.adapt(segment, wasLearning, increment, decrement) && wanted > 0) {
      segments.grow(segment, learning, learningCount, wanted)
    }
  }

  const isExpected = (column: number) => bestOf[column] >= 0 && bestTally[column] >= activation

  /** Goes on along predictions; unpredicted columns get a cell and learn, or none when nothing shall be learned. False when half or more were unpredicted. */
  function follow(on: Int32Array, isLearning: boolean): boolean {
    let count = 0
    let misses = 0
    for (let i = 0; i < on.length; i++) {
      const column = on[i]
      if (!isExpected(column)) misses++
      if (isExpected(column) || (isLearning && bestOf[column] >= 0)) {
        spare[count++] = segments.ownerOf(bestOf[column])
        if (isLearning) reinforce(column)
      } else if (isLearning) {
        const cell = leastUsedCell(column)
        spare[count++] = cell
        if (learningCount > 0) segments.grow(segments.add(cell), learning, learningCount, growth)
      }
    }
    move(count)
    return 2 * misses < on.length
  }

  function leastUsedCell(column: number): number {
    let least = Infinity
    let ties = 0
    const first = column * cells + 1
    for (let cell = first; cell < (column + 1) * cells; cell++) {
      const count = segments.countOf(cell)
      if (count < least) {
        least = count
        ties = 0
      }
      if (count === least) ties++
    }
    let skip = Math.floor(draw.next() * ties)
    let cell = first
    while (segments.countOf(cell) !== least || skip-- > 0) cell++
    return cell
  }

  function learn(on: Int32Array): void {
    if (learningRows.length >= options.learningBacktrack) learningRows.shift()
    learningRows.push(on)
    if (patience > 0) patience--
    length++
    if (!isFirst && follow(on, true)) patience = options.patience
    if (isFirst || patience === 0 || length >= options.longest) {
      length = startAnew()
      patience = options.patience
    }
    match()
  }

  /** Starts at the earliest row from which a learned sequence leads to here; gives how many rows it lies back. */
  function startAnew(): number {
    const last = learningRows.length - 1
    for (let from = 0; from < last; from++) {
      start(learningRows[from])
      let at = from + 1
      while (at <= last) {
        match()
        if (!follow(learningRows[at], false)) break
        at++
      }
      if (at <= last) continue
      learningRows = learningRows.slice(from)
      return last - from
    }
    start(learningRows[last])
    learningRows = [learningRows[last]]
    return 0
  }

  function look(on: ArrayLike<number>): number {
    let surprises = 0
    for (let i = 0; i < on.length; i++) if (!isForetold[on[i]]) surprises++
    return on.length > 0 ? surprises / on.length : 0
  }

  if (from) {
    active.set(from.active)
    activeCount = from.active.length
    for (const cell of from.predicted) predict(cell)
    spare.set(from.learning)
    move(from.learning.length)
    match()
    rows = split(from.rows, from.rowSizes)
    learningRows = split(from.learningRows, from.learningRowSizes)
    patience = from.patience
    length = from.length
    isFirst = from.isFirst === 1
  }

  return {
    look,
    step(columns) {
      const on = Int32Array.from(columns)
      if (on.length > most) throw new RangeError(`columns must be at most active (${most}), got ${on.length}`)
      const surprise = look(on)
      learn(on)
      infer(on)
      isFirst = false
      return surprise
    },
    reset() {
      clearPredicted()
      activeCount = 0
      move(0)
      match()
      rows = []
      learningRows = []
      patience = options.patience
      length = 0
      isFirst = true
    },
    activeCells: () => active.slice(0, activeCount),
    predictedCells: () => predicted.slice(0, predictedCount).sort(),
    count: segments.count,
    state: () => ({
      ...segments.state(),
      random: draw.state(),
      active: active.slice(0, activeCount),
      predicted: predicted.slice(0, predictedCount).sort(),
      learning: learning.slice(0, learningCount),
      rows: join(rows),
      rowSizes: Int32Array.from(rows, row => row.length),
      learningRows: join(learningRows),
      learningRowSizes: Int32Array.from(learningRows, row => row.length),
      patience,
      length,
      isFirst: isFirst ? 1 : 0,
    }),
  }
}

const steps = (permanence: number) => Math.round(permanence * SEGMENT_STEPS)

const join = (rows: readonly Int32Array[]) => Int32Array.from(rows.flatMap(row => [...row]))

function split(rows: Int32Array, sizes: Int32Array): Int32Array[] {
  let at = 0
  return Array.from(sizes, size => rows.slice(at, (at += size)))
}
