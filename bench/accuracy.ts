import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { detectors } from '../src/detectors/index.ts'
import type { BenchOptions, Row } from './bench.ts'
import { measureBudgets, run as runBudget, SAID } from './budget.ts'
import { findSet } from './data/nab.ts'
import { STRENGTHS } from './data/synthetic.ts'
import { describe, GOALS, labelled } from './labelled.ts'
import { COOL_DOWN, measureNab, GOALS as NAB_GOALS, RECORD, run as runNab } from './nab.ts'
import { NAB_PROFILES } from './protocols/nab.ts'
import { YARDSTICKS } from './scoring/score-series.ts'
import { measureSet } from './scoring/score-set.ts'
import { byKind, run as runSynthetic } from './synthetic.ts'

export const summary =
  'all tables of docs/accuracy.md, written anew (--data DIR; --only TYPE,TYPE narrows the table of all detectors)'

const FILE = resolve(import.meta.dirname, '../docs/accuracy.md')
const BIOME = resolve(import.meta.dirname, '../node_modules/.bin/biome')
const SETS = ['smd', 'asd', 'aiops'] as const
/** Looks at presence, or needs columns that are replicas: the sets have neither. */
const UNFIT = ['absence', 'peer-group']

/** Only when it is asked for, because it takes long. */
export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const { data, detector = 'default', jobs, only } = options
  const nab = findSet(data, 'nab', 'combined_windows.json')
  if (nab === undefined) {
    console.error('accuracy: not run, --data must name the folder of the data sets')
    return []
  }
  const names = [detector, ...YARDSTICKS]
  const sets: string[] = []
  for (const set of SETS) sets.push(await tellSet(set, data, names, jobs))
  const parts = [
    OPENING,
    await tellNab(nab, names, jobs),
    ...sets,
    await tellSynthetic(names, jobs),
    await tellBudgets(data, detector, jobs),
    await tellLibrary(nab, data, only?.split(',') ?? Object.keys(detectors), jobs),
  ]
  await writeFile(FILE, `${parts.join('\n\n')}\n`)
  execFileSync(BIOME, ['format', '--write', FILE], { stdio: 'ignore' })
  const rows = [...(await runNab(options))]
  for (const set of SETS) rows.push(...(await labelled(set, '').run(options)))
  return [...rows, ...(await runSynthetic(options)), ...(await runBudget(options))]
}

const OPENING = `# Accuracy

\`npm run bench -- accuracy --data DIR\` writes this page; DIR holds the data sets. \`npm run bench -- nab|smd|asd|aiops|synthetic|budget --data DIR
--detector TYPE\` prints the same figures of any detector.

All detectors are causal: a score depends on its row and on earlier ones. They are one configuration for all series, and see no label. What was
chosen on which data is told in [accuracy-choices.md](accuracy-choices.md). *mean-absolute-z* is the naive twin: the mean over the columns of
|value − training mean| / training standard deviation. *random* is a uniform score: what a figure is worth shows in its distance from that row's.
F1 figures are at the best threshold, chosen with the labels; alerts are not: they are what the \`budget\` rule (one false alarm a week) makes of the
scores, without labels.`

async function tellNab(folder: string, names: readonly string[], jobs: number | undefined): Promise<string> {
  const profiles = Object.keys(NAB_PROFILES)
  const rows: string[][] = []
  for (const name of names) {
    const { plain, coolDown } = await measureNab(folder, name, jobs)
    rows.push([name, ...profiles.map(profile => plain[profile]!.toFixed(1))])
    rows.push([`${name}, cool-down`, ...profiles.map(profile => coolDown[profile]!.toFixed(1))])
  }
  rows.push(['*goal*', ...profiles.map(profile => String(NAB_GOALS[profile]))])
  rows.push(['*best published*', ...profiles.map(profile => String(RECORD[profile]))])
  return `## Numenta Anomaly Benchmark 1.1

58 series, 116 windows; points, 100 is perfect, one threshold for all files, the best one, as the benchmark prescribes. The scorer gives the published
results of two detectors their published points to four decimals (\`npm run bench -- nab --data DIR --golden\`). With cool-down, a file is
silent for ${COOL_DOWN} of its probation after each alert. The best published result, ARTime, knows the range of the whole file beforehand
(its low-FP points are lower: the ${RECORD['low FP']} are of CAD OSE, which knows it too).

${table(['', ...profiles], rows)}`
}

const TITLES: Readonly<Record<string, string>> = {
  smd: `## Server Machine Dataset

8 machines, 38 metrics each, a row a minute. The first half goes through the stream before, the second is measured; VUS with buffers up to 100 rows.`,
  asd: `## Application Server Dataset

6 servers, 19 metrics each, a row every five minutes; measured likewise on the last third.`,
  aiops: `## AIOps Challenge 2018

10 business indicators, a row a minute (one: every five); measured likewise on the second half; VUS with buffers up to the period of the autocorrelation.`,
}

async function tellSet(
  set: string,
  data: string | undefined,
  names: readonly string[],
  jobs: number | undefined,
): Promise<string> {
  const columns: { metric: string; value: number; unit: string }[][] = []
  for (const name of names) {
    const measured = await measureSet(set, data, name, jobs)
    if (!measured) return `${TITLES[set]}\n\nNot measured: its data was absent.`
    columns.push(describe([...measured.values()]))
  }
  const held = GOALS[set]!
  return `${TITLES[set]} Goal for VUS-PR: ${held.goal}; best reference method, measured with the same scorer: ${held.reference}.

${table(['', ...names], transpose(columns))}`
}

async function tellSynthetic(names: readonly string[], jobs: number | undefined): Promise<string> {
  const columns: { metric: string; value: number; unit: string }[][] = []
  const shares: string[][] = []
  for (const [k, name] of names.entries()) {
    const measured = (await measureSet('synthetic', undefined, name, jobs))!
    columns.push(describe([...measured.values()], true))
    if (k > 0) continue
    const all = byKind(measured)
    for (const kind of new Set(all.map(({ kind }) => kind))) {
      const these = all.filter(one => one.kind === kind)
      shares.push([kind, ...these.map(({ found }) => percent(found)), ...these.map(({ caught }) => percent(caught))])
    }
  }
  const heads = ['ranked first', 'caught'].flatMap(what => STRENGTHS.map(strength => `${strength}: ${what}`))
  return `## Made series

144 series with one anomaly each: eight kinds at three strengths (4, 8 and 16 standard deviations of the noise, where height is what counts), under quiet,
loud and heavy-tailed noise; and six without. Two weeks to learn from, one to be measured on.

${table(['', ...names], transpose(columns))}

What ${names[0]} finds: how often its highest score is at the anomaly, and how often an alert of the budget rule was inside it.

${table(['', ...heads], shares)}`
}

async function tellBudgets(data: string | undefined, detector: string, jobs: number | undefined): Promise<string> {
  const results = await measureBudgets(data, detector, jobs)
  const rows = [...new Set(results.map(({ set }) => set))].map(set => [
    set,
    ...results
      .filter(result => result.set === set)
      .map(({ alarms, allowed }) => `${(alarms / allowed).toFixed(2)} (${alarms} of ${allowed.toFixed(0)})`),
  ])
  return `## Alarm budgets

Alarms of the \`budget\` rule on the stretches without anomalies, as a multiple of the budget; 0.5 to 1.5 is the goal over all sets. Most of the
series are shorter than a month.

${table(['', ...Object.values(SAID)], rows)}`
}

/** Sets of many columns are left to those that look at all of them, and the largest set to the default: the others would take hours. */
async function tellLibrary(
  nab: string,
  data: string | undefined,
  types: readonly string[],
  jobs: number | undefined,
): Promise<string> {
  const rows: string[][] = []
  for (const type of types.filter(type => !UNFIT.includes(type))) {
    const { coolDown } = await measureNab(nab, type, jobs)
    const made = describe([...(await measureSet('synthetic', undefined, type, jobs))!.values()], true)
    const { config, create } = detectors[type]!
    const row = [
      type,
      coolDown.standard!.toFixed(1),
      ...['UCR accuracy', 'share caught', 'false alerts per week and series'].map(pick),
    ]
    for (const set of ['smd', 'asd'] as const) {
      const measured = create(config.parse({})).multivariate ? await measureSet(set, data, type, jobs) : undefined
      const all = measured ? describe([...measured.values()]) : []
      row.push(...['VUS-PR', 'event F1'].map(name => all.find(({ metric }) => metric === name)?.value.toFixed(3) ?? ''))
    }
    rows.push(row)

    function pick(name: string): string {
      return made.find(({ metric }) => metric === name)!.value.toFixed(2)
    }
  }
  return `## All detectors

With their default settings. NAB: standard points with cool-down. Made series: share in which the highest score is at the anomaly, share of anomalies
caught by an alert, false alerts. SMD and ASD: only those that look at several columns together.

${table(
  [
    '',
    'NAB',
    'made: ranked first',
    'made: caught',
    'made: false a week',
    'SMD VUS-PR',
    'SMD event F1',
    'ASD VUS-PR',
    'ASD event F1',
  ],
  rows,
)}`
}

function transpose(columns: readonly (readonly { metric: string; value: number; unit: string }[])[]): string[][] {
  return columns[0]!.map(({ metric, unit }) => [
    unit === '' ? metric : `${metric} (${unit})`,
    ...columns.map(column => say(column.find(one => one.metric === metric)?.value)),
  ])
}

function say(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  return value >= 10 ? value.toFixed(1) : value.toFixed(3)
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, k) => (k === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
