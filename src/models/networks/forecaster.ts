import { type Backend, openOps, type Sheet, sheetOf } from '../../kernels/ops.ts'
import type { AutoencoderShape } from './autoencoder.ts'
import { denseLayer, denseParameters } from './dense-layer.ts'
import type { Network } from './network.ts'
import { allocateParameters, inFours } from './parameters.ts'
import { recurrentLayer, recurrentParameters } from './recurrent-layer.ts'
import { loadWindows } from './windows.ts'

/** `steps` is how many rows are read; the row after each of them is predicted. */
export interface ForecasterShape extends AutoencoderShape {
  /** A linear path from each row to the next beside the recurrent one, at first "as now" (the autoregressive part of Lai et al. 2018). */
  readonly direct?: boolean
}

export interface Forecaster extends Network {
  /** After each step: the row that was predicted, and the row that came. */
  readonly outputs: readonly Sheet[]
  readonly targets: readonly Sheet[]
  /** Of the loaded batch only what follows the last step. */
  forecast(): Sheet
}

/** Predicts each next row of all columns from the rows before it: recurrent layer and dense layer; mean square of the errors of known values. */
export function openForecaster(backend: Backend, shape: ForecasterShape): Forecaster {
  const { cell, columns, units, steps, direct = false } = shape
  const panels = Math.ceil(shape.batch / 8)
  const first = { cell, inputs: columns, units, steps, panels }
  const last = { inputs: units, outputs: columns, count: steps, panels }
  const path = {
    name: 'direct.weights',
    rows: inFours(columns),
    columns,
    spread: 0,
    isVoid: (row: number) => row >= columns,
    offset: (row: number, column: number) => (row === column ? 1 : 0),
  }
  const lists = [recurrentParameters('layer', first), denseParameters('output', last), direct ? [path] : []]
  const { ops, plan } = openOps(backend, allocate => {
    const parameters = allocateParameters(allocate, lists.flat())
    const sheets = () => Array.from({ length: steps }, () => sheetOf(allocate, columns, panels))
    return {
      parameters,
      layer: recurrentLayer(allocate, first, parameters.list.slice(0, lists[0].length)),
      output: denseLayer(allocate, last, parameters.list.slice(lists[0].length)),
      path: parameters.list.at(-1)!,
      targets: sheets(),
      masks: sheets(),
    }
  })
  const { parameters, layer, output, path: way, targets, masks } = plan
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
      output.forwardAll(ops, layer.allOutputs)
      if (direct) ops.multiply(output.allOutputs, way.weights, layer.allInputs, true)
      const factor = 2 / Math.max(1, known)
      let sum = 0
      for (let t = 0; t < steps; t++) sum += ops.squaredError(output.dOutputs[t], output.outputs[t], targets[t], masks[t], factor)
      return sum / Math.max(1, known)
    },
    forecast() {
      layer.forward(ops)
      output.forward(ops, steps - 1, layer.outputs[steps - 1])
      const last = output.outputs[steps - 1]
      if (direct) ops.multiply(last, way.weights, layer.x[steps - 1], true)
      return last
    },
    backward() {
      output.backward(ops, layer.allOutputs)
      if (direct) ops.accumulateProduct(way.gradients, columns, output.allDOutputs, layer.allInputs)
      layer.backward(ops, (t, dHidden) => output.addInput(ops, t, dHidden))
    },
  }
  return network
}
