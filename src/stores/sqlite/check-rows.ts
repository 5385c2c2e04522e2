import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../errors.ts'
import { unpackRows } from '../packed-rows.ts'
import { decodeRows } from '../points.ts'
import type { DamagedKind } from './damage.ts'
import { requireCurrent, requireOurs } from './database.ts'
import { integrityProblems } from './integrity.ts'
import { decodeAnomaly, decodeRun, readLabels } from './rows.ts'

export interface StoreCheck {
  /** What is wrong with the structure of the file. */
  readonly structure: readonly string[]
  readonly rows: readonly { readonly kind: DamagedKind; readonly rows: number; readonly damaged: readonly string[] }[]
  /** Rows that were set aside before. */
  readonly setAside: number
}

interface Kind {
  readonly kind: DamagedKind
  /** Rows with `name` and whatever `decode` needs. */
  readonly sql: string
  decode(row: any, decodeState: (state: Uint8Array) => unknown): unknown
}

const KINDS: readonly Kind[] = [
  { kind: 'anomaly', sql: 'SELECT id AS name, body FROM anomalies', decode: ({ body }) => decodeAnomaly(body) },
  { kind: 'message', sql: 'SELECT key AS name, body FROM outbox', decode: ({ body }) => decodeAnomaly(body) },
  { kind: 'run', sql: 'SELECT id AS name, body FROM runs', decode: ({ body }) => decodeRun(body) },
  { kind: 'series', sql: 'SELECT name, labels FROM series', decode: ({ name, labels }) => readLabels(labels, name) },
  {
    kind: 'points',
    sql: `SELECT series.name || ' of ' || detector AS name, body, format FROM points JOIN streams ON streams.id = stream
          JOIN series ON series.id = series`,
    decode: ({ body, format }) => (format === 0 ? decodeRows({}, body) : unpackRows({}, body)),
  },
  {
    kind: 'snapshot',
    sql: `SELECT series.name || ' of ' || detector AS name, state FROM snapshots JOIN streams ON streams.id = stream
          JOIN series ON series.id = series`,
    decode: ({ state }, decodeState) => decodeState(state),
  },
  {
    kind: 'model',
    sql: "SELECT flow || ' ' || detector || ' ' || version AS name, workload, labels, state FROM models",
    decode: ({ workload, labels, state }, decodeState) => [readLabels(labels, workload), decodeState(state)],
  },
]

/** Reads all of a store, also while it is written: the structure of the file, then every row. Changes nothing. */
export function checkSqlite(path: string, decodeState: (state: Uint8Array) => unknown): StoreCheck {
  const db = openToCheck(path)
  try {
    requireCurrent(requireOurs(db, path), path)
    const structure = integrityProblems(db)
    return {
      structure,
      rows: KINDS.map(kind => checkKind(db, kind, decodeState)),
      setAside: Number(db.prepare('SELECT count(*) AS rows FROM damaged').get()!.rows),
    }
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError(`${path} must be whole, got ${(error as Error).message}; restore a backup`, { cause: error })
  } finally {
    db.close()
  }
}

function openToCheck(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  } catch (error) {
    throw new StoreError(`${path} must be a store that can be read, got ${(error as Error).message}`, { cause: error })
  }
}

function checkKind(db: DatabaseSync, { kind, sql, decode }: Kind, decodeState: (state: Uint8Array) => unknown) {
  let rows = 0
  const damaged: string[] = []
  for (const row of db.prepare(sql).iterate()) {
    rows++
    try {
      decode(row, decodeState)
    } catch (error) {
      damaged.push(`${row.name}: ${(error as Error).message}`)
    }
  }
  return { kind, rows, damaged }
}
