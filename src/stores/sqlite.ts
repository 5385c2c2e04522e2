import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Selectable, type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { StoreError } from '../errors.ts'
import { slice } from '../frame/frame.ts'
import { size } from '../schema.ts'
import { formatSize } from '../size.ts'
import { copyScores } from './points.ts'
import { believed, horizonOf, reconcile, withdrawn } from './reconcile.ts'
import { DEFAULT_RETENTION, type Retention, retentionOptions } from './retention.ts'
import { findAnomaly, openCounts, openOf, readAnomaly, saveAnomaly, touchedAnomalies } from './sqlite/anomalies.ts'
import { type Database, type OpenOptions, openDatabase } from './sqlite/database.ts'
import { type Inspection, inspectFile } from './sqlite/inspect.ts'
import { addModel, listModels, modelsInForce, restoreModel, sweepModels, useModels } from './sqlite/models.ts'
import {
  dropChannel,
  dueMessages,
  endChannel,
  hasten,
  listChannels,
  listNotifications,
  markAbandoned,
  markDelivered,
  markFailed,
  markSetAside,
  markSkipped,
  pruneMessages,
  tell,
} from './sqlite/outbox.ts'
import { dropIgnored, giveBack, makeRoom, sweepOld } from './sqlite/retention.ts'
import { decodeRun, encodeRun, toLimit, toTime } from './sqlite/rows.ts'
import type { Tables } from './sqlite/schema.ts'
import { fromStreams, type Streams } from './sqlite/streams.ts'
import type { Change, FlowState, Run, RunLog, Store, StoreNeeds } from './store.ts'

/** How often points and streams are looked for that nobody writes to any more. */
const SWEEP = HOUR

/** The embedded default: one file, one process that writes, any number that read. */
export const sqlite = component({
  type: 'sqlite',
  summary: 'Remembers in one SQLite file; survives kills and restarts, needs nothing installed.',
  config: z.strictObject({
    path: z.string().min(1).default('tidewatch.db').meta({ description: 'the file, from the data folder when relative' }),
    ...retentionOptions,
    maxSize: size().prefault('4GiB').meta({
      description:
        'what the file may hold; beyond it the oldest points go first, then the oldest anomalies that are over; default 4GiB',
    }),
  }),
  create: ({ path, maxSize, ...retention }, { folder, now, log }: StoreNeeds) => {
    const warn = (message: string) => log?.('warning', `store: ${message}`)
    return fromFile(resolve(folder, path), { now, retention, maxSize, onDamage: warn, onEvicted: warn })
  },
  examples: [{}, { path: 'other.db', keepAnomalies: '90d', keepRuns: 50, maxSize: '500MiB' }],
})

/** Opens the file now; throws `StoreError` when it cannot be had. With `readOnly`, the methods that write throw it. */
export function openSqlite(path: string, options: OpenOptions): Store {
  const store = fromFile(path, options)
  store.open()
  return store
}

/** Opens the file when it is first used. */
function fromFile(path: string, options: OpenOptions): Store & { open(): void } {
  let opened: { readonly db: Database; readonly streams: Streams } | undefined
  const { retention = DEFAULT_RETENTION, maxSize = Infinity, onEvicted = () => {} } = options
  let isClosed = false
  let evicted = 0
  let inspection: Inspection | undefined
  const open = () => {
    if (isClosed) throw new StoreError('store must be open, got a closed one')
    if (!opened) {
      const db = openDatabase(path, options)
      opened = { db, streams: fromStreams(db, db.damage) }
    }
    return opened
  }
  /** One transaction. */
  const transact = <Result>(work: (db: Database, streams: Streams) => Result): Result => {
    const { db, streams } = open()
    try {
      return db.transact(() => work(db, streams))
    } catch (error) {
      streams.forgetIds()
      throw error
    }
  }

  return {
    open,
    async commit(run) {
      const { changes, room } = transact((db, streams) => ({
        changes: commit(db, streams, run, retention),
        room: makeRoom(db, maxSize),
      }))
      if (room) {
        evicted += room.points + room.anomalies
        onEvicted(
          `${path} may hold ${formatSize(maxSize)}: ${room.points} chunks of old points and ${room.anomalies} old anomalies were deleted to make room`,
        )
      }
      return changes
    },
    async fail(run) {
      transact(db => {
        const { id, failures } = flowOf(db, run.flow)
        db.run(
          db.query
            .updateTable('flows')
            .set({ failures: failures + 1 })
            .where('id', '=', id),
        )
        log(db, id, run, retention.keepRuns)
      })
    },

    async anomalies({ flow, status, range, limit = 100, includeIgnored = false } = {}) {
      return transact(db => {
        let query = db.query
          .selectFrom('anomalies')
          .select(['id', 'body'])
          .orderBy('start', 'desc')
          .orderBy('id')
          .limit(toLimit(limit))
        query = status === undefined ? query.where('status', '<>', 'withdrawn') : query.where('status', '=', status)
        if (flow !== undefined) query = query.where('flow', '=', flow)
        if (range !== undefined) query = query.where('start', '<', range.end).where('end', '>', range.start)
        if (!includeIgnored) query = query.where('ignored', '=', 0)
        return db.all(query).flatMap(row => readAnomaly(db, row) ?? [])
      })
    },
    async anomaly(id) {
      return transact(db => findAnomaly(db, id))
    },
    async points(name, labels, detector, range) {
      return transact((db, streams) => {
        const flow = findFlow(db, name)
        const scores = flow && streams.points(flow.id, labels, detector, range)
        if (!flow || !scores) return undefined
        const rows = slice(scores, { start: Math.max(range.start, flow.points_from ?? -Infinity), end: range.end })
        return rows.times.length > 0 ? copyScores(rows) : undefined
      })
    },
    async snapshots(name) {
      return transact((db, streams) => {
        const flow = findFlow(db, name)
        return flow ? streams.snapshots(flow.id) : []
      })
    },
    async snapshot(name, labels, detector) {
      return transact((db, streams) => {
        const flow = findFlow(db, name)
        return flow && streams.snapshot(flow.id, labels, detector)
      })
    },
    async flow(name) {
      return transact(db => {
        const flow = findFlow(db, name)
        return flow && stateOf(db, flow)
      })
    },
    async flows() {
      return transact(db => {
        const listed = db.query.selectFrom('flows').selectAll().where(sql<SqlBool>`listed is not 0`)
        return db.all(listed.orderBy('name')).map(flow => stateOf(db, flow))
      })
    },
    async runs(name, limit = 20) {
      return transact(db => {
        const flow = findFlow(db, name)
        return flow ? runsOf(db, flow.id, limit) : []
      })
    },

    async schedule(list) {
      transact(db => {
        db.run(db.query.updateTable('flows').set({ listed: 0 }))
        for (const { flow, at, latest = Infinity } of list) {
          const { id, next_run_at } = flowOf(db, flow)
          db.run(
            db.query
              .updateTable('flows')
              .set({ listed: 1, removed_at: null, next_run_at: next_run_at !== null && next_run_at <= latest ? next_run_at : at })
              .where('id', '=', id),
          )
        }
      })
    },
    async withdraw(flow, because, at) {
      return transact(db => {
        const changes = openOf(db, flow).map(one => withdrawn(one, at, because))
        for (const change of changes) {
          saveAnomaly(db, change.anomaly)
          tell(db, change, [], at)
        }
        return changes
      })
    },
    async claim(now, lease, limit = Infinity) {
      return transact(db => {
        const due = db.all(
          db.query
            .selectFrom('flows')
            .select(['id', 'name'])
            .where('listed', '=', 1)
            .where('next_run_at', '<=', now)
            .where(({ or, eb }) =>
              or([eb('leased_until', 'is', null), eb('leased_until', '<=', now), eb('leased_until', '>', now + lease)]),
            )
            .orderBy('next_run_at')
            .orderBy('name')
            .limit(toLimit(limit)),
        )
        for (const { id } of due)
          db.run(
            db.query
              .updateTable('flows')
              .set({ leased_until: now + lease })
              .where('id', '=', id),
          )
        return due.map(({ name }) => name)
      })
    },
    async release(name, nextRunAt) {
      transact(db => {
        const { id } = flowOf(db, name)
        db.run(db.query.updateTable('flows').set({ leased_until: null, next_run_at: nextRunAt }).where('id', '=', id))
      })
    },

    async outbox(channel, now, limit = 100, held = []) {
      return transact(db => dueMessages(db, channel, now, limit, held))
    },
    async delivered(id, at, again, identity) {
      transact(db => markDelivered(db, id, at, again, identity))
    },
    async retry(id, at, again, error) {
      transact(db => markFailed(db, id, at, again, error))
    },
    async setAside(id, at, again, error) {
      transact(db => markSetAside(db, id, at, again, error))
    },
    async skip(id, at) {
      transact(db => markSkipped(db, id, at))
    },
    async abandon(id, at, error) {
      transact(db => markAbandoned(db, id, at, error))
    },
    async channels() {
      return transact(listChannels)
    },
    async notifications(anomalies) {
      return transact(db => listNotifications(db, anomalies))
    },

    async hasten(channel, latest) {
      transact(db => hasten(db, channel, latest))
    },
    async endChannel(channel, because, at) {
      return transact(db => endChannel(db, channel, because, at))
    },
    async dropChannel(channel, because, at) {
      return transact(db => dropChannel(db, channel, because, at))
    },

    async addModel(fit, taken) {
      return transact(db => addModel(db, fit, taken))
    },
    async modelsInForce(flow, of) {
      return transact(db => modelsInForce(db, flow, of))
    },
    async models(flow) {
      return transact(db => listModels(db, flow))
    },
    async restoreModel(key, version, at, tried) {
      return transact(db => restoreModel(db, key, version, at, tried))
    },

    async openCounts() {
      return transact(db => openCounts(db))
    },
    async probe() {
      transact(db => db.probe())
    },
    async inspect() {
      open()
      inspection ??= inspectFile(path)
      try {
        const [fault, ...more] = await inspection.done
        if (fault === undefined || isClosed) return
        const others = more.length > 0 ? ` and ${more.length} more faults` : ''
        throw new StoreError(
          `${path} must be whole, got ${fault}${others}; put a backup in its place with \`tidewatch restore\`, see docs/backup.md`,
        )
      } finally {
        inspection = undefined
      }
    },
    async stats() {
      return transact(db => {
        const count = (table: 'anomalies' | 'snapshots' | 'outbox' | 'models' | 'damaged') =>
          db.first(db.query.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('rows')))!.rows
        return {
          bytes: sizeOf(path),
          anomalies: count('anomalies'),
          snapshots: count('snapshots'),
          messages: count('outbox'),
          models: count('models'),
          evicted,
          damaged: db.readOnly ? db.damage.found : count('damaged'),
        }
      })
    },
    async close() {
      isClosed = true
      inspection?.stop()
      opened?.db.close()
      opened = undefined
    },
  }
}

function commit(db: Database, streams: Streams, run: Run, retention: Retention): readonly Change[] {
  const flow = flowOf(db, run.flow)
  const now = run.finishedAt
  const horizon = believed(flow.horizon ?? -Infinity, now)
  const changes = reconcile(touchedAnomalies(db, run), run.anomalies, {
    flow: run.flow,
    range: run.range,
    mergeGap: run.mergeGap,
    now,
    annotations: run.annotations,
    horizon,
    ...(run.detectors && { detectors: run.detectors }),
    ...(run.unknown && { unknown: run.unknown }),
    find: id => findAnomaly(db, id),
  })
  for (const change of changes) {
    saveAnomaly(db, change.anomaly)
    if (!run.silent) tell(db, change, change.anomaly.notify ?? run.channels, now)
  }
  for (const { labels, detector, reason } of run.damaged ?? []) streams.setAside(flow.id, labels, detector, reason)
  for (const { labels, detector } of run.forgotten) streams.forget(flow.id, labels, detector)
  for (const snapshot of run.snapshots) streams.saveSnapshot(flow.id, snapshot)
  const newHorizon = Math.max(horizon, horizonOf(run))
  const keepFrom = newHorizon - run.keepPoints
  for (const { detector, scores } of run.points) streams.savePoints(flow.id, detector, scores, run.range, keepFrom)
  const isSwept = flow.swept_at !== null && Math.abs(now - flow.swept_at) < SWEEP
  useModels(db, run.flow, run.workloads ?? [], now)
  if (!isSwept) {
    sweepOld(db, run.flow, retention, now)
    streams.sweep(flow.id, keepFrom)
    sweepModels(db, run.flow, now)
    giveBack(db)
  }
  pruneMessages(db, now)
  // What a run may still look at stays.
  dropIgnored(db, run.flow, retention.keepIgnored, run.range.start - run.mergeGap)
  db.run(
    db.query
      .updateTable('flows')
      .set({
        horizon: newHorizon,
        points_from: keepFrom,
        failures: 0,
        last_success_at: now,
        ...(Number.isNaN(run.watermark) ? {} : { watermark: run.watermark }),
        ...(isSwept ? {} : { swept_at: now }),
      })
      .where('id', '=', flow.id),
  )
  const { startedAt, range, series, diagnostics } = run
  log(
    db,
    flow.id,
    {
      flow: run.flow,
      startedAt,
      finishedAt: now,
      range,
      status: 'ok',
      series,
      anomalies: run.anomalies.length,
      changes: changes.length,
      diagnostics,
    },
    retention.keepRuns,
  )
  return changes
}

type Row<Table extends keyof Tables> = Selectable<Tables[Table]>

function findFlow(db: Database, name: string): Row<'flows'> | undefined {
  return db.first(db.query.selectFrom('flows').selectAll().where('name', '=', name))
}

/** The flow's row, made when there is none. */
function flowOf(db: Database, name: string): Row<'flows'> {
  const found = findFlow(db, name)
  if (found) return found
  db.run(db.query.insertInto('flows').values({ name }))
  return findFlow(db, name)!
}

function stateOf(db: Database, flow: Row<'flows'>): FlowState {
  return {
    flow: flow.name,
    watermark: toTime(flow.watermark),
    horizon: toTime(flow.horizon),
    nextRunAt: toTime(flow.next_run_at),
    lastRun: runsOf(db, flow.id, 1)[0],
    lastSuccessAt: toTime(flow.last_success_at),
    failures: flow.failures,
  }
}

function runsOf(db: Database, flow: number, limit: number): RunLog[] {
  const query = db.query
    .selectFrom('runs')
    .select(['id', 'body'])
    .where('flow', '=', flow)
    .orderBy('id', 'desc')
    .limit(toLimit(limit))
  return db.all(query).flatMap(({ id, body }) => {
    const remove = () => db.statement('DELETE FROM runs WHERE id = ?').run(id)
    return db.damage.read({ kind: 'run', name: String(id), body }, () => decodeRun(body), remove) ?? []
  })
}

function log(db: Database, flow: number, run: RunLog, keepRuns: number): void {
  db.run(db.query.insertInto('runs').values({ flow, body: encodeRun(run) }))
  const oldest = db.query.selectFrom('runs').select('id').where('flow', '=', flow).orderBy('id', 'desc').limit(1).offset(keepRuns)
  db.run(db.query.deleteFrom('runs').where('flow', '=', flow).where('id', '<=', oldest))
}

function sizeOf(path: string): number {
  return ['', '-wal', '-shm'].reduce((total, end) => total + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0)
}
