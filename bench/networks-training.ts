import type { Backend } from '../src/kernels/ops.ts'
import { seededRandom } from '../src/math/random.ts'
import { openAutoencoder } from '../src/models/networks/autoencoder.ts'
import { learnBatch } from '../src/models/networks/network.ts'
import { initialise } from '../src/models/networks/parameters.ts'
import { shareGradients } from '../src/models/networks/shared-gradients.ts'
import { seededNormal } from './data/seeded-random.ts'

export const WINDOWS = 9984
export const STEPS = 60
export const BATCH = 64

export interface TrainingTask {
  readonly units: number
  readonly columns: number
  /** When a batch is shared: the memory for gradients, and which of how many parts is learned. */
  readonly memory?: SharedArrayBuffer
  readonly part?: number
  readonly parts?: number
}

/** An LSTM autoencoder and its windows, the same wherever it is opened. */
export function openTraining(backend: Backend, { units, columns, memory, part = 0, parts = 1 }: TrainingTask) {
  let allocated = 0
  const counted: Backend = room => {
    allocated = room
    return backend(room)
  }
  const size = BATCH / parts
  const network = openAutoencoder(counted, { cell: 'lstm', columns, units, steps: STEPS, batch: size })
  initialise(network.parameters, seededRandom(1))
  const values = Float32Array.from({ length: WINDOWS * STEPS * columns }, seededNormal(3))
  const starts = Int32Array.from({ length: WINDOWS }, (_, i) => i * STEPS)
  const order = Int32Array.from({ length: WINDOWS }, (_, i) => i)
  const shared = memory && shareGradients(memory, part, parts)
  let turn = 0
  return {
    network,
    values,
    bytes: 4 * allocated,
    /** Learns batches `first` up to `last`, which may be more than there are windows for. */
    learn(first: number, last: number) {
      const start = process.cpuUsage()
      let sum = 0
      for (let batch = first; batch < last; batch++) {
        const from = ((batch * BATCH) % WINDOWS) + part * size
        const known = network.load({ values, columns }, starts, order, from, size)
        sum += learnBatch(network, ++turn, { rate: 0.001, ...(shared ? { others: { shared, known } } : {}) })
      }
      const { user, system } = process.cpuUsage(start)
      return { seconds: (user + system) / 1e6, loss: sum / (last - first) }
    },
  }
}

export type Training = ReturnType<typeof openTraining>
