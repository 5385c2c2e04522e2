import { BINS, BLOCK, MISSING_BIN, openHistograms } from '../../kernels/histogram.ts'
import type { Random } from '../../math/random.ts'
import { seededRandom } from '../../math/random.ts'
import type { BoostedTrees, Objective } from './boosted-trees.ts'
import { leafOf } from './boosted-trees.ts'
import { fillBins, findCuts } from './find-cuts.ts'
import type { TreeOptions } from './grow-tree.ts'
import { growTree } from './grow-tree.ts'
import { fromNodes, joinTrees } from './join-trees.ts'
import type { Loss } from './objectives.ts'
import { LOSSES } from './objectives.ts'
import type { Examples, Table } from './table.ts'
import { checkExamples, rowCount } from './table.ts'

/** XGBoost's parameters under its names, with its defaults. */
export interface BoostingOptions extends TreeOptions {
  readonly objective: Objective
  readonly rounds: number
  /** 3 … 256; one of them is for missing values. */
  readonly maxBin: number
  /** Share of the rows that each tree sees, without replacement. */
  readonly subsample: number
  /** Share of the columns that each tree may cut. */
  readonly colsample: number
  readonly seed: number
  /** Stop when the loss of the validation rows has not fallen for so many rounds, and keep the trees up to the best; 0 never. */
  readonly patience: number
}

export const BOOSTING_DEFAULTS: BoostingOptions = {
  objective: 'squared-error',
  rounds: 100,
  maxDepth: 6,
  eta: 0.3,
  lambda: 1,
  alpha: 0,
  gamma: 0,
  minChildWeight: 1,
  maxBin: BINS,
  subsample: 1,
  colsample: 1,
  seed: 1,
  patience: 0,
}

/** Said after each tree. */
export interface BoostingProgress {
  /** Trees so far. */
  readonly round: number
  /** Root mean square error or mean log loss of the validation rows; of the training rows where there are no others. */
  readonly loss: number
}

/**
 * Histogram gradient boosting with the regularised objective of XGBoost (Chen & Guestrin 2016, equations 2 to 7, sections 3.3 and 3.4). Yields after each tree, so
 * that whoever drives it can show progress, keep a deadline or stop; a driver that stops keeps nothing. Departures from
 * XGBoost: cuts lie midway between values, and missing values that were never seen go to the heavier child. Memory: about
 * rows × (columns + 40) + columns × depth × 4,096 bytes. Throws `RangeError` when sizes do not fit together or a label is not finite.
 */
export function* fitBoostedTrees(
  examples: Examples,
  options: Partial<BoostingOptions> = {},
  validation?: Examples,
): Generator<BoostingProgress, BoostedTrees> {
  const settings = { ...BOOSTING_DEFAULTS, ...options }
  const { objective, rounds, maxDepth, subsample, colsample, patience } = settings
  checkExamples(examples, objective === 'logistic')
  if (validation) checkExamples(validation, objective === 'logistic')
  if (validation && validation.columns !== examples.columns)
    throw new RangeError(`validation rows must have ${examples.columns} columns, got ${validation.columns}`)
  if (!(settings.maxBin >= 3)) throw new RangeError(`maxBin must be at least 3, got ${settings.maxBin}`)
  const { columns, labels, weights } = examples
  const size = rowCount(examples)
  const loss = LOSSES[objective]
  const random = seededRandom(settings.seed)
  const histograms = openHistograms(size, columns, maxDepth + 1)
  try {
    const cuts = binColumns(examples, histograms.bins, settings.maxBin)
    const bins = cuts.map(({ length }) => length)
    const base = Math.fround(loss.base(meanOf(labels, weights)))
    const margins = new Float32Array(size).fill(base)
    const watched = validation ? new Float32Array(rowCount(validation)).fill(base) : undefined
    const everyColumn = bins.flatMap((count, column) => (count > 0 ? [column] : []))
    const everyRow = Uint32Array.from({ length: size }, (_, i) => i)
    const sampled = new Uint8Array(size)
    const forest: BoostedTrees[] = []
    const watches = validation !== undefined && patience > 0
    let best = { round: 0, loss: validation ? meanLoss(loss, validation, watched!) : Infinity }

    for (let round = 1; round <= rounds; round++) {
      for (let i = 0; i < size; i++) loss.derive(margins[i], labels[i], weights ? weights[i] : 1, histograms.gradients, 2 * i)
      if (subsample >= 1) histograms.rows.set(everyRow)
      const taken = subsample < 1 ? sampleRows(histograms.rows, sampled, subsample, random) : size
      const allowed = colsample < 1 ? sampleColumns(everyColumn, colsample, random) : everyColumn
      const nodes = growTree(histograms, taken, allowed, bins, settings, (value, from, to) => {
        const { rows } = histograms
        for (let i = from; i < to; i++) margins[rows[i]] += value
      })
      const tree = fromNodes(nodes, cuts, { objective, columns, base })
      forest.push(tree)
      if (taken < size)
        for (let i = 0; i < size; i++)
          if (sampled[i] === 0) margins[i] += tree.value[leafOf(tree, 0, examples.values, i * columns)]
      if (validation)
        for (let i = 0; i < watched!.length; i++) watched![i] += tree.value[leafOf(tree, 0, validation.values, i * columns)]
      const now = validation ? meanLoss(loss, validation, watched!) : meanLoss(loss, examples, margins)
      if (now < best.loss) best = { round, loss: now }
      yield { round, loss: now }
      if (watches && round - best.round >= patience) break
    }
    return joinTrees({ objective, columns, base }, watches ? forest.slice(0, best.round) : forest)
  } finally {
    histograms.close()
  }
}

/** Goes through a fit to its end. */
export function finish<Result>(fit: Generator<unknown, Result>): Result {
  for (;;) {
    const { done, value } = fit.next()
    if (done) return value
  }
}

function binColumns(table: Table, bins: Uint8Array, maxBin: number): Float32Array[] {
  const rows = rowCount(table)
  return Array.from({ length: table.columns }, (_, column) => {
    const cuts = findCuts(table, column, Math.min(maxBin, BINS) - 1)
    const start = Math.floor(column / BLOCK) * rows * BLOCK + (column % BLOCK)
    fillBins(table, column, cuts, { bins, start, stride: BLOCK, missing: MISSING_BIN })
    return cuts
  })
}

function meanOf(labels: ArrayLike<number>, weights: ArrayLike<number> | undefined): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < labels.length; i++) {
    const weight = weights ? weights[i] : 1
    sum += weight * labels[i]
    total += weight
  }
  if (!(total > 0)) throw new RangeError('weights must not all be 0')
  return sum / total
}

function meanLoss(loss: Loss, { labels, weights }: Examples, margins: Float32Array): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < margins.length; i++) {
    const weight = weights ? weights[i] : 1
    sum += weight * loss.of(margins[i], labels[i])
    total += weight
  }
  return loss.shown(sum / total)
}

/** Each row with the same chance; at least one. */
function sampleRows(rows: Uint32Array, sampled: Uint8Array, share: number, random: Random): number {
  let taken = 0
  for (let i = 0; i < sampled.length; i++) {
    sampled[i] = random.next() < share ? 1 : 0
    if (sampled[i] === 1) rows[taken++] = i
  }
  if (taken > 0) return taken
  rows[0] = Math.floor(random.next() * sampled.length)
  sampled[rows[0]] = 1
  return 1
}

/** That many of them, ascending; at least one. */
function sampleColumns(columns: readonly number[], share: number, random: Random): number[] {
  const left = [...columns]
  const count = Math.min(columns.length, Math.max(1, Math.floor(share * columns.length)))
  for (let i = 0; i < count; i++) {
    const at = i + Math.floor(random.next() * (left.length - i))
    ;[left[i], left[at]] = [left[at], left[i]]
  }
  return left.slice(0, count).sort((a, b) => a - b)
}
