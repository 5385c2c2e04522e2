import { byStart, touchedSpan } from '../reconcile.ts'
import type { OpenCount, Run, StoredAnomaly } from '../store.ts'
import type { Database } from './database.ts'
import { decodeAnomaly, encodeAnomaly } from './rows.ts'

/** Anomalies and how they are read and written. All functions must be called inside a transaction. */

export function findAnomaly(db: Database, id: string): StoredAnomaly | undefined {
  const row = db.statement('SELECT id, body FROM anomalies WHERE id = ?').get(id) as { id: string; body: string } | undefined
  return row && readAnomaly(db, row)
}

/** One that cannot be read is as if it had never been: when it is found again, it has the same id, and people hear no second time of it. */
export function readAnomaly(db: Database, { id, body }: { id: string; body: string }): StoredAnomaly | undefined {
  const remove = () => db.statement('DELETE FROM anomalies WHERE id = ?').run(id)
  return db.damage.read({ kind: 'anomaly', name: id, body }, () => decodeAnomaly(body), remove)
}

export function openCounts(db: Database): OpenCount[] {
  const counts = db.statement(
    `SELECT flow, iif(json_valid(body), coalesce(json_extract(body, '$.annotations.severity'), ''), '') AS severity, count(*) AS count FROM anomalies
     WHERE status = 'open' AND ignored = 0 GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  return (counts.all() as unknown as OpenCount[]).map(({ flow, severity, count }) => ({ flow, severity, count }))
}

/** All open ones of a flow, in order of start. */
export function openOf(db: Database, flow: string): StoredAnomaly[] {
  const open = db.statement("SELECT id, body FROM anomalies WHERE flow = ? AND status = 'open'").all(flow)
  return (open as { id: string; body: string }[]).flatMap(row => readAnomaly(db, row) ?? []).toSorted(byStart)
}

/** All that a run may change: near its range, or open wherever it is. */
export function touchedAnomalies(db: Database, run: Run): StoredAnomaly[] {
  const { start, end } = touchedSpan(run.anomalies, run)
  const near = db.statement(
    `SELECT id, body FROM anomalies WHERE flow = ?1 AND "end" >= ?2 AND start <= ?3 AND status <> 'withdrawn'
     UNION ALL SELECT id, body FROM anomalies WHERE flow = ?1 AND status = 'open' AND ("end" < ?2 OR start > ?3)`,
  )
  return (near.all(run.flow, start, end) as { id: string; body: string }[]).flatMap(row => readAnomaly(db, row) ?? [])
}

export function saveAnomaly(db: Database, anomaly: StoredAnomaly): void {
  const { id, flow, start, end, status, ignored } = anomaly
  db.statement(
    `INSERT INTO anomalies VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
     start = excluded.start, "end" = excluded."end", status = excluded.status, ignored = excluded.ignored, body = excluded.body`,
  ).run(id, flow, start, end, status, ignored === undefined ? 0 : 1, encodeAnomaly(anomaly))
}
