import type { Random } from '../../math/random.ts'

/** Makes of a set of input bits a set of columns of one size, and learns which. */
export interface SpatialPooler {
  /** The winning columns of an input of zeros and ones, in order; the array is used again by the next call. */
  pool(input: Uint8Array, learn: boolean): Uint16Array
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

/** Plain data from which a pooler goes on: 4 bytes for each column and input. */
export interface SpatialPoolerState {
  /** Column by column; −1 where there is no synapse. */
  readonly permanences: Float32Array
}

/**
 * Spatial pooler with global inhibition (Cui, Ahmad & Hawkins 2017, "The HTM Spatial Pooler"): the columns with most connected synapses on set
 * inputs win, ties going to the lower number, and winners move their permanences towards the input. Departures: no boosting and
 * no stimulus threshold. Takes 5 bytes for each column and input.
 */
export function openSpatialPooler(options: SpatialPoolerOptions, random: Random, from?: SpatialPoolerState): SpatialPooler {
  const { inputs, columns, active, connected, increment, decrement } = options
  if (!(active <= columns && columns <= 65_536)) {
    throw new RangeError(`columns must be from active (${active}) to 65536, got ${columns}`)
  }
  const least = Math.fround(connected)
  const trim = increment / 2
  const permanences = from?.permanences.slice() ?? drawPermanences(options, random)
  // Input by input, four columns to a word: sums of 255 words at most carry nothing from one column into the next.
  const words = Math.ceil(columns / 4)
  const isConnected = new Uint8Array(inputs * words * 4)
  const connectedWords = new Uint32Array(isConnected.buffer)
  const sums = new Uint8Array(words * 4)
  const sumWords = new Uint32Array(sums.buffer)
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < inputs; i++) if (permanences[c * inputs + i] >= least) isConnected[i * words * 4 + c] = 1
  }
  const overlaps = new Uint16Array(columns)
  const counts = new Uint32Array(inputs + 1)
  const winners = new Uint16Array(active)

  function countOverlaps(input: Uint8Array): void {
    overlaps.fill(0)
    for (let i = 0; i < inputs; ) {
      sumWords.fill(0)
      for (let added = 0; i < inputs && added < 255; i++) {
        if (!input[i]) continue
        added++
        const base = i * words
        for (let w = 0; w < words; w++) sumWords[w] += connectedWords[base + w]
      }
      for (let c = 0; c < columns; c++) overlaps[c] += sums[c]
    }
  }

  function chooseWinners(): void {
    counts.fill(0)
    for (let c = 0; c < columns; c++) counts[overlaps[c]]++
    let limit = inputs
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
      if (before < 0) continue
      const moved = before + (input[i] ? increment : -decrement)
      permanences[base + i] = moved < trim ? 0 : Math.min(1, moved)
      const is = permanences[base + i] >= least
      if (is !== before >= least) isConnected[i * words * 4 + column] = is ? 1 : 0
    }
  }

  return {
    pool(input, learn) {
      countOverlaps(input)
      chooseWinners()
      if (learn) for (const column of winners) adapt(column, input)
      return winners
    },
    state: () => ({ permanences: permanences.slice() }),
  }
}

/** Half of the synapses start connected, uniform from `connected` to 1, the others uniform below. */
function drawPermanences({ inputs, columns, potential, connected }: SpatialPoolerOptions, random: Random): Float32Array {
  const permanences = new Float32Array(columns * inputs).fill(-1)
  let missing = 0
  for (let k = 0; k < permanences.length; k++) {
    const left = inputs - (k % inputs)
    if (left === inputs) missing = Math.round(potential * inputs)
    if (random.next() * left >= missing) continue
    missing--
    permanences[k] = random.next() < 0.5 ? connected + (1 - connected) * random.next() : connected * random.next()
  }
  return permanences
}
