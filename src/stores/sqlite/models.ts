import type { Selectable } from 'kysely'
import { seriesId } from '../../anomaly.ts'
import { DAY } from '../../duration.ts'
import { byAge, byWorkload, KEEP_UNUSED_MODELS, surplusModels } from '../models.ts'
import type { ModelKey, ModelRecord, NewModel, StoredModel } from '../store.ts'
import type { Database } from './database.ts'
import { readLabels, toTime } from './rows.ts'
import type { Tables } from './schema.ts'

type Row = Omit<Selectable<Tables['models']>, 'state'>

/** Everything but the state, which is large. */
const RECORD = `id, flow, detector, workload, labels, version, status, reason, created_at, in_force_since, tried, used_at, rows, start, "end",
  configuration, validation, current, seconds`
const OF = 'flow = ?1 AND detector = ?2 AND workload = ?3'
/** A workload counts as used now when it was so within this time: one write a day, not one a run. */
const USED = DAY

/** What is kept of fits. All functions must be called inside a transaction. */
export function addModel(db: Database, fit: NewModel, taken: boolean): ModelRecord {
  const key = keyOf(fit)
  const rows = rowsOf(db, fit)
  if (taken) retire(db, key)
  const version = Math.max(0, ...rows.map(row => row.version)) + 1
  const { range, createdAt } = fit
  db.statement(
    `INSERT INTO models (flow, detector, workload, labels, version, status, reason, created_at, in_force_since, tried, used_at, rows, start,
     "end", configuration, validation, current, seconds, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    ...key,
    JSON.stringify(fit.workload),
    version,
    taken ? 'in force' : 'refused',
    fit.reason,
    createdAt,
    taken ? createdAt : null,
    range.end,
    createdAt,
    fit.rows,
    range.start,
    range.end,
    fit.configuration,
    fit.validation,
    fit.current ?? null,
    fit.seconds,
    fit.state,
  )
  db.statement(`UPDATE models SET used_at = ?4 WHERE ${OF}`).run(...key, createdAt)
  for (const surplus of surplusModels(rowsOf(db, fit).flatMap(row => readRecord(db, row) ?? [])))
    db.statement(`DELETE FROM models WHERE ${OF} AND version = ?4`).run(...key, surplus)
  return find(db, key, version)!
}

export function modelsInForce(db: Database, flow: string, of?: Omit<ModelKey, 'flow'>): StoredModel[] {
  // Of the row that is in force, and, in the same group, the newest that was tried.
  const all = `SELECT ${RECORD}, state, (
      SELECT max(tried) FROM models o WHERE o.flow = m.flow AND o.detector = m.detector AND o.workload = m.workload
    ) AS newest FROM models m WHERE flow = ?1 AND status = 'in force'`
  const rows = of
    ? db.statement(`${all} AND detector = ?2 AND workload = ?3`).all(...keyOf({ flow, ...of }))
    : db.statement(all).all(flow)
  return (rows as unknown as (Row & { state: Uint8Array; newest: number })[])

    .flatMap(row => {
      const record = readRecord(db, row)
      return record ? [{ ...record, state: row.state, tried: row.newest }] : []
    })
    .toSorted(byWorkload)
}

export function listModels(db: Database, flow?: string): ModelRecord[] {
  const all = `SELECT ${RECORD} FROM models`
  const rows = flow === undefined ? db.statement(all).all() : db.statement(`${all} WHERE flow = ?`).all(flow)
  return (rows as unknown as Row[]).flatMap(row => readRecord(db, row) ?? []).toSorted(byAge)
}

export function restoreModel(db: Database, key: ModelKey, version: number, at: number, tried: number): ModelRecord | undefined {
  const of = keyOf(key)
  const found = find(db, of, version)
  if (!found || found.status === 'in force') return found
  retire(db, of)
  db.statement(
    `UPDATE models SET status = 'in force', in_force_since = ?5, tried = max(tried, ?6) WHERE ${OF} AND version = ?4`,
  ).run(...of, version, at, tried)
  db.statement(`UPDATE models SET used_at = ?4 WHERE ${OF}`).run(...of, at)
  return find(db, of, version)
}

/** Notes which workloads a run of the flow used. */
export function useModels(db: Database, flow: string, used: readonly Omit<ModelKey, 'flow'>[], now: number): void {
  if (used.length === 0) return
  const stale = db
    .statement(
      `SELECT DISTINCT detector, workload FROM models
       WHERE flow = ?1 AND status = 'in force' AND abs(?2 - used_at) > ?3`,
    )
    .all(flow, now, USED) as { detector: string; workload: string }[]
  if (stale.length === 0) return
  const known = new Set(used.map(({ detector, workload }) => `${detector}\n${seriesId(workload)}`))
  for (const { detector, workload } of stale)
    if (known.has(`${detector}\n${workload}`))
      db.statement(`UPDATE models SET used_at = ?4 WHERE ${OF}`).run(flow, detector, workload, now)
}

/** Deletes models of the flow, and of flows that are not scheduled, that nobody used for long. */
export function sweepModels(db: Database, flow: string, now: number): void {
  db.statement(
    'DELETE FROM models WHERE used_at < ?1 AND (flow = ?2 OR flow NOT IN (SELECT name FROM flows WHERE listed = 1))',
  ).run(now - KEEP_UNUSED_MODELS, flow)
}

function keyOf({ flow, detector, workload }: ModelKey): [string, string, string] {
  return [flow, detector, seriesId(workload)]
}

function rowsOf(db: Database, key: ModelKey): Row[] {
  return db.statement(`SELECT ${RECORD} FROM models WHERE ${OF}`).all(...keyOf(key)) as unknown as Row[]
}

function find(db: Database, key: [string, string, string], version: number): ModelRecord | undefined {
  const row = db.statement(`SELECT ${RECORD} FROM models WHERE ${OF} AND version = ?4`).get(...key, version)
  return row && readRecord(db, row as unknown as Row)
}

function retire(db: Database, key: [string, string, string]): void {
  db.statement(`UPDATE models SET status = 'retired' WHERE ${OF} AND status = 'in force'`).run(...key)
}

/** One that cannot be read is as if it had never been. */
function readRecord(db: Database, row: Row): ModelRecord | undefined {
  const remove = () => db.statement('DELETE FROM models WHERE id = ?').run(row.id)
  const name = `${row.flow} ${row.detector} ${row.version}`
  return db.damage.read({ kind: 'model', name, body: row.labels }, () => toRecord(row), remove)
}

function toRecord(row: Row): ModelRecord {
  return {
    flow: row.flow,
    detector: row.detector,
    workload: readLabels(row.labels, row.workload),
    version: row.version,
    status: row.status,
    reason: row.reason,
    createdAt: row.created_at,
    inForceSince: toTime(row.in_force_since),
    range: { start: row.start, end: row.end },
    rows: row.rows,
    configuration: row.configuration,
    validation: toTime(row.validation),
    ...(row.current === null ? {} : { current: row.current }),
    seconds: row.seconds,
  }
}
