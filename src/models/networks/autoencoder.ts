import { type Backend, openOps, type Sheet, sheetOf } from '../../kernels/ops.ts'
import { denseLayer, denseParameters } from './dense-layer.ts'
import type { Network } from './network.ts'
import { allocateParameters } from './parameters.ts'
import { type Cell, recurrentLayer, recurrentParameters } from './recurrent-layer.ts'
import { loadWindows } from './windows.ts'

export interface AutoencoderShape {
  readonly cell: Cell
  readonly columns: number
  /** In fours. */
  readonly units: number
  /** Rows of a window. */
  readonly steps: number
  /** Windows of a batch, rounded up to eights. */
  readonly batch: number
}

export interface Autoencoder extends Network {
  /** Rows of the loaded windows, by step, and what was made of them by `forward`; rows of a sheet are columns of the series. */
  readonly inputs: readonly Sheet[]
  readonly outputs: readonly Sheet[]
  /** Of the loaded batch only what is made of the last step. */
  reconstructLast(): Sheet
}

/**
 * Recurrent autoencoder (Malhotra et al. 2016, without the reversal): an encoder whose last hidden state is the input of every step of a decoder,
 * and a dense layer on each of its outputs. The loss is the mean square of the errors of known values.
 */
export function openAutoencoder(backend: Backend, shape: AutoencoderShape): Autoencoder {
  const { cell, columns, units, steps } = shape
  const panels = Math.ceil(shape.batch / 8)
  const first = { cell, inputs: columns, units, steps, panels }
  const second = { cell, inputs: units, units, steps, panels, constant: true }
  const last = { inputs: units, outputs: columns, count: steps, panels }
  const lists = [recurrentParameters('encoder', first), recurrentParameters('decoder', second), denseParameters('output', last)]
  const { ops, plan } = openOps(backend, allocate => {
    const parameters = allocateParameters(allocate, lists.flat())
    const [a, b] = [lists[0].length, lists[0].length + lists[1].length]
    return {
      parameters,
      encoder: recurrentLayer(allocate, first, parameters.list.slice(0, a)),
      decoder: recurrentLayer(allocate, second, parameters.list.slice(a, b)),
      output: denseLayer(allocate, last, parameters.list.slice(b)),
      masks: Array.from({ length: steps }, () => sheetOf(allocate, columns, panels)),
      dCode: sheetOf(allocate, units, panels),
    }
  })
  const { parameters, encoder, decoder, output, masks, dCode } = plan
  const code = encoder.outputs[steps - 1]
  let known = 0

  function pass(): void {
    encoder.forward(ops)
    copySheet(decoder.input, code)
    decoder.forward(ops)
  }

  return {
    ops,
    parameters,
    span: steps,
    batch: panels * 8,
    inputs: encoder.x,
    outputs: output.outputs,
    load(rows, starts, order, from, count) {
      known = loadWindows(rows, starts, order, from, count, encoder.x, masks)
      return known
    },
    reconstructLast() {
      pass()
      output.forward(ops, steps - 1, decoder.outputs[steps - 1])
      return output.outputs[steps - 1]
    },
    forward() {
      pass()
      output.forwardAll(ops, decoder.allOutputs)
      let sum = 0
      const factor = 2 / Math.max(1, known)
      for (let t = 0; t < steps; t++)
        sum += ops.squaredError(output.dOutputs[t], output.outputs[t], encoder.x[t], masks[t], factor)
      return sum / Math.max(1, known)
    },
    backward() {
      output.backward(ops, decoder.allOutputs)
      dCode.data.fill(0)
      decoder.backward(ops, (t, dHidden) => output.addInput(ops, t, dHidden), dCode)
      encoder.backward(ops, (t, dHidden) => {
        if (t === steps - 1) dHidden.data.set(dCode.data)
      })
    },
  }
}

/** Copies the rows that both have. */
export function copySheet(to: Sheet, from: Sheet): void {
  const rows = Math.min(to.rows, from.rows) * 8
  for (let panel = 0; panel < to.panels; panel++) {
    const at = panel * from.step * 8
    to.data.set(from.data.subarray(at, at + rows), panel * to.step * 8)
  }
}
