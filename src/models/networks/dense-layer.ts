import { type Ops, type Sheet, sheetOf } from '../../kernels/ops.ts'
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
  /** Outputs, and their gradients, with rows up to fours. */
  readonly outputs: readonly Sheet[]
  readonly dOutputs: readonly Sheet[]
  forward(ops: Ops, at: number, input: Sheet): void
  /** Before the first `backward` of a batch. */
  prepare(ops: Ops): void
  /** Adds to the gradients, and to `dInput`, whose rows are in fours. */
  backward(ops: Ops, at: number, input: Sheet, dInput?: Sheet): void
}

export function denseLayer(allocate: Ops['allocate'], shape: DenseShape, [weights, bias]: readonly Parameter[]): DenseLayer {
  const { inputs, count, panels, outputs } = shape
  const rows = inFours(outputs)
  const sheets = () => Array.from({ length: count }, () => sheetOf(allocate, rows, panels))
  const [out, dOut] = [sheets(), sheets()]
  const transposed = allocate(rows * inFours(inputs))
  return {
    outputs: out,
    dOutputs: dOut,
    forward(ops, at, input) {
      ops.spread(out[at], bias.weights)
      ops.multiply(out[at], weights.weights, input, true)
    },
    prepare(ops) {
      ops.transpose(transposed, weights.weights, rows, 0, inputs, inputs)
    },
    backward(ops, at, input, dInput) {
      ops.accumulateProduct(weights.gradients, inputs, dOut[at], input)
      ops.addRowSums(bias.gradients, dOut[at])
      if (dInput) ops.multiply(dInput, transposed, dOut[at], true)
    },
  }
}
