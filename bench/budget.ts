import type { BenchOptions, Row } from './bench.ts'
import type { Measured } from './scoring/measure.ts'
import { BUDGETS } from './scoring/measure.ts'
import { measureSet } from './scoring/score-set.ts'

export const summary =
  'false alarms of the budget rule on the stretches of the data sets without anomalies (--data DIR, --detector TYPE)'

const SETS = ['nab', 'smd', 'asd', 'aiops', 'synthetic'] as const
/** Alarms must be so many times the budget at least, and at most. */
const LEAST = 0.5
const MOST = 1.5
export const SAID: Readonly<Record<string, string>> = { '1d': 'one a day', '1w': 'one a week', '30d': 'one a month' }

/** Alarms as a multiple of the budget, all sets together and each. */
export async function run({ data, detector = 'default', jobs }: BenchOptions): Promise<readonly Row[]> {
  return (await measureBudgets(data, detector, jobs)).map(({ set, per, alarms, allowed }) => {
    const value = alarms / allowed
    const held = set === ALL ? { goal: 1, met: value >= LEAST && value <= MOST } : {}
    return { name: `budget ${detector} on ${set}: ${SAID[per]}`, value, unit: `× (${alarms} of ${allowed.toFixed(1)})`, ...held }
  })
}

export const ALL = 'all sets'

/** Alarms of a budget on a set, and how many it allows. */
export interface BudgetResult {
  readonly set: string
  readonly per: string
  readonly alarms: number
  readonly allowed: number
}

export async function measureBudgets(data: string | undefined, detector: string, jobs?: number): Promise<BudgetResult[]> {
  const bySet = new Map<string, Measured[]>()
  for (const set of SETS) {
    const measured = await measureSet(set, data, detector, jobs)
    if (measured) bySet.set(set, [...measured.values()])
    else console.error(`budget: ${set} left out, --data must name the folder of the data sets`)
  }
  return [[ALL, [...bySet.values()].flat()] as const, ...bySet].flatMap(([set, measured]) =>
    BUDGETS.map(({ per }, k) => ({
      set,
      per,
      alarms: measured.reduce((sum, { calibrations }) => sum + calibrations[k]!.alarms, 0),
      allowed: measured.reduce((sum, { calibrations }) => sum + calibrations[k]!.allowed, 0),
    })),
  )
}
