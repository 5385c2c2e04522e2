import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { attribute } from './attribute.ts'
import { predictRow, predictRows } from './boosted-trees.ts'
import { finish, fitBoostedTrees } from './fit-boosted-trees.ts'
import { importanceOf } from './importance.ts'
import { fromXgboost, toXgboost } from './xgboost-format.ts'

interface Case {
  name: string
  parameters: { max_depth: number; eta: number; lambda?: number; alpha?: number; gamma?: number; min_child_weight?: number }
  labels: number[]
  model: any
  predictions: number[]
  contributions: number[][]
  importance: Record<'weight' | 'gain' | 'cover', Record<string, number>>
}

/** Made by scripts/boosted-trees-parity.py. */
const parity: { train: (number | null)[][]; rows: (number | null)[][]; cases: Case[] } = JSON.parse(
  readFileSync(new URL('parity.json', import.meta.url), 'utf8'),
)
const COLUMNS = 6
const tableOf = (rows: (number | null)[][]) => ({
  values: Float64Array.from(rows.flat(), value => value ?? NaN),
  columns: COLUMNS,
})
const rows = tableOf(parity.rows)
const train = tableOf(parity.train)

describe.each(parity.cases)('XGBoost, $name', ({ parameters, labels, model, predictions, contributions, importance }) => {
  const trees = fromXgboost(model)

  it('predicts the same with its model', () => {
    const found = predictRows(trees, rows)
    found.forEach((value, i) => expect(Math.abs(value - predictions[i])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value))))
  })

  it('attributes the same', () => {
    contributions.forEach((wanted, i) => {
      const found = attribute(trees, rows.values, i * COLUMNS)
      ;[...found.contributions, found.expected].forEach((value, c) => expect(value).toBeCloseTo(wanted[c], 4))
    })
  })

  it('uses the columns as much', () => {
    const found = importanceOf(trees)
    for (const kind of ['weight', 'gain', 'cover'] as const)
      for (let c = 0; c < COLUMNS; c++) {
        const wanted = importance[kind][`f${c}`] ?? 0
        expect(Math.abs(found[kind][c] - wanted)).toBeLessThanOrEqual(1e-4 * Math.max(1, wanted))
      }
  })

  it('learns the same trees', () => {
    const { max_depth: maxDepth, min_child_weight: minChildWeight = 1, eta, lambda = 1, alpha = 0, gamma = 0 } = parameters
    const options = {
      objective: trees.objective,
      rounds: trees.roots.length,
      maxDepth,
      minChildWeight,
      eta,
      lambda,
      alpha,
      gamma,
    }
    const ours = finish(fitBoostedTrees({ ...train, labels }, options))
    expect(ours.left.length).toBe(trees.left.length)
    const found = predictRows(ours, train)
    const wanted = predictRows(trees, train)
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 3))
  })

  it('is written as it was read', () => {
    const again = fromXgboost(JSON.parse(toXgboost(trees)))
    expect(again.base).toBeCloseTo(trees.base, 6)
    expect(JSON.stringify({ ...again, base: 0 })).toBe(JSON.stringify({ ...trees, base: 0 }))
  })

  it('is written as all versions read it', () => {
    const text = toXgboost(trees)
    const written = JSON.parse(text).learner.gradient_booster.model.trees
    for (const { left_children, right_children } of written)
      left_children.forEach((left: number, node: number) => expect(right_children[node]).toBe(left < 0 ? -1 : left + 1))
    for (const [, list] of text.matchAll(/"(?:split_conditions|base_weights|sum_hessian|loss_changes)":\[([^\]]+)\]/g))
      for (const number of list.split(',')) expect(number).toMatch(/^-?\d\.\d{5,8}E-?\d+$/)
  })

  it('reads the base score of all versions', () => {
    const text: string = model.learner.learner_model_param.base_score
    const plain = structuredClone(model)
    plain.learner.learner_model_param.base_score = text.startsWith('[') ? text.slice(1, -1) : `[${text}]`
    expect(fromXgboost(plain).base).toBe(trees.base)
    expect(trees.base).not.toBe(0)
  })
})

describe('fromXgboost', () => {
  const { model } = parity.cases[0]
  const changed = (change: (learner: any) => void) => {
    const copy = structuredClone(model)
    change(copy.learner)
    return () => fromXgboost(copy)
  }

  it('refuses what it would predict wrongly', () => {
    expect(changed(learner => (learner.gradient_booster.name = 'dart'))).toThrow('booster must be gbtree, got dart')
    expect(changed(learner => (learner.objective.name = 'rank:ndcg'))).toThrow('objective must be one of reg:squarederror')
    expect(changed(learner => (learner.learner_model_param.num_class = '3'))).toThrow('one output, got 3 classes')
    expect(changed(learner => (learner.learner_model_param.base_score = '[1,2]'))).toThrow('base_score must be one number')
    expect(changed(learner => (learner.gradient_booster.model.trees[1].split_type[0] = 1))).toThrow('numeric columns only')
    expect(changed(learner => (learner.gradient_booster.model.trees[0].split_indices[0] = 6))).toThrow('column must be below 6')
    expect(() => fromXgboost({})).toThrow('model must have learner')
  })

  it('refuses trees that are none', () => {
    expect(changed(learner => (learner.gradient_booster.model.trees[0].left_children[0] = 0))).toThrow('must form a tree')
    expect(changed(learner => learner.gradient_booster.model.trees[0].default_left.pop())).toThrow('must be of one length')
  })

  it('compares in 32 bits', () => {
    const trees = fromXgboost(model)
    const row = new Float64Array(COLUMNS)
    const at = trees.roots[0]
    row[trees.column[at]] = trees.threshold[at] * (1 - 1e-12)
    const exact = row.map(Math.fround)
    expect(predictRow(trees, row)).toBe(predictRow(trees, exact))
  })
})
