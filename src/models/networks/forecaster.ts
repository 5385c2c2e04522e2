import { type Backend, openOps, type Sheet, sheetOf } from '../../kernels/ops.ts'
import type { AutoencoderShape } from './autoencoder.ts'
import { denseLayer, denseParameters } from './dense-layer.ts'
import type { Network } from './network.ts'
import { allocateParameters } from './parameters.ts'
import { recurrentLayer, recurrentParameters } from './recurrent-layer.ts'
import { loadWindows } from './windows.ts'

/** `steps` is how many rows are read; the row after each of them is predicted. */
export type ForecasterShape = AutoencoderShape

export interface Forecaster extends Network {
  /** After each step: the row that was predicted, and the row that came. */
  readonly outputs: readonly Sheet[]
  readonly targets: readonly Sheet[]
}

/** Predicts each next row of all columns from the rows before it: recurrent layer and dense layer; mean square of the errors of known values. */
export function openForecaster(backend: Backend, shape: ForecasterShape): Forecaster {
  const { cell, columns, units, steps } = shape
  const panels = Math.ceil(shape.batch / 8)
  const first = { cell, inputs: columns, units, steps, panels }
  const last = { inputs: units, outputs: columns, count: steps, panels }
  const lists = [recurrentParameters('layer', first), denseParameters('output', last)]
  const { ops, plan } = openOps(backend, allocate => {
    const parameters = allocateParameters(allocate, lists.flat())
    const sheets = () => Array.from({ length: steps }, () => sheetOf(allocate, columns, panels))
    return {
      parameters,
      layer: recurrentLayer(allocate, first, parameters.list.slice(0, lists[0].length)),
      output: denseLayer(allocate, last, parameters.list.slice(lists[0].length)),
      targets: sheets(),
      masks: sheets(),
    }
  })
  const { parameters, layer, output, targets, masks } = plan
  let known = 0

  const network: Forecaster = {
    ops,
    parameters,
    span: steps + 1,
    batch: panels * 8,
    outputs: output.outputs,
    targets,
    load(rows, starts, order, from, count) {
      loadWindows(rows, starts, order, from, count, layer.x)
      const later = { columns, values: rows.values.subarray(columns) }
      known = loadWindows(later, starts, order, from, count, targets, masks)
      return known
    },
    forward() {
      layer.forward(ops, network.carry)
      const factor = 2 / Math.max(1, known)
      let sum = 0
      for (let t = 0; t < steps; t++) {
        output.forward(ops, t, layer.outputs[t])
        sum += ops.squaredError(output.dOutputs[t], output.outputs[t], targets[t], masks[t], factor)
      }
      return sum / Math.max(1, known)
    },
    backward() {
      output.prepare(ops)
      layer.backward(ops, (t, dHidden) => output.backward(ops, t, layer.outputs[t], dHidden))
    },
  }
  return network
}
