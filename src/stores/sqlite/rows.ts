import type { Anomaly } from '../../anomaly.ts'
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

/** JSON in which a number that JSON does not have (NaN, Infinity) is text. */
export function encodeAnomaly(anomaly: StoredAnomaly): string {
  return JSON.stringify(anomaly, printNumber)
}

export function decodeAnomaly(text: string): StoredAnomaly {
  const anomaly = JSON.parse(text) as { -readonly [Name in keyof StoredAnomaly]: StoredAnomaly[Name] }
  for (const name of NUMBERS) anomaly[name] = Number(anomaly[name])
  if (anomaly.numbers) anomaly.numbers = readNumbers(anomaly.numbers)
  return anomaly
}

function readNumbers(numbers: NonNullable<Anomaly['numbers']>): NonNullable<Anomaly['numbers']> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)]))
}

export function encodeRun(run: RunLog): string {
  return JSON.stringify(run, printNumber)
}

export function decodeRun(text: string): RunLog {
  const run = JSON.parse(text) as RunLog
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
