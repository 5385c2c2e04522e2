import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { javascriptOps } from '../src/kernels/javascript-ops.ts'
import { wasmOps } from '../src/kernels/wasm-ops.ts'
import type { Autoencoder } from '../src/models/networks/autoencoder.ts'
import { placeOf } from '../src/models/networks/parameters.ts'
import { gradientMemory } from '../src/models/networks/shared-gradients.ts'
import type { Row } from './bench.ts'
import { BATCH, openTraining, STEPS, type Training, type TrainingTask, WINDOWS } from './networks-training.ts'
import { makePython } from './python.ts'

export const summary =
  'LSTM autoencoders beside PyTorch on one thread: 9,984 windows of 60 rows in batches of 64, processor time of an epoch'

const BATCHES = WINDOWS / BATCH
/** Batches in turn, ours and theirs, of which the fastest turns count; an epoch is so many times as long. */
const TURN = 26
const TURNS = 6
/** Two threads want both cores for themselves for a whole turn. */
const THREAD_TURNS = 15
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
  rows.push(...(await timeThreads(SIZES[0])))
  return rows
}

/** Two threads, by the clock: on one model, each with half of every batch, and on two models; beside one thread, in turn. */
async function timeThreads({ units, columns }: (typeof SIZES)[number]): Promise<Row[]> {
  const memory = gradientMemory(2, openTraining(wasmOps, { units, columns }).network.parameters.weights.length)
  const single = { units, columns }
  const halves = [0, 1].map(part => ({ ...single, memory, part, parts: 2 }))
  const [alone, beside, first, second] = await Promise.all([single, single, ...halves].map(openWorker))
  const times: number[][] = [[], [], []]
  try {
    for (let turn = 0; turn < THREAD_TURNS; turn++)
      for (const [i, workers] of [[alone], [first, second], [alone, beside]].entries()) {
        const start = performance.now()
        await Promise.all(workers.map(worker => worker.learn((turn % TURNS) * TURN, ((turn % TURNS) + 1) * TURN)))
        times[i].push((performance.now() - start) / 1000)
      }
  } finally {
    await Promise.all([alone, beside, first, second].map(worker => worker.close()))
  }
  const [one, shared, both] = times.map(of => (BATCHES / TURN) * Math.min(...of))
  const name = `lstm autoencoder, ${units} units, ${columns} metrics`
  return [
    { name: `${name}: one thread by the clock`, value: one, unit: 's/epoch' },
    { name: `${name}: two threads on one model`, value: shared, unit: 's/epoch', peer: 'one thread', ratio: one / shared },
    {
      name: `${name}: two threads on two models`,
      value: (2 * one) / both,
      unit: 'times one thread',
      goal: 1.8,
      met: (2 * one) / both >= 1.8,
    },
  ]
}

async function openWorker(task: TrainingTask) {
  const worker = new Worker(new URL('./networks-worker.ts', import.meta.url), { workerData: task })
  await once(worker, 'message')
  return {
    async learn(first: number, last: number): Promise<void> {
      worker.postMessage([first, last])
      await once(worker, 'message')
    },
    close: () => worker.terminate(),
  }
}

async function timeSize({ units, columns, goal }: (typeof SIZES)[number], python: string | undefined): Promise<Row[]> {
  const ours = openTraining(wasmOps, { units, columns })
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
    value: epoch * openTraining(javascriptOps('float32'), { units, columns }).learn(0, TURN / 13).seconds * 13,
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

async function openTheirs(python: string, { network, values }: Training) {
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
