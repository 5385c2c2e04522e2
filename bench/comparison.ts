import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BenchOptions, Row } from './bench.ts'
import { findSet } from './data/nab.ts'
import { SHORT } from './data/variants.ts'
import { ROWS as COST_ROWS, measureModelCost } from './model-cost.ts'
import { measureNab } from './nab.ts'
import { summarizeFelt } from './protocols/operators.ts'
import { meanRankings } from './scoring/measure.ts'
import { YARDSTICKS } from './scoring/score-series.ts'
import { measureSet } from './scoring/score-set.ts'

export const summary =
  'each learned model beside plain detectors on all sets, with its cost; writes the tables of docs/models.md (--data DIR; --only TYPE,TYPE)'

const FILE = resolve(import.meta.dirname, '../docs/models.md')
const BIOME = resolve(import.meta.dirname, '../node_modules/.bin/biome')
const BEGIN = '<!-- generated: npm run bench -- comparison -->'
const END = '<!-- end -->'

/** Rows of the table: a name and the detector as an option names it. */
const LEARNED: readonly (readonly [name: string, detector: string])[] = [
  ['boosted-trees', 'boosted-trees'],
  ['rnn', 'rnn'],
  ['lstm', 'lstm'],
  ['gru', 'gru'],
  ['lstm-autoencoder', 'lstm-autoencoder'],
  ['the same with GRU cells', '{"type":"lstm-autoencoder","cell":"gru"}'],
  ['vae-lstm', 'vae-lstm'],
  ['htm', 'htm'],
]
const PLAIN = ['vector-autoregressive', 'principal-components', 'default'].map(name => [name, name] as const)
const NAIVE = YARDSTICKS.map(name => [name, name] as const)

const SETS = ['smd', 'asd', `aiops${SHORT}`, 'lab'] as const

/** Accuracy without a threshold and at the one that the budget rule finds without labels. */
interface Accuracy {
  readonly ranking: number
  readonly alerts: number
}

/** Only when it is asked for, because it takes long. */
export async function run({ data, jobs, only }: BenchOptions): Promise<readonly Row[]> {
  const nab = findSet(data, 'nab', 'combined_windows.json')
  if (nab === undefined) {
    console.error('comparison: not run, --data must name the folder of the data sets')
    return []
  }
  const chosen = only?.split(',')
  const isChosen = ([name]: readonly [string, string]) => chosen === undefined || chosen.includes(name)
  const all = [...LEARNED, ...PLAIN, ...NAIVE].filter(isChosen)
  const rows: Row[] = []
  const accuracies: string[][] = []
  for (const [name, detector] of all) {
    const points = (await measureNab(nab, detector, jobs)).coolDown.standard!
    const { alerts } = (await measureAccuracy('nab', data, detector, jobs))!
    rows.push({ name: `${name} on nab: points, cool-down`, value: points, unit: 'points' })
    rows.push({ name: `${name} on nab: F1 of alerts`, value: alerts, unit: '' })
    const cells = [points.toFixed(1), alerts.toFixed(2)]
    for (const set of SETS) {
      const accuracy = await measureAccuracy(set, data, detector, jobs)
      cells.push(...(accuracy ? [accuracy.ranking.toFixed(3), accuracy.alerts.toFixed(2)] : ['–', '–']))
      if (!accuracy) continue
      rows.push({ name: `${name} on ${set}: VUS-PR`, value: accuracy.ranking, unit: '' })
      rows.push({ name: `${name} on ${set}: F1 of alerts`, value: accuracy.alerts, unit: '' })
    }
    accuracies.push([name, ...cells])
  }
  const costs: string[][] = []
  for (const [name, detector] of [...LEARNED, ...PLAIN].filter(isChosen)) {
    const cells: string[] = []
    for (const width of [1, 20]) {
      const { fit, row, bytes } = await measureModelCost(detector, width)
      cells.push(fit === undefined ? 'as it goes' : fit.toFixed(2), String(Number(row.toPrecision(2))), formatBytes(bytes))
      const of = `${name}, ${width} ${width === 1 ? 'metric' : 'metrics'}`
      if (fit !== undefined) rows.push({ name: `${of}: fit`, value: fit, unit: 's' })
      rows.push({ name: `${of}: row`, value: row, unit: 'µs' }, { name: `${of}: memory`, value: bytes, unit: 'bytes' })
    }
    costs.push([name, ...cells])
  }
  if (chosen === undefined) await writeTables(accuracies, costs)
  return rows
}

async function measureAccuracy(
  set: string,
  data: string | undefined,
  detector: string,
  jobs?: number,
): Promise<Accuracy | undefined> {
  const measured = await measureSet(set, data, detector, jobs)
  if (!measured) return undefined
  const all = [...measured.values()]
  return { ranking: meanRankings(all)['VUS-PR'], alerts: summarizeFelt(all.map(({ felt }) => felt)).f1 }
}

async function writeTables(accuracies: readonly string[][], costs: readonly string[][]): Promise<void> {
  const page = await readFile(FILE, 'utf8')
  const sets = ['SMD', 'ASD', 'AIOPS', 'lab']
  const tables = [
    BEGIN,
    table(['', 'NAB points', 'NAB alerts', ...sets.flatMap(set => [set, `${set} alerts`])], accuracies),
    table(
      ['', ...['1 metric', '20 metrics'].flatMap(of => [`${of}: fit (s)`, 'row (µs)', 'memory'])],
      costs,
      `A fit learns ${COST_ROWS.toLocaleString('en-US')} rows.`,
    ),
    END,
  ]
  const from = page.indexOf(BEGIN)
  const to = page.indexOf(END, from)
  if (from < 0 || to < 0) throw new RangeError(`docs/models.md must hold ${BEGIN} and ${END}`)
  await writeFile(FILE, page.slice(0, from) + tables.join('\n\n') + page.slice(to + END.length))
  execFileSync(BIOME, ['format', '--write', FILE], { stdio: 'ignore' })
}

function table(head: readonly string[], rows: readonly (readonly string[])[], note = ''): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const lines = [line(head), line(head.map((_, k) => (k === 0 ? '---' : '---:'))), ...rows.map(line)]
  return lines.join('\n') + (note === '' ? '' : `\n\n${note}`)
}

function formatBytes(bytes: number): string {
  return bytes < 995_000 ? `${Number((bytes / 1000).toPrecision(2))} KB` : `${Number((bytes / 1e6).toPrecision(2))} MB`
}
