import type { Bench, BenchOptions, Row } from './bench.ts'
import { summarizeFelt } from './protocols/operators.ts'
import type { Measured } from './scoring/measure.ts'
import { meanRankings, RANKINGS } from './scoring/measure.ts'
import { YARDSTICKS } from './scoring/score-series.ts'
import { measureSet } from './scoring/score-set.ts'

/** VUS-PR that the default detector is held to, and the best reference row of the field's methods, measured with the same scorer. */
export const GOALS: Readonly<Record<string, { goal: number; reference: number }>> = {
  smd: { goal: 0.5, reference: 0.463 },
  asd: { goal: 0.77, reference: 0.751 },
  aiops: { goal: 0.57, reference: 0.548 },
}

/** The bench of a labelled set with a training part: that part goes through the stream first, the test part is measured. */
export function labelled(set: string, summary: string): Bench {
  return { summary: `${summary} (--data DIR, --detector TYPE, --series for each series)`, run: options => run(set, options) }
}

async function run(set: string, { data, detector = 'default', jobs, series = false }: BenchOptions): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const name of [detector, ...YARDSTICKS]) {
    const measured = await measureSet(set, data, name, jobs)
    if (!measured) {
      console.error(`${set}: not run, --data must name the folder of the data sets`)
      return []
    }
    const held = name === detector ? GOALS[set] : undefined
    for (const { metric, value, unit } of describe([...measured.values()])) {
      const against =
        held && metric === 'VUS-PR'
          ? { goal: held.goal, met: value >= held.goal, peer: 'best reference', ratio: value / held.reference }
          : {}
      rows.push({ name: `${set} ${name}: ${metric}`, value, unit, ...against })
    }
    if (!series) continue
    for (const [of, { rankings }] of measured)
      for (const metric of ['VUS-PR', 'event F1'] as const)
        if (rankings) rows.push({ name: `${set}/${of} ${name}: ${metric}`, value: rankings[metric], unit: '' })
  }
  return rows
}

/** All figures of a detector on a set, in the order in which they are shown, without those that are unknown; UCR accuracy where series have a `single` anomaly. */
export function describe(all: readonly Measured[], single = false): { metric: string; value: number; unit: string }[] {
  const rankings = meanRankings(all)
  const felt = summarizeFelt(all.map(({ felt }) => felt))
  const found = all.filter(({ found }) => found !== undefined)
  const rows = all.reduce((sum, { rows }) => sum + rows, 0)
  const seconds = all.reduce((sum, { seconds }) => sum + seconds, 0)
  const figures = [
    ...RANKINGS.map(metric => ({ metric, value: rankings[metric], unit: '' })),
    ...(single ? [{ metric: 'UCR accuracy', value: found.filter(({ found }) => found).length / found.length, unit: '' }] : []),
    { metric: 'alerts per week and series', value: felt.alertsPerWeek, unit: '' },
    { metric: 'false alerts per week and series', value: felt.falsePerWeek, unit: '' },
    { metric: 'share caught', value: felt.caught, unit: '' },
    { metric: 'share caught within 5 min', value: felt.within5, unit: '' },
    { metric: 'share caught within 15 min', value: felt.within15, unit: '' },
    { metric: 'median delay', value: felt.medianDelay, unit: 'min' },
    { metric: 'precision of alerts', value: felt.precision, unit: '' },
    { metric: 'F1 of alerts', value: felt.f1, unit: '' },
    ...(seconds > 0 ? [{ metric: 'time per row', value: (seconds / rows) * 1e6, unit: 'µs' }] : []),
  ]
  return figures.filter(({ value }) => !Number.isNaN(value))
}
