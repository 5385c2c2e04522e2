import { type Random, seededRandom } from '../../math/random.ts'
import { buildCellBits } from './cell-bits.ts'
import { openSpatialPooler, type SpatialPoolerOptions, type SpatialPoolerState } from './spatial-pooler.ts'
import { openTemporalMemory, type TemporalMemoryOptions, type TemporalMemoryState } from './temporal-memory.ts'

/** A spatial pooler with a temporal memory on it. */
export interface Region {
  /** Takes the bits of a row; gives the share of winning columns that was not predicted, 0 … 1. */
  step(input: Uint8Array, learn: boolean): number
  /** Active cells, in rising order. */
  activeCells(): Uint32Array
  state(): RegionState
}

export interface RegionOptions {
  readonly pooler: SpatialPoolerOptions
  readonly memory: TemporalMemoryOptions
}

/** Plain data from which a region goes on. */
export interface RegionState {
  readonly pooler: SpatialPoolerState
  readonly memory: TemporalMemoryState
}

export function openRegion({ pooler, memory }: RegionOptions, random: Random, from?: RegionState): Region {
  if (pooler.columns !== memory.columns) {
    throw new RangeError(`memory.columns must be those of the pooler (${pooler.columns}), got ${memory.columns}`)
  }
  const columns = openSpatialPooler(pooler, random, from?.pooler)
  const cells = openTemporalMemory(memory, random, from?.memory)
  return {
    step: (input, learn) => cells.step(columns.pool(input, learn), learn),
    activeCells: cells.activeCells,
    state: () => ({ pooler: columns.state(), memory: cells.state() }),
  }
}

/** Two regions, the upper of which sees what the lower one was in over several rows. */
export interface Hierarchy {
  /** Takes the bits of a row. */
  step(input: Uint8Array, learn: boolean): Surprise
  /** Active cells of each region, in rising order. */
  lowerCells(): Uint32Array
  upperCells(): Uint32Array
  state(): HierarchyState
}

/** Shares of winning columns that were not predicted, 0 … 1; `upper` is NaN but on rows that end a stretch. */
export interface Surprise {
  readonly lower: number
  readonly upper: number
}

export interface HierarchyOptions {
  readonly lower: RegionOptions
  /** Its pooler has `upperInputs` inputs. */
  readonly upper: Omit<RegionOptions, 'pooler'> & { readonly pooler: Omit<SpatialPoolerOptions, 'inputs'> }
  /** Rows in a stretch: the upper region steps once for so many. */
  readonly rows: number
  /** Bits that the cells of the lower region are folded into. */
  readonly bits: number
  /** What goes up: cells that were predicted and came, or these and the columns that were not predicted. */
  readonly pooled: 'predicted' | 'active'
}

/** Plain data from which a hierarchy goes on. */
export interface HierarchyState {
  readonly lower: RegionState
  readonly upper: RegionState
  /** Bits of the stretch so far, and its rows. */
  readonly union: Uint8Array
  readonly rows: number
}

/** Inputs of the upper region: a bit for each folded cell, and one for each lower column where those that burst go up too. */
export function upperInputs({ lower, bits, pooled }: HierarchyOptions): number {
  return bits + (pooled === 'active' ? lower.memory.columns : 0)
}

/**
 * Two regions of hierarchical temporal memory stacked (Hawkins, Ahmad & Dubinsky 2011, "Hierarchical Temporal Memory including HTM Cortical
 * Learning Algorithms", chapter 1), with the union of cells over a stretch of rows between them (after the union pooler of Numenta's
 * research). Departures: cells are folded into few bits; stretches do not overlap.
 */
export function openHierarchy(options: HierarchyOptions, random: Random, from?: HierarchyState): Hierarchy {
  const { lower: below, upper: above, rows: stretch, bits, pooled } = options
  const { columns, cells } = below.memory
  const inputs = upperInputs(options)
  // Each region draws by itself, so that each goes on from its own state.
  const own = () => seededRandom(Math.floor(random.next() * 2 ** 32))
  const lower = openRegion(below, own(), from?.lower)
  const upper = openRegion({ ...above, pooler: { ...above.pooler, inputs } }, own(), from?.upper)
  const folding = buildCellBits({ columns, cells, size: bits, columnBits: pooled === 'active' ? 'bursting' : 'none' })
  const union = from?.union.slice() ?? new Uint8Array(inputs)
  let rows = from?.rows ?? 0

  return {
    step(input, learn) {
      const surprise = lower.step(input, learn)
      for (const bit of folding.fold(lower.activeCells())) union[bit] = 1
      if (++rows < stretch) return { lower: surprise, upper: NaN }
      const late = upper.step(union, learn)
      union.fill(0)
      rows = 0
      return { lower: surprise, upper: late }
    },
    lowerCells: lower.activeCells,
    upperCells: upper.activeCells,
    state: () => ({ lower: lower.state(), upper: upper.state(), union: union.slice(), rows }),
  }
}
