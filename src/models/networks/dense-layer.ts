import { type Ops, panelsOf, type Sheet, sheetOf } from '../../kernels/ops.ts'
import { inFours, type Parameter, type ParameterShape } from './parameters.ts'

export interface DenseShape {
  readonly inputs: number
  readonly outputs: number
  /** Sheets it is used on. */
  readonly count: number
  readonly panels: number
}

export function denseParameters(name: string, { inputs, outputs }: DenseShape): ParameterShape[] {
  const spread = 1 / Math.sqrt(inputs)
  const isVoid = (row: number) => row >= outputs
  const rows = inFours(outputs)
  return [
    { name: `${name}.weights`, rows, columns: inputs, spread, isVoid },
    { name: `${name}.bias`, rows, columns: 1, spread, isVoid },
  ]
}

export interface DenseLayer {
  /** Outputs, and their gradients, with rows up to fours; and those of all sheets, one after another. */
  readonly outputs: readonly Sheet[]
  readonly dOutputs: readonly Sheet[]
  readonly allOutputs: Sheet
  readonly allDOutputs: Sheet
  forward(ops: Ops, at: number, input: Sheet): void
  /** Of all sheets at once. */
  forwardAll(ops: Ops, inputs: Sheet): void
  /** Adds to the gradients, of all sheets at once; before the first `addInput` of a batch. */
  backward(ops: Ops, inputs: Sheet): void
  /** Adds to `dInput`, whose rows are in fours. */
  addInput(ops: Ops, at: number, dInput: Sheet): void
}

export function denseLayer(allocate: Ops['allocate'], shape: DenseShape, [weights, bias]: readonly Parameter[]): DenseLayer {
  const { inputs, count, panels, outputs } = shape
  const rows = inFours(outputs)
  const [out, dOut] = [sheetOf(allocate, rows, count * panels), sheetOf(allocate, rows, count * panels)]
  const sheets = (all: Sheet) => Array.from({ length: count }, (_, at) => panelsOf(all, at * panels, panels))
  const transposed = allocate(rows * inFours(inputs))
  const [single, dSingle] = [sheets(out), sheets(dOut)]

  function forward(ops: Ops, to: Sheet, input: Sheet): void {
    ops.spread(to, bias.weights)
    ops.multiply(to, weights.weights, input, true)
  }

  return {
    outputs: single,
    dOutputs: dSingle,
    allOutputs: out,
    allDOutputs: dOut,
    forward: (ops, at, input) => forward(ops, single[at], input),
    forwardAll: (ops, all) => forward(ops, out, all),
    backward(ops, all) {
      ops.transpose(transposed, weights.weights, rows, 0, inputs, inputs)
      ops.accumulateProduct(weights.gradients, inputs, dOut, all, bias.gradients)
    },
    addInput(ops, at, dInput) {
      ops.multiply(dInput, transposed, dSingle[at], true)
    },
  }
}
