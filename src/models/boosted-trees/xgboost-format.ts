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

/** What XGBoost (2.0 and later) reads after `JSON.stringify`, and predicts the same. */
export function toXgboost(trees: BoostedTrees): object {
  const { objective, columns, base, roots, left } = trees
  const logistic = objective === 'logistic'
  const name = Object.keys(OBJECTIVES).find(key => OBJECTIVES[key] === objective)
  const written = Array.from(roots, (root, t) => writeTree(trees, root, roots[t + 1] ?? left.length, t))
  return {
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
        base_score: `${logistic ? sigmoid(base) : base}`,
        boost_from_average: '1',
        num_class: '0',
        num_feature: `${columns}`,
        num_target: '1',
      },
      objective: { name, reg_loss_param: { scale_pos_weight: '1' } },
    },
  }
}

function writeTree(trees: BoostedTrees, root: number, end: number, id: number): object {
  const slice = <Values extends Int32Array | Float32Array | Uint8Array>(values: Values) => Array.from(values.subarray(root, end))
  const children = (nodes: Int32Array) => slice(nodes).map(node => (node < 0 ? -1 : node - root))
  const [left, right] = [children(trees.left), children(trees.right)]
  const size = end - root
  const parents = Array<number>(size).fill(ROOT_PARENT)
  for (const nodes of [left, right])
    nodes.forEach((child, node) => {
      if (child >= 0) parents[child] = node
    })
  const value = slice(trees.value)
  return {
    base_weights: value,
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: slice(trees.missingLeft),
    id,
    left_children: left,
    loss_changes: slice(trees.gain),
    parents,
    right_children: right,
    split_conditions: slice(trees.threshold).map((threshold, node) => (left[node] < 0 ? value[node] : threshold)),
    split_indices: slice(trees.column),
    split_type: Array<number>(size).fill(0),
    sum_hessian: slice(trees.cover),
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
