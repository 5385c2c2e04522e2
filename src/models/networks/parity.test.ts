import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { javascriptOps } from '../../kernels/javascript-ops.ts'
import { type Backend, LANES, type Numbers, type Sheet } from '../../kernels/ops.ts'
import { wasmOps } from '../../kernels/wasm-ops.ts'
import { seededRandom } from '../../math/random.ts'
import { openAutoencoder } from './autoencoder.ts'
import { openForecaster } from './forecaster.ts'
import { learnBatch, type Network } from './network.ts'
import { clearVoid, initialise, type Parameter, placeOf } from './parameters.ts'
import type { Cell } from './recurrent-layer.ts'
import { openVariational, type VariationalAutoencoder } from './variational-autoencoder.ts'

interface Case {
  readonly network: 'autoencoder' | 'forecaster' | 'variational'
  readonly cell: Cell
  readonly rows: (number | null)[]
  readonly weights: Record<string, number[]>
  readonly gradients: Record<string, number[]>
  readonly outputs: number[]
  readonly losses: number[]
}
interface Parity {
  readonly columns: number
  readonly units: number
  readonly steps: number
  readonly windows: number
  readonly latent: number
  readonly noise: number[]
  readonly cases: Case[]
}

/** Made by scripts/networks-parity.py, which needs PyTorch. */
const parity: Parity = JSON.parse(readFileSync(new URL('./parity.json', import.meta.url), 'utf8'))
const { columns, units, steps, windows, latent, noise } = parity

/** What PyTorch keeps of an element: the name of its tensor, row and column. */
function placeInTorch({ name, rows }: Parameter, cell: Cell, inputs: number, row: number, column: number) {
  const [layer, kind] = name.split('.') as [string, string]
  if (layer === 'output' || layer === 'code') return { tensor: `${layer}.${kind === 'bias' ? 'bias' : 'weight'}`, row, column }
  const gates = rows / units
  const gate = row % gates
  const torchGate = cell === 'gru' && gate === 3 ? 2 : gate
  const at = torchGate * units + Math.floor(row / gates)
  if (kind === 'bias') return { tensor: `${layer}.bias_${cell === 'gru' && gate === 3 ? 'hh' : 'ih'}_l0`, row: at, column }
  const isState = kind === 'fromState' || (kind === 'weights' && column >= inputs)
  const shift = kind === 'weights' && isState ? inputs : 0
  return { tensor: `${layer}.weight_${isState ? 'hh' : 'ih'}_l0`, row: at, column: column - shift }
}

function eachElement(
  network: Network,
  { cell, weights }: Case,
  visit: (at: number, parameter: Parameter, tensor: string, place: number) => void,
) {
  for (const parameter of network.parameters.list)
    for (let row = 0; row < parameter.rows; row++)
      for (let column = 0; column < parameter.columns; column++) {
        if (parameter.isVoid?.(row, column)) continue
        const torch = placeInTorch(parameter, cell, columns, row, column)
        const width = parameter.columns === 1 ? 1 : weights[torch.tensor].length / heightOf(torch.tensor, weights)
        visit(placeOf(row, column, parameter.columns), parameter, torch.tensor, torch.row * width + torch.column)
      }
}

/** Rows of a tensor: those of the bias beside it. */
function heightOf(tensor: string, weights: Record<string, number[]>): number {
  return weights[tensor.replace('weight', 'bias')]!.length
}

function open(backend: Backend, { network, cell }: Case): Network & { readonly outputs: readonly Sheet[] } {
  const shape = { cell, columns, units, steps, batch: windows }
  if (network === 'autoencoder') return openAutoencoder(backend, shape)
  if (network === 'forecaster') return openForecaster(backend, shape)
  const variational: VariationalAutoencoder = openVariational(backend, { ...shape, latent })
  for (let window = 0; window < windows; window++)
    for (let i = 0; i < latent; i++)
      variational.noise.data[((window >> 3) * latent + i) * LANES + (window & 7)] = noise[window * latent + i]
  return variational
}

function load(network: Network, given: Case): void {
  for (const { weights } of network.parameters.list) weights.fill(0)
  eachElement(network, given, (at, parameter, tensor, place) => {
    parameter.weights[at] = given.weights[tensor][place]
  })
  loadRows(network, given)
}

function loadRows(network: Network, given: Case): void {
  const places = Int32Array.from({ length: windows }, (_, i) => i)
  network.load({ values: Float64Array.from(given.rows, value => value ?? NaN), columns }, places, places, 0, windows)
}

function outputsOf(sheets: readonly Sheet[], width: number): number[] {
  const outputs: number[] = []
  for (let window = 0; window < windows; window++)
    for (const { data, step } of sheets)
      for (let i = 0; i < width; i++) outputs.push(data[((window >> 3) * step + i) * LANES + (window & 7)])
  return outputs
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length)
  return Array.from(a, (value, i) => Math.abs(value - b[i])).reduce((most, value) => Math.max(most, value), 0)
}

describe.each([
  ['JavaScript, double precision', javascriptOps('float64'), 1e-8, 1e-8],
  ['JavaScript, single precision', javascriptOps('float32'), 2e-6, 2e-5],
  ['WebAssembly', wasmOps, 3e-6, 5e-5],
])('%s', (_, backend: Backend, near, nearAfterTen) => {
  it.each(parity.cases)('$network of $cell is as PyTorch', given => {
    const network = open(backend, given)
    load(network, given)
    expect(Math.abs(network.forward(1) - given.losses[0])).toBeLessThan(near)
    expect(furthest(outputsOf(network.outputs, given.outputs.length / windows / steps), given.outputs)).toBeLessThan(near)
    network.parameters.gradients.fill(0)
    network.backward()
    clearVoid(network.parameters)
    let seen = 0
    eachElement(network, given, (at, { gradients, name }, tensor, place) => {
      seen++
      expect(Math.abs(gradients[at] - given.gradients[tensor][place]), `${name} ${at}`).toBeLessThan(near)
    })
    expect(seen).toBeGreaterThan(100)
    const losses: number[] = given.losses.map((_loss, i) => learnBatch(network, i + 1, { rate: 0.01 }, 1))
    expect(furthest(losses, given.losses)).toBeLessThan(nearAfterTen)
  })
})

describe('gradients', () => {
  it.each(parity.cases)('of $network of $cell are what differences of the loss are', given => {
    const network = open(javascriptOps('float64'), given)
    load(network, given)
    network.forward(0.1)
    network.parameters.gradients.fill(0)
    network.backward()
    for (const { weights, gradients, columns: width, rows, isVoid } of network.parameters.list)
      for (let i = 0; i < 12; i++) {
        const [row, column] = [(i * 7) % rows, (i * 5) % width]
        if (isVoid?.(row, column)) continue
        const at = placeOf(row, column, width)
        const difference = differ(network, weights, at)
        expect(Math.abs(gradients[at] - difference)).toBeLessThan(1e-7 * (1 + 100 * Math.abs(difference)))
      }
  })

  it('of the direct path of a forecaster are, too', () => {
    const given = parity.cases.find(({ network }) => network === 'forecaster')!
    const network = openForecaster(javascriptOps('float64'), { cell: 'gru', columns, units, steps, batch: windows, direct: true })
    initialise(network.parameters, seededRandom(1))
    loadRows(network, given)
    network.forward()
    network.backward()
    clearVoid(network.parameters)
    const direct = network.parameters.list.at(-1)!
    expect(direct.weights[placeOf(1, 1, columns)]).toBe(1)
    for (let row = 0; row < columns; row++)
      for (let column = 0; column < columns; column++) {
        const at = placeOf(row, column, columns)
        expect(direct.gradients[at]).toBeCloseTo(differ(network, direct.weights, at), 7)
      }
  })

  function differ(network: Network, weights: Numbers, at: number): number {
    const [weight, step] = [weights[at], 1e-5]
    weights[at] = weight + step
    const above = network.forward(0.1)
    weights[at] = weight - step
    const below = network.forward(0.1)
    weights[at] = weight
    return (above - below) / (2 * step)
  }
})
