import { compiled } from './compiled.ts'
import { type Backend, type Numbers, type Ops, roomFor } from './ops.ts'

/** Bytes at the start of the memory that belong to the module: its constants, and from 4096 on what products turn. */
const RESERVED = 4096 + 8192
/** Bytes that products may read, and forget, beyond the last sheet. */
const BEYOND = 96
const PAGE = 65_536

type Kernel = (...numbers: number[]) => number
type Kernels = Record<Exclude<keyof Ops, 'allocate'>, Kernel>

/** What is used of it; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

let module: object | undefined

export const hasWebAssembly = () => typeof WebAssembly !== 'undefined'

const kept = ({ byteOffset }: Numbers) => byteOffset

/** WebAssembly with 128-bit vectors, single precision; the same bits on every processor. */
export const wasmOps: Backend = room => {
  module ??= new WebAssembly.Module(Buffer.from(compiled, 'base64'))
  const memory = new WebAssembly.Memory({ initial: Math.ceil((RESERVED + 4 * room + BEYOND) / PAGE) })
  const k = new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels
  const end = RESERVED + 4 * room
  let used = RESERVED
  return {
    allocate(size) {
      const from = used
      used += 4 * roomFor(size)
      if (used > end) throw new RangeError(`must allocate at most ${room} numbers, got ${(used - RESERVED) / 4}`)
      return new Float32Array(memory.buffer, from, size)
    },
    multiply(out, weights, b, accumulate) {
      k.multiply(
        kept(out.data),
        out.step,
        kept(weights),
        kept(b.data),
        b.step,
        out.rows,
        b.rows,
        out.panels,
        accumulate ? kept(out.data) : 0,
      )
    },
    accumulateProduct(out, columns, a, b, sums) {
      k.accumulateProduct(
        kept(out),
        columns,
        kept(a.data),
        a.step,
        kept(b.data),
        b.step,
        a.rows,
        b.rows,
        a.panels,
        sums ? kept(sums) : 0,
      )
    },
    transpose(out, weights, rows, from, columns, all) {
      k.transpose(kept(out), kept(weights), rows, from, columns, all)
    },
    addPanels(out, a) {
      k.addPanels(kept(out.data), kept(a.data), a.step, a.rows, out.panels, a.panels)
    },
    spread(out, column) {
      k.spread(kept(out.data), out.step, kept(column), out.rows, out.panels)
    },
    lstmForward(gates, state, squashed, hidden, before, start, weights, z) {
      const [units, panels] = [state.rows, gates.panels]
      k.lstmForward(
        kept(gates.data),
        gates.step,
        kept(state.data),
        kept(squashed.data),
        kept(hidden.data),
        hidden.step,
        kept(before.data),
        kept(start.data),
        kept(weights),
        kept(z.data),
        z.step,
        units,
        z.rows,
        panels,
      )
    },
    lstmBackward(gates, dState, dHidden, squashed, before) {
      k.lstmBackward(
        kept(gates.data),
        gates.step,
        kept(dState.data),
        kept(dHidden.data),
        kept(squashed.data),
        kept(before.data),
        dState.rows,
        gates.panels,
      )
    },
    gruForward(gates, hidden, before, start, fromInput, x, fromState) {
      k.gruForward(
        kept(gates.data),
        gates.step,
        kept(hidden.data),
        hidden.step,
        kept(before.data),
        before.step,
        kept(start.data),
        kept(fromInput),
        kept(x.data),
        x.step,
        x.rows,
        kept(fromState),
        before.rows,
        gates.panels,
      )
    },
    gruBackward(gates, dHidden, before) {
      k.gruBackward(kept(gates.data), gates.step, kept(dHidden.data), kept(before.data), before.step, before.rows, gates.panels)
    },
    rnnForward(hidden, gates) {
      k.rnnForward(kept(hidden.data), hidden.step, kept(gates.data), gates.step, hidden.rows, gates.panels)
    },
    rnnBackward(gates, dHidden, hidden) {
      k.rnnBackward(kept(gates.data), gates.step, kept(dHidden.data), kept(hidden.data), hidden.step, hidden.rows, gates.panels)
    },
    squaredError(dOut, out, wanted, mask, factor) {
      return k.squaredError(
        kept(dOut.data),
        kept(out.data),
        out.step,
        kept(wanted.data),
        kept(mask.data),
        wanted.step,
        mask.step,
        wanted.rows,
        wanted.panels,
        factor,
      )
    },
    sumOfSquares: a => k.sumOfSquares(kept(a), a.length),
    adam(weights, gradients, means, squares, { rate, turn, scale, keepMean = 0.9, keepSquare = 0.999, epsilon = 1e-8 }) {
      const step = rate / (1 - keepMean ** turn)
      const root = 1 / Math.sqrt(1 - keepSquare ** turn)
      k.adam(
        kept(weights),
        kept(gradients),
        kept(means),
        kept(squares),
        weights.length,
        scale,
        step,
        root,
        keepMean,
        keepSquare,
        epsilon,
      )
    },
  }
}
