import { type Anomaly, type Labels, seriesId } from '../../anomaly.ts'
import { StoreError } from '../../errors.ts'
import type { RunLog, StoredAnomaly } from '../store.ts'

const NUMBERS = [
  'start',
  'end',
  'peak',
  'score',
  'strength',
  'current',
  'expected',
  'lower',
  'upper',
  'openedAt',
  'updatedAt',
] as const

const TEXTS = ['id', 'flow', 'status', 'detector', 'direction'] as const
const FINITE = ['start', 'end', 'version', 'openedAt', 'updatedAt'] as const

/** JSON in which a number that JSON does not have (NaN, Infinity) is text. */
export function encodeAnomaly(anomaly: StoredAnomaly): string {
  return JSON.stringify(anomaly, printNumber)
}

/** Throws `StoreError` or `SyntaxError` when the text is not of an anomaly. */
export function decodeAnomaly(text: string): StoredAnomaly {
  const anomaly = JSON.parse(text) as { -readonly [Name in keyof StoredAnomaly]: StoredAnomaly[Name] }
  for (const name of TEXTS) if (typeof anomaly?.[name] !== 'string') throw unreadable('anomaly', name, anomaly?.[name])
  for (const name of NUMBERS) anomaly[name] = Number(anomaly[name])
  for (const name of FINITE) if (!Number.isFinite(anomaly[name])) throw unreadable('anomaly', name, anomaly[name])
  if (!isTexts(anomaly.labels)) throw unreadable('anomaly', 'labels', anomaly.labels)
  if (!isTexts(anomaly.annotations)) throw unreadable('anomaly', 'annotations', anomaly.annotations)
  if (anomaly.numbers) anomaly.numbers = readNumbers(anomaly.numbers)
  if (anomaly.columns) anomaly.columns = readColumns(anomaly.columns)
  return anomaly
}

function readColumns(columns: NonNullable<Anomaly['columns']>): NonNullable<Anomaly['columns']> {
  return columns.map(({ name, share, value, expected }) => ({
    name,
    share: Number(share),
    value: Number(value),
    ...(expected === undefined ? {} : { expected: Number(expected) }),
  }))
}

function readNumbers(numbers: NonNullable<Anomaly['numbers']>): NonNullable<Anomaly['numbers']> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)]))
}

export function encodeRun(run: RunLog): string {
  return JSON.stringify(run, printNumber)
}

export function decodeRun(text: string): RunLog {
  const run = JSON.parse(text) as RunLog
  if (typeof run?.range !== 'object' || run.range === null) throw unreadable('run', 'range', run?.range)
  const { start, end } = run.range
  return { ...run, range: { start: Number(start), end: Number(end) } }
}

function printNumber(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** NaN outside, NULL inside. */
export function toTime(value: number | null | undefined): number {
  return value ?? NaN
}

/** SQLite's word for no limit is a negative one. */
export function toLimit(limit: number): number {
  return Number.isFinite(limit) ? limit : -1
}

/** Labels that were written for the series of that name. */
export function readLabels(text: string, name: string): Labels {
  const labels: unknown = JSON.parse(text)
  if (!isTexts(labels) || seriesId(labels) !== name) throw new StoreError(`labels must be those of ${name}, got ${text}`)
  return labels
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every(one => typeof one === 'string')
}

function unreadable(what: string, name: string, value: unknown): StoreError {
  return new StoreError(`${name} of the ${what} must be readable, got ${JSON.stringify(value)}`)
}
