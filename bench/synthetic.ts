import type { BenchOptions, Row } from './bench.ts'
import type { Kind, Strength } from './data/synthetic.ts'
import { KINDS, STRENGTHS, synthesisOf } from './data/synthetic.ts'
import { describe } from './labelled.ts'
import { summarizeFelt } from './protocols/operators.ts'
import type { Measured } from './scoring/measure.ts'
import { YARDSTICKS } from './scoring/score-series.ts'
import { measureSet } from './scoring/score-set.ts'

export const summary =
  'made series with one anomaly each, of every kind, at three strengths, under three noises (--detector TYPE)'

/** Overall figures, then for each kind and strength how often the highest score is at the anomaly, and how often an alert caught it. */
export async function run({ detector = 'default', jobs }: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const name of [detector, ...YARDSTICKS]) {
    const measured = (await measureSet('synthetic', undefined, name, jobs))!
    for (const { metric, value, unit } of describe([...measured.values()], true))
      rows.push({ name: `synthetic ${name}: ${metric}`, value, unit })
    for (const { kind, strength, found, caught } of byKind(measured))
      rows.push(
        { name: `synthetic ${name}: ${strength} ${kind}, ranked first`, value: found, unit: '' },
        { name: `synthetic ${name}: ${strength} ${kind}, caught`, value: caught, unit: '' },
      )
  }
  return rows
}

export interface ByKind {
  readonly kind: Kind
  readonly strength: Strength
  /** Share of series in which the highest score is at the anomaly. */
  readonly found: number
  /** Share of anomalies that an alert of the budget rule caught. */
  readonly caught: number
}

export function byKind(measured: ReadonlyMap<string, Measured>): ByKind[] {
  return KINDS.filter(kind => kind !== 'calm').flatMap(kind =>
    STRENGTHS.map(strength => {
      const these = [...measured].flatMap(([name, one]) => {
        const is = synthesisOf(name)
        return is.kind === kind && is.strength === strength ? [one] : []
      })
      return {
        kind,
        strength,
        found: these.filter(({ found }) => found).length / these.length,
        caught: summarizeFelt(these.map(({ felt }) => felt)).caught,
      }
    }),
  )
}
