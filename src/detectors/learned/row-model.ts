import { fastestOps } from '../../kernels/fastest-ops.ts'
import type { Numbers, Sheet } from '../../kernels/ops.ts'
import { type Random, seededRandom } from '../../math/random.ts'
import { openAutoencoder } from '../../models/networks/autoencoder.ts'
import { openForecaster } from '../../models/networks/forecaster.ts'
import type { Network } from '../../models/networks/network.ts'
import type { Cell } from '../../models/networks/recurrent-layer.ts'
import { train } from '../../models/networks/train.ts'
import { openVariational } from '../../models/networks/variational-autoencoder.ts'
import type { Rows } from '../../models/networks/windows.ts'

/** What is expected of the last row of a window, in scaled values. Owned by the model until the next call. */
export interface Expectation {
  readonly expected: Float64Array
  /** Own deviation of each column, in the unit of its usual one; 1 where the model knows none. */
  readonly deviation: Float64Array
}

/** A network that expects the last row of a window of rows. */
export interface RowModel {
  /** Rows of a window, with the one that is judged. */
  readonly span: number
  /** The window must be looked at with its last row: what is expected depends on it. */
  readonly needsLast: boolean
  /** Yields the share that is done, and then weights that were taught, going on from earlier ones where there are any. May be left at any point. */
  fit(rows: Rows, earlier: Float32Array, seed: number): Generator<number, Float32Array>
  /** The window that begins at row 0 of `rows`; `weights` are compared by identity, so nobody may write into them. */
  expect(weights: Float32Array, rows: Rows): Expectation
}

export interface LearningOptions {
  readonly epochs: number
  readonly rate: number
  /** Most windows of an epoch. */
  readonly windows: number
  readonly seed: number
}

export interface NetworkOptions extends LearningOptions {
  readonly cell: Cell
  readonly columns: number
  readonly units: number
  readonly steps: number
}

const BATCH = 32
/** Epochs without improvement before a fit ends. */
const PATIENCE = 3
const VALIDATION = 0.15

interface Learner<Kind extends Network> {
  readonly network: Kind
  /** What the network draws noise from. */
  readonly noise: Random & { begin(seed: number): void }
}

/** A network with the weights that it holds now. Networks are large and rows are judged one after another, so streams of one shape share them. */
interface Shared<Kind extends Network> {
  readonly judge: Kind
  owner?: Float32Array
  /** Out of place while a fit uses it, which may rest for long. */
  learner?: Learner<Kind> | undefined
  openLearner(): Learner<Kind>
}
const shared = new Map<string, Shared<Network>>()
const MOST_SHARED = 8

function shareNetwork<Kind extends Network>(key: string, open: (batch: number, noise: Random) => Kind): Shared<Kind> {
  const found = (shared.get(key) as Shared<Kind> | undefined) ?? openShared(open)
  shared.delete(key)
  shared.set(key, found)
  if (shared.size > MOST_SHARED) shared.delete(shared.keys().next().value!)
  return found
}

function openShared<Kind extends Network>(open: (batch: number, noise: Random) => Kind): Shared<Kind> {
  return {
    judge: open(1, seededRandom(0)),
    openLearner() {
      let random = seededRandom(0)
      const noise = {
        next: () => random.next(),
        state: () => random.state(),
        begin(seed: number) {
          random = seededRandom(seed)
        },
      }
      return { network: open(BATCH, noise), noise }
    },
  }
}

function* fitNetwork(
  place: Shared<Network>,
  rows: Rows,
  earlier: Float32Array,
  seed: number,
  options: LearningOptions,
): Generator<number, Float32Array> {
  const learner = place.learner ?? place.openLearner()
  place.learner = undefined
  try {
    const { network, noise } = learner
    const starts = Int32Array.from({ length: rows.values.length / rows.columns - network.span + 1 }, (_, i) => i)
    const { epochs, rate, windows } = options
    const warm = earlier.length > 0
    if (warm) network.parameters.weights.set(earlier)
    noise.begin(seed)
    const training = train(network, rows, starts, {
      epochs,
      rate,
      windows,
      warm,
      random: seededRandom(seed),
      patience: PATIENCE,
      validation: VALIDATION,
    })
    for (const { epoch, batch, batches } of training) yield (epoch + (batch + 1) / batches) / epochs
    return Float32Array.from(network.parameters.weights)
  } finally {
    place.learner = learner
  }
}

function hold(network: Shared<Network>, weights: Float32Array): void {
  if (network.owner !== weights) network.judge.parameters.weights.set(weights)
  network.owner = weights
}

const FIRST = [0]

/** Expects the row after the window of a forecaster. */
export function forecastRows(options: NetworkOptions): RowModel {
  const { cell, columns, units, steps } = options
  const open = (batch: number) => openForecaster(fastestOps, { cell, columns, units, steps, batch, direct: true })
  const use = () => shareNetwork(`forecaster ${cell} ${columns} ${units} ${steps}`, open)
  const expectation = emptyExpectation(columns)
  return {
    span: steps + 1,
    needsLast: false,
    fit: (rows, earlier, seed) => fitNetwork(use(), rows, earlier, options.seed + seed, options),
    expect(weights, rows) {
      const network = use()
      hold(network, weights)
      network.judge.load(rows, FIRST, FIRST, 0, 1)
      readColumns(expectation.expected, network.judge.forecast().data)
      return expectation
    },
  }
}

/** Expects of the last row what an autoencoder makes of it. */
export function reconstructRows(options: NetworkOptions): RowModel {
  const { cell, columns, units, steps } = options
  const open = (batch: number) => openAutoencoder(fastestOps, { cell, columns, units, steps, batch })
  const use = () => shareNetwork(`autoencoder ${cell} ${columns} ${units} ${steps}`, open)
  const expectation = emptyExpectation(columns)
  return {
    span: steps,
    needsLast: true,
    fit: (rows, earlier, seed) => fitNetwork(use(), rows, earlier, options.seed + seed, options),
    expect(weights, rows) {
      const network = use()
      hold(network, weights)
      network.judge.load(rows, FIRST, FIRST, 0, 1)
      readColumns(expectation.expected, network.judge.reconstructLast().data)
      return expectation
    },
  }
}

/** Draws of the code, side by side in one panel. */
const DRAWS = 8
const EIGHT_TIMES = Array.from({ length: DRAWS }, () => 0)

/**
 * Expects of the last row what a variational autoencoder makes of it, in the mean of eight draws of the code; the deviation is what a Gaussian of
 * that mean would need for the same expected logarithm of likelihood: the reconstruction probability (An & Cho 2015).
 */
export function reconstructProbably(options: NetworkOptions & { readonly latent: number }): RowModel {
  const { cell, columns, units, steps, latent } = options
  const open = (batch: number, noise: Random) =>
    openVariational(fastestOps, { cell, columns, units, steps, batch, latent }, noise)
  const use = () => shareNetwork(`variational ${cell} ${columns} ${units} ${steps} ${latent}`, open)
  const expectation = emptyExpectation(columns)
  return {
    span: steps,
    needsLast: true,
    fit: (rows, earlier, seed) => fitNetwork(use(), rows, earlier, options.seed + seed, options),
    expect(weights, rows) {
      const network = use()
      hold(network, weights)
      network.judge.load(rows, FIRST, EIGHT_TIMES, 0, DRAWS)
      network.judge.drawNoise(seededRandom(options.seed))
      readDraws(expectation, network.judge.reconstructLast())
      return expectation
    },
  }

  function readDraws({ expected, deviation }: Expectation, { data }: Sheet): void {
    for (let c = 0; c < columns; c++) {
      let mean = 0
      let precision = 0
      for (let draw = 0; draw < DRAWS; draw++) {
        const each = Math.exp(-Math.max(-6, Math.min(6, data[(columns + c) * DRAWS + draw])))
        precision += each
        mean += each * data[c * DRAWS + draw]
      }
      expected[c] = mean / precision
      deviation[c] = Math.sqrt(DRAWS / precision)
    }
  }
}

function emptyExpectation(columns: number): Expectation {
  return { expected: new Float64Array(columns), deviation: new Float64Array(columns).fill(1) }
}

/** The first example of a sheet's first panel. */
function readColumns(to: Float64Array, data: Numbers): void {
  for (let c = 0; c < to.length; c++) to[c] = data[8 * c]
}
