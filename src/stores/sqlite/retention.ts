import { KEEP_REMOVED_FLOWS, type Retention } from '../retention.ts'
import type { Database } from './database.ts'

/** Over, and no channel still has to hear of it. */
const IS_OVER = `status <> 'open' AND NOT EXISTS (SELECT 1 FROM outbox WHERE anomaly = anomalies.id AND state = 'pending')`
/** Rows that are deleted before the size is looked at again. */
const BATCH = 500
/** Room that is made goes a bit below the limit, so that it is not made with every commit. */
const TARGET = 0.9

/** Deletes what is too old, of the flow and of flows that are not scheduled. Inside a transaction. */
export function sweepOld(db: Database, flow: string, { keepAnomalies }: Retention, now: number): void {
  db.statement(
    `DELETE FROM anomalies WHERE (flow = ?1 OR flow NOT IN (SELECT name FROM flows WHERE listed = 1)) AND "end" < ?2 AND ${IS_OVER}`,
  ).run(flow, now - keepAnomalies)
  db.statement('UPDATE flows SET removed_at = ? WHERE listed = 0 AND removed_at IS NULL').run(now)
  db.statement('DELETE FROM flows WHERE listed = 0 AND removed_at < ? AND name <> ?').run(now - KEEP_REMOVED_FLOWS, flow)
}

/**
 * Deletes anomalies that were ignored and are over before `before`, all but the newest `keep`, where nobody was ever notified of them. With each commit,
 * since where pods come and go all the time there are hundreds in a minute. Inside a transaction.
 */
export function dropIgnored(db: Database, flow: string, keep: number, before: number): void {
  db.statement(
    `DELETE FROM anomalies WHERE id IN (
       SELECT id FROM anomalies WHERE flow = ?1 AND ignored = 1 AND status <> 'open' ORDER BY "end" DESC, id LIMIT -1 OFFSET ?2
     ) AND "end" < ?3 AND NOT EXISTS (SELECT 1 FROM outbox WHERE anomaly = anomalies.id)
     AND NOT EXISTS (SELECT 1 FROM notified WHERE anomaly = anomalies.id)`,
  ).run(flow, keep, before)
}

/** Rows that were deleted to make room. */
export interface Evicted {
  readonly points: number
  readonly anomalies: number
}

/**
 * Deletes the oldest points, then the oldest anomalies that are over, until what the file holds is below `maxSize` bytes. Pages that become free are
 * used again. Inside a transaction. Undefined when there was room.
 */
export function makeRoom(db: Database, maxSize: number): Evicted | undefined {
  if (usedBytes(db) <= maxSize) return undefined
  const isEnough = () => usedBytes(db) <= maxSize * TARGET
  return {
    points: deleteOldest(db, 'SELECT id FROM points ORDER BY last', 'DELETE FROM points WHERE id = ?', isEnough),
    anomalies: deleteOldest(
      db,
      `SELECT id FROM anomalies WHERE ${IS_OVER} ORDER BY "end"`,
      'DELETE FROM anomalies WHERE id = ?',
      isEnough,
    ),
  }
}

/** Gives free pages at the end of the file back to the file system, a part of them each time. */
export function giveBack(db: Database): void {
  db.statement('PRAGMA incremental_vacuum(1000)').all()
}

function deleteOldest(db: Database, select: string, remove: string, isEnough: () => boolean): number {
  if (isEnough()) return 0
  const ids = db.statement(select).all() as { id: number | string }[]
  for (let at = 0; at < ids.length; at += BATCH) {
    if (isEnough()) return at
    for (const { id } of ids.slice(at, at + BATCH)) db.statement(remove).run(id)
  }
  return ids.length
}

function usedBytes(db: Database): number {
  const pragma = (name: string) => Number(Object.values(db.statement(`PRAGMA ${name}`).get() ?? {})[0])
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
}
