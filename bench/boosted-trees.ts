import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { serialize } from 'node:v8'
import { predictRows } from '../src/models/boosted-trees/boosted-trees.ts'
import { finish, fitBoostedTrees } from '../src/models/boosted-trees/fit-boosted-trees.ts'
import type { Row } from './bench.ts'
import { seededNormal, seededRandom } from './data/seeded-random.ts'
import { makePython } from './python.ts'

export const summary = 'Boosted trees beside XGBoost hist on one thread: 50,000 × 50, 100 trees of depth 6'

const TRAINING = 50_000
const ROWS = 60_000
const COLUMNS = 50
const TREES = 100
const DEPTH = 6
/** Runs of which the best counts, ours and theirs in turn. */
const TIMES = 3
const TIME_GOAL = 1.3
const ERROR_GOAL = 1.02

interface Fit {
  /** s of processor time. */
  readonly fit: number
  readonly predict: number
  readonly error: number
}

export async function run(): Promise<readonly Row[]> {
  const data = friedman()
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-trees-'))
  const [ours, theirs]: [Fit[], (Fit & { version: string })[]] = [[], []]
  let bytes = 0
  try {
    await writeFile(join(folder, 'values.f32'), Buffer.from(data.values.buffer))
    await writeFile(join(folder, 'labels.f32'), Buffer.from(data.labels.buffer))
    const python = await makePython('venv-trees', ['xgboost', 'numpy']).catch(sayWhy)
    for (let i = 0; i < TIMES; i++) {
      const { trees, ...fit } = fitOurs(data)
      ours.push(fit)
      bytes = serialize(trees).length
      if (!python) continue
      const args = [ROWS, COLUMNS, TRAINING, TREES, DEPTH].map(String)
      const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'boosted-trees.py'), ...args, folder], {
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      })
      theirs.push(JSON.parse(stdout))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  const peer = theirs[0] && `XGBoost ${theirs[0].version} hist, one thread`
  const row = (name: string, unit: string, of: (fit: Fit) => number, scale: number, goal?: number): Row => {
    const value = scale * Math.min(...ours.map(of))
    if (!peer) return { name, value, unit }
    const other = scale * Math.min(...theirs.map(of))
    const held = goal === undefined ? {} : { goal: goal * other, met: value <= goal * other }
    return { name, value, unit, ...held, peer, ratio: other / value }
  }
  return [
    row('boosted trees: fit', 's', ({ fit }) => fit, 1, TIME_GOAL),
    row('boosted trees: error on unseen rows', 'RMSE', ({ error }) => error, 1, ERROR_GOAL),
    row('boosted trees: predict 10,000 rows', 'ms', ({ predict }) => predict, 1000),
    { name: 'boosted trees: memory of the model', value: bytes, unit: 'bytes' },
  ]
}

function sayWhy(error: unknown): undefined {
  console.error(`boosted trees: XGBoost was not run: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
}

function fitOurs({ values, labels }: { values: Float32Array; labels: Float32Array }) {
  const examples = { values: values.subarray(0, TRAINING * COLUMNS), columns: COLUMNS, labels: labels.subarray(0, TRAINING) }
  let start = process.cpuUsage()
  const trees = finish(fitBoostedTrees(examples, { rounds: TREES, maxDepth: DEPTH, eta: 0.1 }))
  const fit = secondsSince(start)
  start = process.cpuUsage()
  const predictions = predictRows(trees, { values: values.subarray(TRAINING * COLUMNS), columns: COLUMNS })
  const predict = secondsSince(start)
  let squares = 0
  predictions.forEach((value, i) => {
    squares += (value - labels[TRAINING + i]) ** 2
  })
  return { trees, fit, predict, error: Math.sqrt(squares / predictions.length) }
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

/** Friedman's first function (1991) of five of fifty uniform columns, with normal noise of 1. */
function friedman() {
  const uniform = seededRandom(1)
  const normal = seededNormal(2)
  const values = Float32Array.from({ length: ROWS * COLUMNS }, uniform)
  const labels = Float32Array.from({ length: ROWS }, (_, i) => {
    const [a, b, c, d, e] = values.subarray(i * COLUMNS)
    return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + normal()
  })
  return { values, labels }
}
