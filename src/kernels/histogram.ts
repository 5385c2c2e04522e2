import { compiled } from './compiled.ts'

/** Bins of a column, of which the last holds the missing. */
export const BINS = 256
export const MISSING_BIN = 255
/** Columns that stand beside each other for each row: their histograms fit into the first cache. */
export const BLOCK = 8

const PAIR = 16
const BLOCK_BYTES = BLOCK * BINS * PAIR
const PAGE = 65_536

/** What a cut is judged by; as in XGBoost. */
export interface CutOptions {
  readonly lambda: number
  readonly alpha: number
  readonly minChildWeight: number
}

/** Sums of gradients of rows by column and bin, in memory of their own; rows are numbers from 0. Views are good until `close`. */
export interface Histograms {
  /** Bins by block, then row, then column of the block: the bin of row r in column c is at ((c >> 3) × rows + r) × 8 + (c & 7). */
  readonly bins: Uint8Array
  /** Row numbers, in parts that belong to nodes. */
  readonly rows: Uint32Array
  /** Gradient and hessian of each row. */
  readonly gradients: Float32Array
  /** The best cut so far, where the caller sets the gain to beat: gain, column, last bin on the left, side of the missing (0 right, 1 left, 2 none), gradient and hessian of the left. */
  readonly best: Float64Array
  /** Gradient and hessian as `total` summed them. */
  readonly sum: Float64Array
  /** Fills histogram `slot` from rows[from … to), in the blocks that are wanted. */
  accumulate(slot: number, from: number, to: number, blocks: ArrayLike<number>): void
  /** Makes of the histogram of a node and that of one child the one of the other child. */
  subtract(whole: number, part: number): void
  total(from: number, to: number): void
  /** Sorts rows[from … to) into left and right, each in its order; returns how many go left. */
  divide(from: number, to: number, column: number, lastBin: number, missingLeft: boolean): number
  /** Looks in the `bins` first bins of a column for a better cut than the one at `best`. `best[0]` is the gain of the children alone. */
  cut(slot: number, column: number, bins: number, gradient: number, hessian: number, options: CutOptions): void
  /** Gives the memory back; nothing of it may be used afterwards. */
  close(): void
}

interface Exports {
  accumulateHistograms(bins: number, rows: number, from: number, to: number, gradients: number, histograms: number): void
  subtractHistograms(whole: number, part: number, bytes: number): void
  sumGradients(rows: number, from: number, to: number, gradients: number, out: number): void
  divideRows(bins: number, rows: number, from: number, to: number, last: number, missingLeft: number, spare: number): number
  findCut(
    histogram: number,
    bins: number,
    column: number,
    gradient: number,
    hessian: number,
    lambda: number,
    alpha: number,
    least: number,
    best: number,
  ): void
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What is used of the engine's WebAssembly, which the types of Node leave out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (size: { initial: number }) => Memory
  readonly Instance: new (module: object, imports: { env: { memory: Memory } }) => { readonly exports: unknown }
}

interface Instance {
  readonly memory: Memory
  readonly kernel: Exports
}

let module: object | undefined
/** Memory of a fit that has ended, for the next one: each new one costs address space until it is collected. */
let idle: Instance | undefined
const IDLE_PAGES = 1024

function instantiate(pages: number): Instance {
  const kept = idle
  idle = undefined
  if (kept) {
    const missing = pages - kept.memory.buffer.byteLength / PAGE
    if (missing > 0) kept.memory.grow(missing)
    return kept
  }
  module ??= new WebAssembly.Module(Buffer.from(compiled, 'base64'))
  const memory = new WebAssembly.Memory({ initial: pages })
  return { memory, kernel: new WebAssembly.Instance(module, { env: { memory } }).exports as Exports }
}

/** Room for `rows` × `columns` and `slots` histograms: about rows × (columns + 16) + slots × columns × 4,096 bytes. */
export function openHistograms(rows: number, columns: number, slots: number): Histograms {
  const blocks = Math.ceil(columns / BLOCK)
  let end = 64
  const place = (bytes: number) => {
    const at = end
    end += Math.ceil(bytes / 64) * 64
    return at
  }
  const best = 0
  const sum = 48
  const bins = place(blocks * rows * BLOCK)
  const order = place(4 * rows)
  const spare = place(4 * rows)
  const gradients = place(8 * rows)
  const histograms = place(slots * blocks * BLOCK_BYTES)
  const instance = instantiate(Math.ceil(end / PAGE))
  const { memory, kernel } = instance
  const bytes = new Uint8Array(memory.buffer)
  const at = (slot: number, block: number) => histograms + (slot * blocks + block) * BLOCK_BYTES
  return {
    bins: new Uint8Array(memory.buffer, bins, blocks * rows * BLOCK),
    rows: new Uint32Array(memory.buffer, order, rows),
    gradients: new Float32Array(memory.buffer, gradients, 2 * rows),
    best: new Float64Array(memory.buffer, best, 6),
    sum: new Float64Array(memory.buffer, sum, 2),
    accumulate(slot, from, to, wanted) {
      bytes.fill(0, at(slot, 0), at(slot + 1, 0))
      for (let i = 0; i < wanted.length; i++)
        kernel.accumulateHistograms(bins + wanted[i] * rows * BLOCK, order, from, to, gradients, at(slot, wanted[i]))
    },
    subtract: (whole, part) => kernel.subtractHistograms(at(whole, 0), at(part, 0), blocks * BLOCK_BYTES),
    total: (from, to) => kernel.sumGradients(order, from, to, gradients, sum),
    divide(from, to, column, lastBin, missingLeft) {
      const start = bins + (column >> 3) * rows * BLOCK + (column & 7)
      return kernel.divideRows(start, order, from, to, lastBin, missingLeft ? 1 : 0, spare)
    },
    cut(slot, column, count, gradient, hessian, { lambda, alpha, minChildWeight }) {
      const histogram = at(slot, column >> 3) + (column & 7) * BINS * PAIR
      const least = Math.max(minChildWeight, 1e-12)
      kernel.findCut(histogram, count, column, gradient, hessian, lambda, alpha, least, best)
    },
    close() {
      if (memory.buffer.byteLength <= IDLE_PAGES * PAGE) idle = instance
    },
  }
}
