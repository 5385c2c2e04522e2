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
const SAID: Readonly<Record<string, string>> = { '1d': 'one a day', '1w': 'one a week', '30d': 'one a month' }

/** Alarms as a multiple of the budget, all sets together and each. */
export async function run({ data, detector = 'default', jobs }: BenchOptions): Promise<readonly Row[]> {
  const bySet = new Map<string, Measured[]>()
  for (const set of SETS) {
    const measured = await measureSet(set, data, detector, jobs)
    if (measured) bySet.set(set, [...measured.values()])
    else console.error(`budget: ${set} left out, --data must name the folder of the data sets`)
  }
  const rows: Row[] = []
  for (const [set, measured] of [['all sets', [...bySet.values()].flat()] as const, ...bySet])
    for (const [k, { per }] of BUDGETS.entries()) {
      const alarms = measured.reduce((sum, { calibrations }) => sum + calibrations[k]!.alarms, 0)
      const allowed = measured.reduce((sum, { calibrations }) => sum + calibrations[k]!.allowed, 0)
      const value = alarms / allowed
      const held = set === 'all sets' ? { goal: 1, met: value >= LEAST && value <= MOST } : {}
      rows.push({
        name: `budget ${detector} on ${set}: ${SAID[per]}`,
        value,
        unit: `× (${alarms} of ${allowed.toFixed(1)})`,
        ...held,
      })
    }
  return rows
}
