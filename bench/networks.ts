import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { javascriptOps } from '../src/kernels/javascript-ops.ts'
import type { Backend } from '../src/kernels/ops.ts'
import { wasmOps } from '../src/kernels/wasm-ops.ts'
import { seededRandom } from '../src/math/random.ts'
import { type Autoencoder, openAutoencoder } from '../src/models/networks/autoencoder.ts'
import { learnBatch } from '../src/models/networks/network.ts'
import { initialise, placeOf } from '../src/models/networks/parameters.ts'
import type { Row } from './bench.ts'
import { seededNormal } from './data/seeded-random.ts'
import { makePython } from './python.ts'

export const summary =
  'LSTM autoencoders beside PyTorch on one thread: 9,984 windows of 60 rows in batches of 64, processor time of an epoch'

const WINDOWS = 9984
const STEPS = 60
const BATCH = 64
const BATCHES = WINDOWS / BATCH
/** Batches in turn, ours and theirs, of which the fastest turns count; an epoch is so many times as long. */
const TURN = 26
const TURNS = 6
/** Hidden units, metrics and the share of PyTorch's time that is the goal. */
const SIZES = [
  { units: 64, columns: 20, goal: 1 },
  { units: 32, columns: 20, goal: 1 },
  { units: 16, columns: 1, goal: 0.5 },
]

export async function run(): Promise<readonly Row[]> {
  const python = await makePython('venv-torch', ['torch', 'numpy']).catch(sayWhy)
  const rows: Row[] = []
  for (const size of SIZES) rows.push(...(await timeSize(size, python)))
  return rows
}

async function timeSize({ units, columns, goal }: (typeof SIZES)[number], python: string | undefined): Promise<Row[]> {
  const ours = openOurs(wasmOps, units, columns)
  const theirs = python === undefined ? undefined : await openTheirs(python, ours)
  const [fast, slow, differences]: number[][] = [[], [], []]
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const [first, last] = [turn * TURN, (turn + 1) * TURN]
      const here = ours.learn(first, last)
      fast.push(here.seconds)
      const there = await theirs?.learn(first, last)
      if (!there) continue
      slow.push(there.seconds)
      differences.push(Math.abs(here.loss / there.loss - 1))
    }
  } finally {
    await theirs?.close()
  }
  const epoch = BATCHES / TURN
  const name = `lstm autoencoder, ${units} units, ${columns} ${columns === 1 ? 'metric' : 'metrics'}`
  const value = epoch * Math.min(...fast)
  const plain = {
    name: `${name}: plain JavaScript`,
    value: epoch * openOurs(javascriptOps('float32'), units, columns).learn(0, TURN / 13).seconds * 13,
    unit: 's/epoch',
  }
  const memory = { name: `${name}: memory`, value: ours.bytes, unit: 'bytes' }
  if (!theirs) return [{ name, value, unit: 's/epoch' }, plain, memory]
  const other = epoch * Math.min(...slow)
  return [
    {
      name,
      value,
      unit: 's/epoch',
      goal: goal * other,
      met: value <= goal * other,
      peer: `PyTorch ${theirs.version}, one thread`,
      ratio: other / value,
    },
    { name: `${name}: furthest mean loss from PyTorch's`, value: Math.max(...differences), unit: 'of it' },
    plain,
    memory,
  ]
}

function sayWhy(error: unknown): undefined {
  console.error(`networks: PyTorch was not run: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
}

function openOurs(backend: Backend, units: number, columns: number) {
  let allocated = 0
  const counted: Backend = room => {
    allocated = room
    return backend(room)
  }
  const network = openAutoencoder(counted, { cell: 'lstm', columns, units, steps: STEPS, batch: BATCH })
  initialise(network.parameters, seededRandom(1))
  const normal = seededNormal(3)
  const values = Float32Array.from({ length: WINDOWS * STEPS * columns }, normal)
  const starts = Int32Array.from({ length: WINDOWS }, (_, i) => i * STEPS)
  const order = Int32Array.from({ length: WINDOWS }, (_, i) => i)
  let turn = 0
  return {
    network,
    values,
    bytes: 4 * allocated,
    learn(first: number, last: number) {
      const start = process.cpuUsage()
      let sum = 0
      for (let batch = first; batch < last; batch++) {
        network.load({ values, columns }, starts, order, batch * BATCH, BATCH)
        sum += learnBatch(network, ++turn, { rate: 0.001 })
      }
      const { user, system } = process.cpuUsage(start)
      return { seconds: (user + system) / 1e6, loss: sum / (last - first) }
    },
  }
}

async function openTheirs(python: string, { network, values }: { network: Autoencoder; values: Float32Array }) {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-networks-'))
  const files = [join(folder, 'windows.f32'), join(folder, 'weights.f32')]
  await writeFile(files[0], Buffer.from(values.buffer))
  const weights = weightsForTorch(network)
  await writeFile(files[1], Buffer.from(weights.buffer))
  const units = network.parameters.list[1].rows / 4
  const sizes = [units, network.inputs[0].rows, STEPS, BATCH].map(String)
  const child = spawn(python, [join(import.meta.dirname, 'networks.py'), ...sizes, ...files], {
    env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const answers = linesOf(child)
  const { version } = await answers()
  return {
    version: version as string,
    async learn(first: number, last: number): Promise<{ seconds: number; loss: number }> {
      child.stdin.write(`${first} ${last}\n`)
      return answers()
    },
    async close() {
      child.stdin.end()
      await rm(folder, { recursive: true })
    },
  }
}

/** Answers one line after another; rejects when there are no more. */
function linesOf(child: ChildProcessWithoutNullStreams): () => Promise<any> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let said = ''
  child.stderr.on('data', chunk => {
    said = String(chunk)
  })
  return async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`PyTorch ended: ${said.trim()}`)
    return JSON.parse(value)
  }
}

/** Weights in the order of networks.py: gates of all units one after another, where ours stand side by side. */
function weightsForTorch({ parameters }: Autoencoder): Float32Array {
  const [encoder, encoderBias, fromInput, fromState, decoderBias, output, outputBias] = parameters.list
  const units = encoderBias.rows / 4
  const metrics = encoder.columns - units
  const ours = Array.from({ length: 4 * units }, (_, row) => (row % units) * 4 + Math.floor(row / units))
  const plain = Array.from({ length: metrics }, (_, row) => row)
  const flat: number[] = []
  const put = ({ weights, columns }: (typeof parameters.list)[number], rows: number[], from = 0, to = columns) => {
    for (const row of rows) for (let column = from; column < to; column++) flat.push(weights[placeOf(row, column, columns)])
  }
  put(encoder, ours, 0, metrics)
  put(encoder, ours, metrics)
  put(encoderBias, ours)
  put(fromInput, ours)
  put(fromState, ours)
  put(decoderBias, ours)
  put(output, plain)
  put(outputBias, plain)
  return Float32Array.from(flat)
}
