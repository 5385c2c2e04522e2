import type { Selectable } from 'kysely'
import { seriesId } from '../../anomaly.ts'
import { StoreError } from '../../errors.ts'
import {
  asTold,
  byTime,
  FAILED_FOR_A_WHILE,
  KEEP_MESSAGES,
  kindToTell,
  messageKey,
  REFUSALS_OF_A_FAILING_CHANNEL,
} from '../outbox.ts'
import { byStart, withdrawn } from '../reconcile.ts'
import type { Accepted, Change, ChangeKind, ChannelState, Message, Notification, StoredAnomaly } from '../store.ts'
import { readAnomaly } from './anomalies.ts'
import type { Database } from './database.ts'
import { decodeAnomaly, encodeAnomaly, toLimit, toTime } from './rows.ts'
import type { Tables } from './schema.ts'

/** Messages and what became of them. All functions must be called inside a transaction. */

type Row = Selectable<Tables['outbox']>

/** Writes what the channels must hear of a change. */
export function tell(db: Database, change: Change, flowChannels: readonly string[], now: number): void {
  const { id, status } = change.anomaly
  if (status === 'open') db.statement("UPDATE outbox SET due_at = ? WHERE anomaly = ? AND state = 'aside'").run(now, id)
  const told = db.statement('SELECT channel FROM outbox WHERE anomaly = ? ORDER BY id').all(id) as { channel: string }[]
  for (const channel of new Set([...flowChannels, ...told.map(row => row.channel)]))
    tellOne(db, change, channel, flowChannels.includes(channel), now)
}

/** Writes what one channel must hear of a change; false when there is nothing to say. `isOfFlow`: it hears of beginnings too. */
function tellOne(db: Database, change: Change, channel: string, isOfFlow: boolean, now: number): boolean {
  const { anomaly } = change
  const last = db
    .statement('SELECT kind FROM outbox WHERE anomaly = ? AND channel = ? ORDER BY id DESC LIMIT 1')
    .get(anomaly.id, channel) as { kind: ChangeKind } | undefined
  const kind = kindToTell(change, last?.kind)
  if (!kind || (kind === 'opened' && !isOfFlow)) return false
  const key = messageKey(anomaly, kind)
  if (db.statement('SELECT 1 FROM outbox WHERE channel = ? AND key = ?').get(channel, key)) return false
  db.statement("UPDATE outbox SET state = 'done' WHERE anomaly = ? AND channel = ? AND state IN ('resend', 'aside')").run(
    anomaly.id,
    channel,
  )
  db.statement(
    `INSERT INTO outbox (key, channel, anomaly, kind, body, created_at, state, due_at) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)`,
  ).run(key, channel, anomaly.id, kind, encodeAnomaly(asTold(anomaly, kind)), now, now)
  db.statement('INSERT INTO channels (name) VALUES (?) ON CONFLICT (name) DO NOTHING').run(channel)
  return true
}

/** Writes to a channel that goes that the open anomalies which it was notified of are withdrawn. */
export function endChannel(db: Database, channel: string, because: string, at: number): number {
  const open = db
    .statement(
      `SELECT DISTINCT a.id, a.body FROM outbox m JOIN anomalies a ON a.id = m.anomaly
       WHERE m.channel = ? AND a.status = 'open' AND a.ignored = 0`,
    )
    .all(channel) as { id: string; body: string }[]
  return open
    .flatMap(row => readAnomaly(db, row) ?? [])
    .toSorted(byStart)
    .filter(anomaly => tellOne(db, withdrawn(anomaly, at, because), channel, false, at)).length
}

/** Abandons what waits for a channel that is gone. */
export function dropChannel(db: Database, channel: string, because: string, at: number): number {
  db.statement("UPDATE outbox SET state = 'done' WHERE channel = ? AND state IN ('resend', 'aside')").run(channel)
  const { changes } = db
    .statement("UPDATE outbox SET state = 'done', done_at = ?, error = ? WHERE channel = ? AND state = 'pending'")
    .run(at, because, channel)
  const never = Number(changes)
  if (never > 0)
    db.statement('UPDATE channels SET abandoned = abandoned + ?, last_error = ? WHERE name = ?').run(never, because, channel)
  return never
}

interface DueRow extends Row {
  readonly latest: string | null
  readonly overtaken_at: number | null
}

/**
 * First messages before others; behind a message that waits, the later ones of its anomaly wait too. Times in the future come from a clock
 * that was wrong: what was written, accepted or tried then is due now.
 */
export function dueMessages(db: Database, channel: string, now: number, limit: number, held: readonly string[]): Message[] {
  const rows = db
    .statement(
      `SELECT m.id, m.key, m.anomaly, m.kind, m.body, m.created_at, m.attempts, m.state, a.body AS latest, (
         SELECT n.created_at FROM outbox n WHERE n.anomaly = m.anomaly AND n.channel = m.channel AND n.id > m.id ORDER BY n.id DESC LIMIT 1
       ) AS overtaken_at
       FROM outbox m LEFT JOIN anomalies a ON a.id = m.anomaly JOIN channels c ON c.name = m.channel
       WHERE m.channel = ?1 AND m.state IN ('pending', 'resend', 'aside')
       AND (m.due_at <= ?2 OR (m.attempts = 0 AND m.done_at IS NULL AND m.created_at > ?2) OR m.done_at > ?2
         OR (m.attempts > 0 AND c.failing_since > ?2))
       AND NOT EXISTS (
         SELECT 1 FROM outbox e WHERE e.anomaly = m.anomaly AND e.channel = m.channel AND e.id < m.id AND e.state = 'pending'
       )
       AND (m.state = 'pending' OR NOT EXISTS (SELECT 1 FROM flows WHERE name = a.flow AND listed = 0))
       AND (?4 = '[]' OR a.flow IS NULL OR a.flow NOT IN (SELECT value FROM json_each(?4)))
       ORDER BY m.state <> 'pending', m.id LIMIT ?3`,
    )
    .all(channel, now, toLimit(limit), JSON.stringify(held)) as unknown as DueRow[]
  const openOf = openAnomalies(db, channel)
  return rows.flatMap(row => {
    const anomaly = readMessage(db, row)
    return anomaly ? [toMessage(db, channel, row, asTold(anomaly, row.kind as ChangeKind), openOf)] : []
  })
}

/** What a message is about: what was written with it or, where it is sent again or cannot be read, the anomaly as it is stored. */
function readMessage(db: Database, row: DueRow): StoredAnomaly | undefined {
  const { id, key, body, latest } = row
  const stored = () => (latest === null ? undefined : readAnomaly(db, { id: row.anomaly, body: latest }))
  const remove = () => db.statement('DELETE FROM outbox WHERE id = ?').run(id)
  const written = () => db.damage.read({ kind: 'message', name: key, body }, () => decodeMessage(body, stored), remove)
  return row.state === 'pending' ? written() : (stored() ?? written())
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

function toMessage(
  db: Database,
  channel: string,
  row: DueRow,
  anomaly: StoredAnomaly,
  openOf: ReturnType<typeof openAnomalies>,
): Message {
  const kind = row.kind as ChangeKind
  const last = lastAccepted(db, row.anomaly, channel)
  const stillOpen = kind === 'opened' || kind === 'updated' ? [] : openOf(anomaly)
  return {
    id: row.id,
    key: row.key,
    channel,
    kind,
    anomaly,
    createdAt: row.created_at,
    attempts: row.attempts,
    ...(row.overtaken_at !== null && { overtakenAt: row.overtaken_at }),
    ...(row.state === 'aside' && { isSetAside: true as const }),
    ...(last && { accepted: toAccepted(last) }),
    ...(stillOpen.length > 0 && { stillOpen }),
  }
}

interface AcceptedRow {
  readonly kind: ChangeKind
  readonly message: number
  readonly at: number
  readonly identity: string | null
}

function lastAccepted(db: Database, anomaly: string, channel: string): AcceptedRow | undefined {
  return db
    .statement('SELECT kind, message, at, identity FROM notified WHERE anomaly = ? AND channel = ? ORDER BY message DESC LIMIT 1')
    .get(anomaly, channel) as AcceptedRow | undefined
}

function toAccepted({ kind, at, identity }: AcceptedRow): Accepted {
  return { kind, at, ...(identity !== null && { identity }) }
}

/** The other open anomalies of an anomaly's flow and series that the channel was told of; each flow is read once. */
function openAnomalies(db: Database, channel: string): (anomaly: StoredAnomaly) => StoredAnomaly[] {
  const read = (flow: string) =>
    (
      db
        .statement(
          `SELECT id, body FROM anomalies WHERE flow = ? AND status = 'open' AND ignored = 0 AND 'opened' = (
             SELECT kind FROM outbox WHERE anomaly = anomalies.id AND channel = ? AND state <> 'aside' ORDER BY outbox.id DESC LIMIT 1
           ) ORDER BY id`,
        )
        .all(flow, channel) as { id: string; body: string }[]
    ).flatMap(row => readAnomaly(db, row) ?? [])
  const known = new Map<string, StoredAnomaly[]>()
  return ({ id, flow, labels }) => {
    const all = known.get(flow) ?? read(flow)
    known.set(flow, all)
    return all.filter(other => other.id !== id && seriesId(other.labels) === seriesId(labels))
  }
}

export function hasten(db: Database, channel: string, latest: number): void {
  db.statement("UPDATE outbox SET due_at = ?1 WHERE channel = ?2 AND state <> 'done' AND due_at > ?1").run(latest, channel)
}

export function markDelivered(db: Database, id: number, at: number, again?: number, identity?: string): void {
  const row = messageOf(db, id)
  const last = lastAccepted(db, row.anomaly, row.channel)
  const isFirst = last?.message !== id
  const state = again !== undefined && isNewest(db, row) ? 'resend' : 'done'
  db.statement('UPDATE outbox SET state = ?, due_at = ?, done_at = ?, attempts = 0, error = NULL WHERE id = ?').run(
    state,
    again ?? null,
    at,
    id,
  )
  db.statement(
    `INSERT INTO notified (anomaly, channel, kind, message, at, identity) SELECT id, ?2, ?3, ?4, ?5, ?6 FROM anomalies WHERE id = ?1
     ON CONFLICT (anomaly, channel, kind) DO UPDATE SET message = excluded.message, at = excluded.at, identity = excluded.identity`,
  ).run(row.anomaly, row.channel, row.kind, id, isFirst ? at : last.at, identity ?? null)
  db.statement(
    `UPDATE outbox SET due_at = ?2 WHERE channel = ?1 AND state <> 'done' AND attempts > 0 AND due_at > ?2
     AND EXISTS (SELECT 1 FROM channels WHERE name = ?1 AND ?2 - failing_since >= ?3)`,
  ).run(row.channel, at, FAILED_FOR_A_WHILE)
  db.statement(
    `UPDATE channels SET delivered = delivered + ?, last_delivered_at = ?, last_error = NULL, failing_since = NULL, refusals = 0
     WHERE name = ?`,
  ).run(isFirst ? 1 : 0, at, row.channel)
}

export function markFailed(db: Database, id: number, at: number, again: number, error: string): void {
  const { channel } = messageOf(db, id)
  db.statement('UPDATE outbox SET due_at = ?, attempts = attempts + 1, error = ? WHERE id = ?').run(again, error, id)
  db.statement('UPDATE channels SET last_error = ?1, failing_since = min(coalesce(failing_since, ?2), ?2) WHERE name = ?3').run(
    error,
    at,
    channel,
  )
}

export function markSetAside(db: Database, id: number, at: number, again: number | undefined, error: string): void {
  const row = messageOf(db, id)
  db.statement('UPDATE outbox SET state = ?, due_at = ?, done_at = ?, attempts = attempts + 1, error = ? WHERE id = ?').run(
    isNewest(db, row) ? 'aside' : 'done',
    again ?? null,
    at,
    error,
    id,
  )
  db.statement(
    `UPDATE channels SET last_error = ?1, refusals = refusals + 1,
     failing_since = CASE WHEN refusals + 1 >= ?4 THEN coalesce(failing_since, ?2) ELSE failing_since END WHERE name = ?3`,
  ).run(error, at, row.channel, REFUSALS_OF_A_FAILING_CHANNEL)
}

export function markSkipped(db: Database, id: number, at: number): void {
  messageOf(db, id)
  db.statement("UPDATE outbox SET state = 'done', done_at = ? WHERE id = ?").run(at, id)
}

export function markAbandoned(db: Database, id: number, at: number, error: string): void {
  const { channel } = messageOf(db, id)
  db.statement("UPDATE outbox SET state = 'done', done_at = ?, error = ? WHERE id = ?").run(at, error, id)
  db.statement('UPDATE channels SET abandoned = abandoned + 1, last_error = ? WHERE name = ?').run(error, channel)
}

export function listChannels(db: Database): ChannelState[] {
  const rows = db
    .statement(
      `SELECT channels.*, count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'aside') AS aside,
       min(created_at) FILTER (WHERE state = 'pending') AS oldest
       FROM channels LEFT JOIN outbox ON channel = name AND state <> 'done' GROUP BY name ORDER BY name`,
    )
    .all() as unknown as (Selectable<Tables['channels']> & { pending: number; aside: number; oldest: number | null })[]
  return rows.map(row => ({
    channel: row.name,
    pending: row.pending,
    oldestPendingAt: toTime(row.oldest),
    setAside: row.aside,
    delivered: row.delivered,
    abandoned: row.abandoned,
    lastDeliveredAt: toTime(row.last_delivered_at),
    lastError: row.last_error ?? undefined,
    failingSince: toTime(row.failing_since),
  }))
}

export function listNotifications(db: Database, anomalies: readonly string[]): Notification[] {
  const rows = db
    .statement(
      `SELECT anomaly, channel, kind, 'accepted' AS state, at, NULL AS error FROM notified WHERE anomaly IN (SELECT value FROM json_each(?1))
       UNION ALL
       SELECT anomaly, channel, kind, CASE state WHEN 'aside' THEN 'set aside' ELSE state END,
       CASE state WHEN 'aside' THEN done_at ELSE created_at END, error
       FROM outbox WHERE anomaly IN (SELECT value FROM json_each(?1)) AND state IN ('pending', 'aside')`,
    )
    .all(JSON.stringify(anomalies)) as unknown as (Omit<Notification, 'error'> & { error: string | null })[]
  return rows.map(({ error, ...row }) => ({ ...row, ...(error !== null && { error }) })).sort(byTime)
}

export function pruneMessages(db: Database, now: number): void {
  db.statement(
    `DELETE FROM outbox WHERE state IN ('done', 'aside') AND done_at < ?
     AND NOT EXISTS (SELECT 1 FROM anomalies WHERE id = outbox.anomaly AND status = 'open')`,
  ).run(now - KEEP_MESSAGES)
}

function isNewest(db: Database, { anomaly, channel, id }: Row): boolean {
  return db.statement('SELECT 1 FROM outbox WHERE anomaly = ? AND channel = ? AND id > ?').get(anomaly, channel, id) === undefined
}

function messageOf(db: Database, id: number): Row {
  const row = db.statement('SELECT * FROM outbox WHERE id = ?').get(id) as Row | undefined
  if (!row) throw new StoreError(`message must be one of the outbox, got ${id}`)
  return row
}
