import type { TemporalMemoryOptions, TemporalMemoryState } from './temporal-memory.ts'

export interface GenerationOptions extends Pick<TemporalMemoryOptions, 'columns' | 'cells' | 'activation' | 'connected'> {
  /** Columns kept in a generated row: those whose segments have most connected synapses on the row before. */
  readonly active: number
}

/**
 * Generation mode: lets a temporal memory dream on from a state by taking what it predicts as what came. Gives the active cells of rows 1 … `steps`
 * after the state, in rising order; empty from where it predicts nothing. The state is only read. Several futures are
 * followed together, as in the memory itself, while they fit into `active` columns. Takes time for each synapse once.
 */
export function generateCells(options: GenerationOptions, state: TemporalMemoryState, steps: number): Uint32Array[] {
  const { columns, cells, activation, active } = options
  const connected = Math.fround(options.connected)
  const { owners, sizes, sources, permanences } = state
  // Segments that a cell excites, cell after cell.
  const starts = new Uint32Array(columns * cells + 1)
  for (let k = 0; k < sources.length; k++) if (permanences[k] >= connected) starts[sources[k] + 1]++
  for (let cell = 0; cell < columns * cells; cell++) starts[cell + 1] += starts[cell]
  const excited = new Uint32Array(starts[columns * cells])
  const filled = starts.slice()
  for (let segment = 0, k = 0; segment < owners.length; segment++) {
    if (owners[segment] < 0) continue
    for (const end = k + sizes[segment]; k < end; k++) if (permanences[k] >= connected) excited[filled[sources[k]]++] = segment
  }

  const strengths = new Uint16Array(owners.length)
  const strengthOf = new Uint16Array(columns)
  let now = state.active
  return Array.from({ length: steps }, () => {
    strengths.fill(0)
    strengthOf.fill(0)
    for (const cell of now) for (let k = starts[cell]; k < starts[cell + 1]; k++) strengths[excited[k]]++
    const predicted: number[] = []
    for (let segment = 0; segment < owners.length; segment++) {
      if (strengths[segment] < activation) continue
      predicted.push(owners[segment])
      const column = Math.floor(owners[segment] / cells)
      strengthOf[column] = Math.max(strengthOf[column], strengths[segment])
    }
    const strongest = [...new Set(predicted.map(cell => Math.floor(cell / cells)))]
      .sort((a, b) => strengthOf[b] - strengthOf[a] || a - b)
      .slice(0, active)
    const isKept = new Set(strongest)
    now = Uint32Array.from(new Set(predicted.filter(cell => isKept.has(Math.floor(cell / cells))))).sort()
    return now.slice()
  })
}
