import { type Selectable, sql } from 'kysely'
import { StoreError } from '../../errors.ts'
import { asTold, KEEP_MESSAGES, kindToTell, messageKey } from '../outbox.ts'
import type { Change, ChangeKind, ChannelState, Message, StoredAnomaly } from '../store.ts'
import { readAnomaly } from './anomalies.ts'
import type { Database } from './database.ts'
import { decodeAnomaly, encodeAnomaly, toLimit, toTime } from './rows.ts'
import type { Tables } from './schema.ts'

/** Messages and what became of them. All functions must be called inside a transaction. */

type Row = Selectable<Tables['outbox']>

/** Writes what the channels must hear of a change. */
export function tell(db: Database, change: Change, flowChannels: readonly string[], now: number): void {
  const { anomaly } = change
  const past = db.statement('SELECT channel, kind FROM outbox WHERE anomaly = ? ORDER BY id').all(anomaly.id) as {
    channel: string
    kind: ChangeKind
  }[]
  const told = new Map(past.map(row => [row.channel, row.kind]))
  for (const channel of new Set([...flowChannels, ...told.keys()])) {
    const kind = kindToTell(change, told.get(channel))
    if (!kind || (kind === 'opened' && !flowChannels.includes(channel))) continue
    db.statement("UPDATE outbox SET state = 'done' WHERE anomaly = ? AND channel = ? AND state = 'resend'").run(
      anomaly.id,
      channel,
    )
    db.statement(
      `INSERT INTO outbox (key, channel, anomaly, kind, body, created_at, state, due_at) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)
       ON CONFLICT (channel, key) DO NOTHING`,
    ).run(messageKey(anomaly, kind), channel, anomaly.id, kind, encodeAnomaly(asTold(anomaly, kind)), now, now)
    db.statement('INSERT INTO channels (name) VALUES (?) ON CONFLICT (name) DO NOTHING').run(channel)
  }
}

/** First messages before repeated ones; behind a message that waits, the later ones of its anomaly wait too. */
export function dueMessages(db: Database, channel: string, now: number, limit: number): Message[] {
  const rows = db
    .statement(
      `SELECT m.id, m.key, m.anomaly, m.kind, m.body, m.created_at, m.attempts, m.state, m.done_at, a.body AS latest
       FROM outbox m LEFT JOIN anomalies a ON a.id = m.anomaly
       WHERE m.channel = ?1 AND m.state IN ('pending', 'resend') AND m.due_at <= ?2
       AND NOT EXISTS (
         SELECT 1 FROM outbox e WHERE e.anomaly = m.anomaly AND e.channel = m.channel AND e.id < m.id AND e.state = 'pending'
       )
       AND (m.state = 'pending' OR NOT EXISTS (SELECT 1 FROM flows WHERE name = a.flow AND listed = 0))
       ORDER BY m.state, m.id LIMIT ?3`,
    )
    .all(channel, now, toLimit(limit)) as (Row & { latest: string | null })[]
  return rows.flatMap(row => {
    const anomaly = readMessage(db, row)
    if (!anomaly) return []
    const kind = row.kind as ChangeKind
    const { id, key, attempts, created_at: createdAt } = row
    const again = row.state === 'resend' && { deliveredAt: toTime(row.done_at) }
    return [{ id, key, channel, kind, anomaly: asTold(anomaly, kind), createdAt, attempts, ...again }]
  })
}

/** What a message is about: what was written with it or, where it is sent again or cannot be read, the anomaly as it is stored. */
function readMessage(db: Database, row: Row & { latest: string | null }): StoredAnomaly | undefined {
  const { id, key, body, latest } = row
  const stored = () => (latest === null ? undefined : readAnomaly(db, { id: row.anomaly, body: latest }))
  const remove = () => db.statement('DELETE FROM outbox WHERE id = ?').run(id)
  const written = () => db.damage.read({ kind: 'message', name: key, body }, () => decodeMessage(body, stored), remove)
  return row.state === 'resend' ? (stored() ?? written()) : written()
}

function decodeMessage(body: string, stored: () => StoredAnomaly | undefined): StoredAnomaly {
  try {
    return decodeAnomaly(body)
  } catch (error) {
    const anomaly = stored()
    if (anomaly) return anomaly
    throw error
  }
}

export function markDelivered(db: Database, id: number, at: number, again?: number): void {
  const row = messageOf(db, id)
  const newer = db.query.selectFrom('outbox').select('id').where('anomaly', '=', row.anomaly).where('channel', '=', row.channel)
  const isLast = db.first(newer.where('id', '>', id).limit(1)) === undefined
  const state = again !== undefined && isLast ? 'resend' : 'done'
  db.run(
    db.query
      .updateTable('outbox')
      .set({ state, due_at: again ?? null, done_at: at, attempts: 0 })
      .where('id', '=', id),
  )
  const first = row.state === 'pending' ? 1 : 0
  db.run(
    db.query
      .updateTable('channels')
      .set(({ eb }) => ({ delivered: eb('delivered', '+', first), last_delivered_at: at, last_error: null }))
      .where('name', '=', row.channel),
  )
}

export function markFailed(db: Database, id: number, at: number, error: string): void {
  const { channel, attempts } = messageOf(db, id)
  db.run(
    db.query
      .updateTable('outbox')
      .set({ due_at: at, attempts: attempts + 1 })
      .where('id', '=', id),
  )
  db.run(db.query.updateTable('channels').set({ last_error: error }).where('name', '=', channel))
}

export function markAbandoned(db: Database, id: number, at: number, error: string): void {
  const { channel } = messageOf(db, id)
  db.run(db.query.updateTable('outbox').set({ state: 'done', done_at: at }).where('id', '=', id))
  db.run(
    db.query
      .updateTable('channels')
      .set(({ eb }) => ({ abandoned: eb('abandoned', '+', 1), last_error: error }))
      .where('name', '=', channel),
  )
}

export function listChannels(db: Database): ChannelState[] {
  const pending = sql<number>`(select count(*) from outbox where channel = name and state = 'pending')`.as('pending')
  return db.all(db.query.selectFrom('channels').selectAll().select(pending).orderBy('name')).map(row => ({
    channel: row.name,
    pending: row.pending,
    delivered: row.delivered,
    abandoned: row.abandoned,
    lastDeliveredAt: toTime(row.last_delivered_at),
    lastError: row.last_error ?? undefined,
  }))
}

function messageOf(db: Database, id: number): Row {
  const row = db.first(db.query.selectFrom('outbox').selectAll().where('id', '=', id))
  if (!row) throw new StoreError(`message must be one of the outbox, got ${id}`)
  return row
}

export function pruneMessages(db: Database, now: number): void {
  db.statement(
    `DELETE FROM outbox WHERE state = 'done' AND done_at < ?
     AND NOT EXISTS (SELECT 1 FROM anomalies WHERE id = outbox.anomaly AND status = 'open')`,
  ).run(now - KEEP_MESSAGES)
}
