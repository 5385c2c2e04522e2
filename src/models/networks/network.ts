import type { Ops } from '../../kernels/ops.ts'
import { clearVoid, type Parameters } from './parameters.ts'
import type { SharedGradients } from './shared-gradients.ts'
import type { Rows } from './windows.ts'

/** A model that learns from batches of windows of rows. */
export interface Network {
  readonly ops: Ops
  readonly parameters: Parameters
  /** Rows of a window, with those that are predicted. */
  readonly span: number
  /** Windows of a batch. */
  readonly batch: number
  /** Fills the batch; returns how many values count. */
  load(rows: Rows, starts: ArrayLike<number>, order: ArrayLike<number>, from: number, count: number): number
  /** The next `forward` begins where the last one ended, so that gradients are cut at batches and states are not (truncated back-propagation). */
  carry?: boolean
  /** Loss of the loaded batch. `pass` is how far training is (0 … 1), for losses that change with it. */
  forward(pass?: number): number
  /** Adds to the gradients of the loss, after `forward`. */
  backward(): void
}

export interface AdamOptions {
  readonly rate: number
  /** Longest gradient of all parameters together; longer ones are shortened (Pascanu et al. 2013). */
  readonly clip?: number
  /** Of a batch whose other parts are with other threads: those, and the known values of this part. */
  readonly others?: { readonly shared: SharedGradients; readonly known: number }
}

/** Learns from the loaded batch; `turn` counts from 1. Returns the loss before the step, NaN where it did not step since gradients overflowed. */
export function learnBatch(
  network: Network,
  turn: number,
  { rate, clip = Infinity, others }: AdamOptions,
  pass?: number,
): number {
  const { ops, parameters } = network
  const { weights, gradients, means, squares } = parameters
  gradients.fill(0)
  const loss = network.forward(pass)
  network.backward()
  clearVoid(parameters)
  others?.shared.join(gradients, others.known)
  const length = Math.sqrt(ops.sumOfSquares(gradients))
  if (!(length < Infinity)) return NaN
  ops.adam(weights, gradients, means, squares, { rate, turn, scale: length > clip ? clip / length : 1 })
  return loss
}
