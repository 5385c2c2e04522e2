import type { BoostedTrees, Objective } from './boosted-trees.ts'
import { sigmoid } from './boosted-trees.ts'

const OBJECTIVES: Readonly<Record<string, Objective>> = { 'reg:squarederror': 'squared-error', 'binary:logistic': 'logistic' }
const ROOT_PARENT = 2_147_483_647

type Json = Readonly<Record<string, any>>

/**
 * The trees of a model that XGBoost wrote as JSON (`save_model('….json')`, since 1.0), given as what `JSON.parse` made of it: gbtree with
 * `reg:squarederror` or `binary:logistic`, numeric columns. All trees count, also those after `best_iteration`. Throws `RangeError` for
 * what we cannot predict the same.
 */
export function fromXgboost(model: unknown): BoostedTrees {
  const learner = part(model, 'learner')
  const booster = part(learner, 'gradient_booster')
  must(booster.name === 'gbtree', 'booster must be gbtree', booster.name)
  const name = part(learner, 'objective').name
  must(Object.hasOwn(OBJECTIVES, name), `objective must be one of ${Object.keys(OBJECTIVES).join(', ')}`, name)
  const objective = OBJECTIVES[name]
  const { base_score, num_class = '0', num_feature, num_target = '1' } = part(learner, 'learner_model_param')
  must(
    Number(num_class) <= 1 && Number(num_target) <= 1,
    'model must have one output',
    `${num_class} classes, ${num_target} targets`,
  )
  const columns = Number(num_feature)
  must(Number.isInteger(columns) && columns > 0, 'num_feature must be a positive whole number', num_feature)
  const score = readBaseScore(base_score)
  const logistic = objective === 'logistic'
  must(!logistic || (score > 0 && score < 1), 'base_score of binary:logistic must be between 0 and 1', score)
  const base = Math.fround(logistic ? Math.log(score / (1 - score)) : score)
  const trees = part(booster, 'model').trees
  must(Array.isArray(trees), 'trees must be a list', typeof trees)
  return { version: 1, objective, columns, base, ...readTrees(trees, columns) }
}

/** '5E-1', since 3.1 '[5E-1]'. */
function readBaseScore(text: unknown): number {
  const score = Number(String(text).replace(/^\[(.*)\]$/, '$1'))
  must(String(text).length > 0 && Number.isFinite(score), 'base_score must be one number', text)
  return score
}

function readTrees(trees: readonly Json[], columns: number) {
  const roots: number[] = []
  const [left, right, column, threshold, missingLeft, value, gain, cover] = Array.from({ length: 8 }, (): number[] => [])
  trees.forEach((tree, t) => {
    const {
      left_children,
      right_children,
      split_indices,
      split_conditions,
      default_left,
      base_weights,
      loss_changes,
      sum_hessian,
    } = tree
    const size = left_children?.length
    for (const list of [right_children, split_indices, split_conditions, default_left, base_weights, loss_changes, sum_hessian])
      must(Array.isArray(list) && list.length === size, `lists of tree ${t} must be of one length`, list?.length)
    must(!tree.split_type?.some((type: number) => type !== 0), `tree ${t} must cut numeric columns only`, 'categories')
    const seen = new Set<number>()
    const read = (at: number): number => {
      must(at >= 0 && at < size && !seen.has(at), `nodes of tree ${t} must form a tree`, `node ${at} of ${size}`)
      seen.add(at)
      const node = left.length
      const leaf = left_children[at] === -1
      must(leaf || (split_indices[at] >= 0 && split_indices[at] < columns), `column must be below ${columns}`, split_indices[at])
      left.push(-1)
      right.push(-1)
      column.push(leaf ? 0 : split_indices[at])
      threshold.push(leaf ? 0 : split_conditions[at])
      missingLeft.push(Number(default_left[at]))
      value.push(leaf ? split_conditions[at] : base_weights[at])
      gain.push(leaf ? 0 : loss_changes[at])
      cover.push(sum_hessian[at])
      if (leaf) return node
      left[node] = read(left_children[at])
      right[node] = read(right_children[at])
      return node
    }
    roots.push(read(0))
  })
  return {
    roots: Int32Array.from(roots),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    column: Int32Array.from(column),
    threshold: Float32Array.from(threshold),
    missingLeft: Uint8Array.from(missingLeft),
    value: Float32Array.from(value),
    gain: Float32Array.from(gain),
    cover: Float32Array.from(cover),
  }
}

/** JSON text that XGBoost (2.0 and later) reads and predicts the same with. */
export function toXgboost(trees: BoostedTrees): string {
  const { objective, columns, base, roots } = trees
  const logistic = objective === 'logistic'
  const name = Object.keys(OBJECTIVES).find(key => OBJECTIVES[key] === objective)
  const written = Array.from(roots, (root, t) => writeTree(trees, root, t))
  const model = {
    version: [2, 0, 0],
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        name: 'gbtree',
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: `${roots.length}` },
          iteration_indptr: Array.from({ length: roots.length + 1 }, (_, i) => i),
          tree_info: Array.from(roots, () => 0),
          trees: written,
        },
      },
      learner_model_param: {
        base_score: toFloat(Math.fround(logistic ? sigmoid(base) : base)).slice(1),
        boost_from_average: '1',
        num_class: '0',
        num_feature: `${columns}`,
        num_target: '1',
      },
      objective: { name, reg_loss_param: { scale_pos_weight: '1' } },
    },
  }
  return JSON.stringify(model).replaceAll(/"~([^"]+)"/g, '$1')
}

/**
 * XGBoost tells a float from a whole number by how it is written and refuses the other, and 2.x misreads floats of more than 9 digits, so these are
 * the fewest that give the same 32 bits. `toXgboost` takes away quotes and tilde.
 */
function toFloat(value: number): string {
  let digits = 5
  while (digits < 8 && Math.fround(Number(value.toExponential(digits))) !== value) digits++
  return `~${value.toExponential(digits).replace('e+', 'E').replace('e', 'E')}`
}

/** In levels, so that the right child stands behind the left one: XGBoost 2 looks for it there, whatever `right_children` says. */
function writeTree(trees: BoostedTrees, root: number, id: number): object {
  const nodes = [root]
  const [left, right, parents]: [number[], number[], number[]] = [[], [], [ROOT_PARENT]]
  for (let i = 0; i < nodes.length; i++) {
    const leaf = trees.left[nodes[i]] < 0
    left.push(leaf ? -1 : nodes.length)
    right.push(leaf ? -1 : nodes.length + 1)
    if (leaf) continue
    parents.push(i, i)
    nodes.push(trees.left[nodes[i]], trees.right[nodes[i]])
  }
  const size = nodes.length
  const list = (values: ArrayLike<number>) => nodes.map(node => values[node])
  const value = list(trees.value)
  return {
    base_weights: value.map(toFloat),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: list(trees.missingLeft),
    id,
    left_children: left,
    loss_changes: list(trees.gain).map(toFloat),
    parents,
    right_children: right,
    split_conditions: list(trees.threshold).map((threshold, node) => toFloat(left[node] < 0 ? value[node] : threshold)),
    split_indices: list(trees.column),
    split_type: Array<number>(size).fill(0),
    sum_hessian: list(trees.cover).map(toFloat),
    tree_param: { num_deleted: '0', num_feature: `${trees.columns}`, num_nodes: `${size}`, size_leaf_vector: '1' },
  }
}

function part(json: unknown, key: string): Json {
  const value = (json as Json | null | undefined)?.[key]
  must(typeof value === 'object' && value !== null, `model must have ${key}`, typeof value)
  return value
}

function must(holds: boolean, what: string, found: unknown): asserts holds {
  if (!holds) throw new RangeError(`${what}, got ${found}`)
}
