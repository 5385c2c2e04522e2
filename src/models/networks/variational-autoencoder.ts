import { type Backend, LANES, openOps, type Sheet, sheetOf } from '../../kernels/ops.ts'
import type { Random } from '../../math/random.ts'
import { type AutoencoderShape, copySheet } from './autoencoder.ts'
import { denseLayer, denseParameters } from './dense-layer.ts'
import type { Network } from './network.ts'
import { allocateParameters } from './parameters.ts'
import { recurrentLayer, recurrentParameters } from './recurrent-layer.ts'
import { loadWindows } from './windows.ts'

export interface VariationalShape extends AutoencoderShape {
  /** Numbers of the code, in fours. */
  readonly latent: number
}

export interface VariationalAutoencoder extends Network {
  readonly inputs: readonly Sheet[]
  readonly masks: readonly Sheet[]
  /** By step: means of all columns, then the logarithms of their variances. */
  readonly outputs: readonly Sheet[]
  /** Standard normal numbers that the codes of the loaded batch are drawn with. */
  readonly noise: Sheet
  drawNoise(random: Random): void
  /** Of the loaded batch only what is made of the last step. */
  reconstructLast(): Sheet
}

/** Share of training over which the divergence of codes comes to count in full (Bowman et al. 2016). */
const WARM_UP = 0.3
/** Logarithms of variances are held within ± this: a column that is always reconstructed would have none. */
const BOUND = 6
const LOG_2_PI = Math.log(2 * Math.PI)

const held = (x: number) => (x > BOUND ? BOUND : x < -BOUND ? -BOUND : x)
const isInside = (x: number) => (x > -BOUND && x < BOUND ? 1 : 0)

/**
 * Variational autoencoder of windows (Kingma & Welling 2014) whose encoder and decoder are recurrent, with Gaussian code and Gaussian outputs of
 * their own variances (LSTM-VAE: Park, Hoshi & Kemp 2018). The loss is the evidence bound with its sign turned, per known value. With `random`
 * each batch is loaded with new noise; without, it has what was written there last.
 */
export function openVariational(backend: Backend, shape: VariationalShape, random?: Random): VariationalAutoencoder {
  const { cell, columns, units, steps, latent } = shape
  const panels = Math.ceil(shape.batch / 8)
  const first = { cell, inputs: columns, units, steps, panels }
  const middle = { inputs: units, outputs: 2 * latent, count: 1, panels }
  const second = { cell, inputs: latent, units, steps, panels, constant: true }
  const last = { inputs: units, outputs: 2 * columns, count: steps, panels }
  const lists = [
    recurrentParameters('encoder', first),
    denseParameters('code', middle),
    recurrentParameters('decoder', second),
    denseParameters('output', last),
  ]
  const { ops, plan } = openOps(backend, allocate => {
    const parameters = allocateParameters(allocate, lists.flat())
    let from = 0
    const parts = lists.map(list => parameters.list.slice(from, (from += list.length)))
    return {
      parameters,
      encoder: recurrentLayer(allocate, first, parts[0]),
      code: denseLayer(allocate, middle, parts[1]),
      decoder: recurrentLayer(allocate, second, parts[2]),
      output: denseLayer(allocate, last, parts[3]),
      masks: Array.from({ length: steps }, () => sheetOf(allocate, columns, panels)),
      noise: sheetOf(allocate, latent, panels),
      dDrawn: sheetOf(allocate, latent, panels),
      dEncoded: sheetOf(allocate, units, panels),
    }
  })
  const { parameters, encoder, code, decoder, output, masks, noise, dDrawn, dEncoded } = plan
  const encoded = encoder.outputs[steps - 1]
  const drawn = decoder.input
  let known = 0
  let count = 0
  let weight = 1

  /** Visits the code of each example: places of its mean, of its logarithm of variance, and in a sheet of drawn codes. */
  function eachCode(visit: (mean: number, spread: number, place: number) => void): void {
    for (let panel = 0; panel < panels; panel++)
      for (let i = 0; i < latent; i++)
        for (let lane = 0; lane < LANES && panel * LANES + lane < count; lane++) {
          const mean = (panel * code.outputs[0].step + i) * LANES + lane
          visit(mean, mean + latent * LANES, (panel * latent + i) * LANES + lane)
        }
  }

  /** Negative logarithm of the likelihood of the known values; fills the gradients of the outputs. */
  function judge(): number {
    let sum = 0
    const share = 1 / Math.max(1, known)
    for (let t = 0; t < steps; t++) {
      const [out, dOut, x, mask] = [output.outputs[t], output.dOutputs[t], encoder.x[t], masks[t]]
      for (let panel = 0; panel < panels; panel++)
        for (let i = 0; i < columns * LANES; i++) {
          const mean = panel * out.step * LANES + i
          const spread = mean + columns * LANES
          const m = mask.data[panel * columns * LANES + i]
          const log = held(out.data[spread])
          const precision = Math.exp(-log)
          const error = out.data[mean] - x.data[panel * x.step * LANES + i]
          sum += m * (log + error * error * precision + LOG_2_PI)
          dOut.data[mean] = m * error * precision * share
          dOut.data[spread] = 0.5 * m * (1 - error * error * precision) * share * isInside(out.data[spread])
        }
    }
    return 0.5 * sum
  }

  function encode(): void {
    encoder.forward(ops)
    code.forward(ops, 0, encoded)
  }

  function decode(): void {
    const values = code.outputs[0].data
    drawn.data.fill(0)
    eachCode((mean, spread, place) => {
      drawn.data[place] = values[mean] + Math.exp(0.5 * held(values[spread])) * noise.data[place]
    })
    decoder.forward(ops)
  }

  function drawNoise(from: Random): void {
    for (let i = 0; i < noise.data.length; i++)
      noise.data[i] = Math.sqrt(-2 * Math.log(1 - from.next())) * Math.cos(2 * Math.PI * from.next())
  }

  return {
    ops,
    parameters,
    span: steps,
    batch: panels * 8,
    inputs: encoder.x,
    masks,
    outputs: output.outputs,
    noise,
    drawNoise,
    load(rows, starts, order, from, size) {
      count = size
      if (random) drawNoise(random)
      known = loadWindows(rows, starts, order, from, size, encoder.x, masks)
      return known
    },
    reconstructLast() {
      encode()
      decode()
      output.forward(ops, steps - 1, decoder.outputs[steps - 1])
      return output.outputs[steps - 1]
    },
    forward(pass = 1) {
      encode()
      decode()
      output.forwardAll(ops, decoder.allOutputs)
      weight = Math.min(1, pass / WARM_UP)
      let divergence = 0
      const values = code.outputs[0].data
      eachCode((mean, spread) => {
        const log = held(values[spread])
        divergence += 0.5 * (Math.exp(log) + values[mean] ** 2 - 1 - log)
      })
      return (judge() + weight * divergence) / Math.max(1, known)
    },
    backward() {
      const share = weight / Math.max(1, known)
      output.backward(ops, decoder.allOutputs)
      dDrawn.data.fill(0)
      decoder.backward(ops, (t, dHidden) => output.addInput(ops, t, dHidden), dDrawn)
      const values = code.outputs[0].data
      const gradients = code.dOutputs[0].data.fill(0)
      eachCode((mean, spread, place) => {
        const log = held(values[spread])
        const d = dDrawn.data[place]
        gradients[mean] = d + share * values[mean]
        const byNoise = 0.5 * d * noise.data[place] * Math.exp(0.5 * log)
        gradients[spread] = (byNoise + 0.5 * share * (Math.exp(log) - 1)) * isInside(values[spread])
      })
      code.backward(ops, encoded)
      dEncoded.data.fill(0)
      code.addInput(ops, 0, dEncoded)
      encoder.backward(ops, (t, dHidden) => {
        if (t === steps - 1) copySheet(dHidden, dEncoded)
      })
    },
  }
}
