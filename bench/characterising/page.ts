import type { Component } from '../../src/component.ts'
import type { Detector } from '../../src/detectors/detector.ts'
import { NOISES, STRENGTHS } from '../data/synthetic.ts'
import type { Cost } from './cost.ts'
import { ROWS } from './cost.ts'
import type { Finding, Findings } from './find.ts'
import { PLACES, SEEDS } from './find.ts'
import { optionsTable, table } from './options-table.ts'
import type { Kindred } from './tides.ts'
import { COLUMNS } from './tides.ts'

/** What stands between these is written by the command; all else by people. */
export const BEGIN = '<!-- generated: npm run bench -- characterise -->'
export const END = '<!-- end -->'

export interface Trial extends Findings {
  readonly kindred: Kindred
}

/** What is known of a detector; the first trial is the one it is made for, and the one that is drawn. */
export interface Character {
  readonly type: string
  readonly trials: readonly Trial[]
  readonly costs: readonly Cost[]
}

/** The generated part of a detector's page. */
export function describeCharacter({ type, trials, costs }: Character, { config }: Component<Detector, any>): string {
  return [
    `## Options\n\n${optionsTable(config)}`,
    `## What it finds and misses\n\nShare found, and median delay, at the usual budget of one false alarm a week; ${SEEDS.length * PLACES} tries a cell. ${LINK}`,
    ...trials.map(describeTrial),
    `## Cost\n\n${table(
      ['columns', 'µs a row', `state after ${ROWS.toLocaleString('en-US')} rows`],
      costs.map(({ width, time, bytes }) => [String(width), String(Number(time.toPrecision(2))), formatBytes(bytes)]),
    )}`,
    `## Picture\n\n![${type} on four days with one anomaly each](pictures/${type}.svg)\n\n${CAPTION}`,
  ].join('\n\n')
}

const LINK = '[How this is measured](README.md#how-this-is-measured).'
const CAPTION =
  'Line: the series. Dashes and band: what was expected. Yellow bars: what was really wrong. Red: what the budget rule made of the scores. Below, the score.'

export function titleOf({ width, tidal }: Kindred): string {
  if (width > 1) return `One of ${COLUMNS} columns that move together`
  return tidal ? 'A series with a day and a week' : 'A series without a tide'
}

function describeTrial({ kindred, all, falseAlarms }: Trial): string {
  const head = ['', ...STRENGTHS.flatMap(strength => NOISES.map(noise => `${strength}, ${noise}`))]
  const rows = [...new Set(all.map(({ kind }) => kind))].map(kind => [kind, ...all.filter(one => one.kind === kind).map(cell)])
  const alarms = NOISES.map(noise => `${noise} ${Number(falseAlarms[noise].toFixed(1))}`).join(', ')
  return `### ${titleOf(kindred)}\n\n${table(head, rows)}\n\nFalse alarms a week where nothing is wrong: ${alarms}.`
}

function cell({ found, delay }: Finding): string {
  return found === 0
    ? '–'
    : `${Math.round(100 * found)}%, ${delay < 100 ? `${delay}m` : `${Number((delay / 60).toPrecision(2))}h`}`
}

function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  return bytes < 995_000 ? `${Number((bytes / 1000).toPrecision(2))} KB` : `${Number((bytes / 1e6).toPrecision(2))} MB`
}

/** Mean share found of a kind, over all noises and the strengths that are not weak. */
export function shareOf({ all }: Findings, kind: string): number {
  const these = all.filter(one => one.kind === kind && one.strength !== 'weak')
  return these.reduce((sum, { found }) => sum + found, 0) / these.length
}

const BEST = 0.75
const MISSED = 0.25

/** A row of the index. */
export function indexRow({ type, trials, costs }: Character): string[] {
  const trial = trials[0]!
  const kinds = [...new Set(trial.all.map(({ kind }) => kind as string))]
  const those = (holds: (share: number) => boolean) => kinds.filter(kind => holds(shareOf(trial, kind))).join(', ') || '–'
  const { time, bytes } = costs[0]!
  return [
    `[${type}](${type}.md)`,
    those(share => share >= BEST),
    those(share => share <= MISSED),
    `${Number(time.toPrecision(2))} µs, ${formatBytes(bytes)}`,
  ]
}

export const INDEX_HEAD = [
  'detector',
  `finds best (${100 * BEST}% and more)`,
  `misses (${100 * MISSED}% and less)`,
  'cost of a row, state',
]

/** The index with these rows new; rows of detectors that are no more go. */
export function describeIndex(text: string, rows: readonly (readonly string[])[], types: readonly string[]): string {
  const nameOf = (row: readonly string[]) => /^\[([^\]]+)\]/.exec(row[0] ?? '')?.[1] ?? ''
  const old = text
    .split('\n')
    .filter(line => line.startsWith('| ['))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
  const all = new Map([...old, ...rows].map(row => [nameOf(row), row]))
  const sorted = [...all].filter(([type]) => types.includes(type)).sort(([a], [b]) => (a < b ? -1 : 1))
  return table(
    INDEX_HEAD,
    sorted.map(([, row]) => row),
  )
}

/** Puts a text between the markers of a page; throws where there are none. */
export function replaceGenerated(page: string, text: string): string {
  const from = page.indexOf(BEGIN)
  const to = page.indexOf(END)
  if (from < 0 || to < from) throw new RangeError(`a page must have ${BEGIN} and after it ${END}`)
  return `${page.slice(0, from + BEGIN.length)}\n\n${text}\n\n${page.slice(to)}`
}

/** What stands between the markers. */
export function generatedPart(page: string): string {
  return page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)).trim()
}

/** A new page: its author goes on from here. */
export function startPage({ type, summary }: Component<Detector, any>): string {
  return `# ${type}\n\n${summary}\n\n## Mathematics\n\n${BEGIN}\n\n${END}\n\n## When to use it\n`
}
