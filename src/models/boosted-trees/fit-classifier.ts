import { seededRandom } from '../../math/random.ts'
import type { Attribution } from './attribute.ts'
import { attribute } from './attribute.ts'
import type { BoostedTrees } from './boosted-trees.ts'
import { predictRow, predictRows } from './boosted-trees.ts'
import type { BoostingOptions, BoostingProgress } from './fit-boosted-trees.ts'
import { fitBoostedTrees } from './fit-boosted-trees.ts'
import type { Examples } from './table.ts'
import { checkExamples, rowCount } from './table.ts'

/** Trees that say how likely a 1 is, and what was found when they were tried on rows that they had not seen; plain data. */
export interface Classifier {
  readonly version: 1
  readonly trees: BoostedTrees
  /** Probability from which a row is called a 1: the best F1 on unseen rows. */
  readonly threshold: number
  readonly validation: {
    readonly logLoss: number
    readonly precision: number
    readonly recall: number
    readonly f1: number
  }
}

export interface ClassifierOptions extends Partial<Omit<BoostingOptions, 'objective' | 'patience'>> {
  /** Parts of the rows of which each is once left out. */
  readonly folds?: number
}

/** Shallow and slow trees, because people label few rows. */
const FEW_LABELS = { rounds: 100, maxDepth: 3, eta: 0.1, maxBin: 64 }
const PATIENCE = 15

/**
 * Learns which rows people call a 1 (a true anomaly, say) from rows of features and labels of 0 and 1. Cross-validation with folds of equal shares
 * of ones chooses the number of trees and the threshold and says how good they are; then all rows teach. Yields as `fitBoostedTrees` does, fold by fold. Throws
 * `RangeError` with fewer ones or zeros than folds, or another label.
 */
export function* fitClassifier(
  examples: Examples,
  { folds = 4, ...given }: ClassifierOptions = {},
): Generator<BoostingProgress, Classifier> {
  checkExamples(examples, true)
  const { labels } = examples
  const size = rowCount(examples)
  const options = { ...FEW_LABELS, ...given, objective: 'logistic' as const }
  const fold = dealFolds(labels, folds, options.seed ?? 1)
  const unseen = new Float64Array(size)
  let rounds = 0
  let logLoss = 0
  for (let f = 0; f < folds; f++) {
    const seenRows = [...fold.keys()].filter(i => fold[i] !== f)
    const unseenRows = [...fold.keys()].filter(i => fold[i] === f)
    const validation = choose(examples, unseenRows)
    const trees = yield* fitBoostedTrees(choose(examples, seenRows), { ...options, patience: PATIENCE }, validation)
    rounds += trees.roots.length / folds
    predictRows(trees, validation).forEach((probability, i) => {
      unseen[unseenRows[i]] = probability
      const said = validation.labels[i] === 1 ? probability : 1 - probability
      logLoss -= Math.log(Math.max(said, 1e-15)) / size
    })
  }
  const trees = yield* fitBoostedTrees(examples, { ...options, rounds: Math.max(1, Math.round(rounds)) })
  const { threshold, ...found } = bestThreshold(unseen, labels)
  return { version: 1, trees, threshold, validation: { logLoss, ...found } }
}

/** What a classifier says of one row, and why: contributions are log odds by column. */
export interface Classification extends Attribution {
  readonly probability: number
  readonly positive: boolean
}

export function classify({ trees, threshold }: Classifier, row: ArrayLike<number>): Classification {
  const probability = predictRow(trees, row)
  return { probability, positive: probability >= threshold, ...attribute(trees, row) }
}

/** The fold of each row; ones and zeros are dealt in turn after a shuffle. */
function dealFolds(labels: ArrayLike<number>, folds: number, seed: number): Uint8Array {
  const random = seededRandom(seed)
  const fold = new Uint8Array(labels.length)
  for (const label of [0, 1]) {
    const rows = Array.from(labels, (_, i) => i).filter(i => labels[i] === label)
    if (rows.length < folds) throw new RangeError(`labels must have at least ${folds} of ${label}, got ${rows.length}`)
    for (let i = rows.length - 1; i > 0; i--) {
      const at = Math.floor(random.next() * (i + 1))
      ;[rows[i], rows[at]] = [rows[at], rows[i]]
    }
    rows.forEach((row, i) => {
      fold[row] = i % folds
    })
  }
  const other = Array.from(labels).find(label => label !== 0 && label !== 1)
  if (other !== undefined) throw new RangeError(`labels must be 0 or 1, got ${other}`)
  return fold
}

function choose({ values, columns, labels, weights }: Examples, rows: readonly number[]): Examples {
  const chosen = new Float64Array(rows.length * columns)
  rows.forEach((row, i) => chosen.set(values.subarray(row * columns, (row + 1) * columns), i * columns))
  const some = { values: chosen, columns, labels: rows.map(row => labels[row]) }
  return weights ? { ...some, weights: rows.map(row => weights[row]) } : some
}

function bestThreshold(probabilities: Float64Array, labels: ArrayLike<number>) {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a])
  const ones = order.reduce((sum, i) => sum + labels[i], 0)
  let best = { threshold: 1, precision: 0, recall: 0, f1: -1 }
  let hits = 0
  order.forEach((row, i) => {
    hits += labels[row]
    const next = i + 1 < order.length ? probabilities[order[i + 1]] : 0
    if (next === probabilities[row]) return
    const f1 = (2 * hits) / (i + 1 + ones)
    // Midway to the next, since the trees of all rows say nearly but not quite the same.
    if (f1 > best.f1) best = { threshold: (probabilities[row] + next) / 2, precision: hits / (i + 1), recall: hits / ones, f1 }
  })
  return best
}
