import { describe, expect, it } from 'vitest'
import { wasmOps } from '../../kernels/wasm-ops.ts'
import { seededRandom } from '../../math/random.ts'
import { openAutoencoder } from './autoencoder.ts'
import { openForecaster } from './forecaster.ts'
import type { Network } from './network.ts'
import { type Progress, type Trained, type TrainOptions, train } from './train.ts'
import { openVariational } from './variational-autoencoder.ts'
import type { Rows } from './windows.ts'

const COUNT = 600
/** Two waves of one period and a little noise; the second column is not known for a while. */
function waves(): Rows {
  const random = seededRandom(5)
  const values = new Float32Array(2 * COUNT)
  for (let i = 0; i < COUNT; i++) {
    values[2 * i] = Math.sin(i / 3) + 0.1 * (random.next() - 0.5)
    values[2 * i + 1] = i > 200 && i < 260 ? NaN : Math.cos(i / 3) + 0.1 * (random.next() - 0.5)
  }
  return { values, columns: 2 }
}

const shape = { cell: 'lstm', columns: 2, units: 8, steps: 12, batch: 16 } as const

function run(network: Network, options: Partial<TrainOptions>, stopAt = Infinity): { trained?: Trained; said: Progress[] } {
  const starts = Array.from({ length: COUNT - network.span }, (_, i) => i)
  const training = train(network, waves(), starts, { epochs: 8, rate: 0.01, random: seededRandom(1), ...options })
  const said: Progress[] = []
  for (;;) {
    const next = training.next()
    if (next.done) return { trained: next.value, said }
    said.push(next.value)
    if (said.length >= stopAt) {
      training.return(undefined as never)
      return { said }
    }
  }
}

describe('train', () => {
  it.each(['lstm', 'gru', 'rnn'] as const)('teaches forecasters and autoencoders of %s', cell => {
    for (const open of [openForecaster, openAutoencoder]) {
      const { trained, said } = run(open(wasmOps, { ...shape, cell }), {})
      expect(said[0].loss).toBeGreaterThan(0.3)
      expect(trained!.validation).toBeLessThan(0.12)
      expect(trained).toMatchObject({ epochs: 8, ended: 'epochs' })
    }
  })

  it('teaches variational autoencoders', () => {
    const { trained, said } = run(openVariational(wasmOps, { ...shape, latent: 4 }, seededRandom(2)), { epochs: 12 })
    expect(said[0].loss).toBeGreaterThan(1)
    expect(trained!.validation).toBeLessThan(0.6)
  })

  it('carries states over cut gradients', () => {
    const network = openForecaster(wasmOps, { ...shape, steps: 4 })
    const { trained, said } = run(network, { streams: true, epochs: 60 })
    expect(trained!.validation).toBeLessThan(0.25)
    // 16 streams of 505 rows, four rows at a time.
    expect(said.filter(({ epoch }) => epoch === 0).length).toBe(7)
    expect(network.carry).toBe(false)
  })

  it('is deterministic', () => {
    const [one, other] = [openForecaster(wasmOps, shape), openForecaster(wasmOps, shape)]
    expect(run(one, { epochs: 2 })).toEqual(run(other, { epochs: 2 }))
    expect([...one.parameters.weights]).toEqual([...other.parameters.weights])
  })

  it('keeps the best weights, and those there are when nothing is better', () => {
    const network = openForecaster(wasmOps, shape)
    const { trained } = run(network, { epochs: 6 })
    const before = [...network.parameters.weights]
    const spoiled = run(network, { epochs: 3, rate: 5, warm: true })
    expect([...network.parameters.weights]).toEqual(before)
    expect(spoiled.trained!.validation).toBeCloseTo(trained!.validation, 5)
  })

  it('ends without improvement, in time, and when it is stopped', () => {
    const network = openForecaster(wasmOps, shape)
    expect(run(network, { epochs: 50, rate: 5, patience: 2 }).trained).toMatchObject({ ended: 'patience' })
    let asked = 0
    const over = run(network, { isOver: () => ++asked > 5 })
    expect(over.trained).toMatchObject({ ended: 'over', epochs: 1, turns: 5 })
    expect(run(network, {}, 3).said.length).toBe(3)
    expect(network.parameters.weights.every(Number.isFinite)).toBe(true)
  })

  it('learns at most so many windows of an epoch', () => {
    const { said } = run(openForecaster(wasmOps, shape), { epochs: 1, windows: 40 })
    expect(said.map(({ batch, batches }) => [batch, batches])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ])
  })
})
