import type { Random } from '../../math/random.ts'

/** Makes of a set of input bits a set of columns of one size, and learns which. */
export interface SpatialPooler {
  /** The winning columns of an input of zeros and ones, in order; the array is used again by the next call. */
  pool(input: Uint8Array, learn: boolean): Uint16Array
  /** What `pool` learns of an input, given the columns that won with it. */
  learn(input: Uint8Array, winners: ArrayLike<number>): void
  state(): SpatialPoolerState
}

export interface SpatialPoolerOptions {
  readonly inputs: number
  readonly columns: number
  /** Columns that win each time. */
  readonly active: number
  /** Share of the inputs that a column may connect to. */
  readonly potential: number
  /** A synapse is connected from this permanence on. */
  readonly connected: number
  readonly increment: number
  readonly decrement: number
}

/** Plain data from which a pooler goes on: 2 bytes for each column and input. */
export interface SpatialPoolerState {
  /** Column by column, in steps of 1 / 2000; −1 where there is no synapse. */
  readonly permanences: Int16Array
}

/** Steps in a permanence of 1: what the increment and decrement of the Numenta Anomaly Benchmark are whole numbers of. */
export const POOLER_STEPS = 2000
/** A word counts four columns, so many bits each without a carry. */
const MOST_AT_ONCE = 255

/**
 * Spatial pooler with global inhibition (Cui, Ahmad & Hawkins 2017, "The HTM Spatial Pooler"): the columns with most connected synapses on set
 * inputs win, ties going to the lower number, and winners move their permanences towards the input. Departures: no boosting and
 * no stimulus threshold; permanences are whole steps. Takes 3 bytes for each column and input.
 */
export function openSpatialPooler(options: SpatialPoolerOptions, random: Random, from?: SpatialPoolerState): SpatialPooler {
  const { inputs, columns, active } = options
  if (!(active <= columns && columns <= 65_536)) {
    throw new RangeError(`columns must be from active (${active}) to 65536, got ${columns}`)
  }
  const connected = Math.round(options.connected * POOLER_STEPS)
  const increment = Math.round(options.increment * POOLER_STEPS)
  const decrement = Math.round(options.decrement * POOLER_STEPS)
  const trim = increment / 2
  const permanences = from?.permanences.slice() ?? drawPermanences(options, connected, random)
  // Input by input, four columns to a word: sums of 255 words at most carry nothing from one column into the next.
  const words = Math.ceil(columns / 4)
  const isConnected = new Uint8Array(inputs * words * 4)
  const connectedWords = new Uint32Array(isConnected.buffer)
  const sums = new Uint8Array(words * 4)
  const sumWords = new Uint32Array(sums.buffer)
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < inputs; i++) if (permanences[c * inputs + i] >= connected) isConnected[i * words * 4 + c] = 1
  }
  const set = new Int32Array(inputs)
  const overlaps = new Uint16Array(columns)
  const counts = new Uint32Array(inputs + 1)
  const winners = new Uint16Array(active)

  function countOverlaps(input: Uint8Array): number {
    let total = 0
    for (let i = 0; i < inputs; i++) if (input[i] !== 0) set[total++] = i * words
    overlaps.fill(0)
    for (let from = 0; from < total; from += MOST_AT_ONCE) {
      const to = Math.min(total, from + MOST_AT_ONCE)
      sumWords.fill(0)
      let k = from
      for (; k + 3 < to; k += 4) {
        const a = set[k]
        const b = set[k + 1]
        const c = set[k + 2]
        const d = set[k + 3]
        for (let w = 0; w < words; w++) {
          sumWords[w] += connectedWords[a + w] + connectedWords[b + w] + connectedWords[c + w] + connectedWords[d + w]
        }
      }
      for (; k < to; k++) for (let w = 0, a = set[k]; w < words; w++) sumWords[w] += connectedWords[a + w]
      for (let c = 0; c < columns; c++) overlaps[c] += sums[c]
    }
    return total
  }

  function chooseWinners(most: number): void {
    counts.fill(0)
    for (let c = 0; c < columns; c++) counts[overlaps[c]]++
    let limit = most
    let above = 0
    while (above + counts[limit] < active) above += counts[limit--]
    let ties = active - above
    let count = 0
    for (let c = 0; count < active; c++) {
      if (overlaps[c] > limit || (overlaps[c] === limit && ties-- > 0)) winners[count++] = c
    }
  }

  function adapt(column: number, input: Uint8Array): void {
    const base = column * inputs
    for (let i = 0; i < inputs; i++) {
      const before = permanences[base + i]
      if (input[i] === 0) {
        if (before <= 0) continue
        const after = before - decrement
        permanences[base + i] = after < trim ? 0 : after
        if (before >= connected && after < connected) isConnected[i * words * 4 + column] = 0
      } else if (before >= 0) {
        const after = before + increment
        permanences[base + i] = after > POOLER_STEPS ? POOLER_STEPS : after
        if (before < connected && after >= connected) isConnected[i * words * 4 + column] = 1
      }
    }
  }

  function learn(input: Uint8Array, columns: ArrayLike<number>): void {
    for (let k = 0; k < columns.length; k++) adapt(columns[k], input)
  }

  return {
    pool(input, isLearning) {
      chooseWinners(countOverlaps(input))
      if (isLearning) learn(input, winners)
      return winners
    },
    learn,
    state: () => ({ permanences: permanences.slice() }),
  }
}

/** Half of the synapses start connected, uniform from `connected` to 1, the others uniform below. */
function drawPermanences({ inputs, columns, potential }: SpatialPoolerOptions, connected: number, random: Random): Int16Array {
  const permanences = new Int16Array(columns * inputs).fill(-1)
  let missing = 0
  for (let k = 0; k < permanences.length; k++) {
    const left = inputs - (k % inputs)
    if (left === inputs) missing = Math.round(potential * inputs)
    if (random.next() * left >= missing) continue
    missing--
    const isConnected = random.next() < 0.5
    permanences[k] = isConnected
      ? connected + Math.floor((POOLER_STEPS + 1 - connected) * random.next())
      : Math.floor(connected * random.next())
  }
  return permanences
}
