import { z } from 'zod'
import { type Labels, seriesId } from '../anomaly.ts'
import { component } from '../component.ts'
import type { Scores } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'
import { slice } from '../frame/frame.ts'
import { byAge, byWorkload, KEEP_UNUSED_MODELS, surplusModels, workloadId } from './models.ts'
import { asTold, KEEP_MESSAGES, KEEP_RUNS, kindToTell, messageKey } from './outbox.ts'
import { copyScores as copy, replaceRows } from './points.ts'
import { believed, reconcile } from './reconcile.ts'
import type {
  Change,
  ChangeKind,
  FlowState,
  ModelKey,
  ModelRecord,
  RunLog,
  Snapshot,
  Store,
  StoredAnomaly,
  StoredModel,
  StoreNeeds,
} from './store.ts'

interface Flow {
  watermark: number
  nextRunAt: number
  leasedUntil: number
  listed: boolean | undefined
  lastSuccessAt: number
  failures: number
  horizon: number
  pointsFrom: number
  readonly runs: RunLog[]
  readonly snapshots: Map<string, Snapshot>
  readonly points: Map<string, Scores>
}

interface Row {
  readonly id: number
  readonly key: string
  readonly channel: string
  readonly kind: ChangeKind
  readonly anomaly: StoredAnomaly
  readonly createdAt: number
  state: 'pending' | 'resend' | 'done'
  dueAt: number
  attempts: number
  doneAt: number
}

/** The models of one workload, by version. */
interface Workload {
  readonly key: ModelKey
  models: readonly StoredModel[]
  usedAt: number
}

interface Channel {
  delivered: number
  abandoned: number
  lastDeliveredAt: number
  lastError: string | undefined
}

/** Forgets everything when it is closed or the process ends: for tests, previews and stateless runs. */
export const memory = component({
  type: 'memory',
  summary: 'Remembers in memory only; a restart begins anew.',
  config: z.strictObject({}),
  create: (_config, _needs: StoreNeeds) => fromMemory(),
  examples: [{}],
})

export function fromMemory(): Store {
  const flows = new Map<string, Flow>()
  const anomalies = new Map<string, StoredAnomaly>()
  const byFlow = new Map<string, Set<string>>()
  const channels = new Map<string, Channel>()
  const outbox = new Map<number, Row>()
  const about = new Map<string, Row[]>()
  const workloads = new Map<string, Workload>()
  let nextMessage = 1
  let closed = false

  const check = () => {
    if (closed) throw new StoreError('store must be open, got a closed one')
  }
  const flowOf = (name: string) => {
    let flow = flows.get(name)
    if (!flow) flows.set(name, (flow = newFlow()))
    return flow
  }
  const storedOf = (flow: string) => [...(byFlow.get(flow) ?? [])].map(id => anomalies.get(id)!)
  const rowOf = (id: number) => {
    check()
    const row = outbox.get(id)
    if (!row) throw new StoreError(`message must be one of the outbox, got ${id}`)
    return { row, channel: channels.get(row.channel)! }
  }
  const rowsAbout = (anomaly: string) => about.get(anomaly) ?? []

  /** Writes what the channels must hear of a change. */
  const tell = (change: Change, flowChannels: readonly string[], now: number) => {
    const rows = rowsAbout(change.anomaly.id)
    for (const channel of new Set([...flowChannels, ...rows.map(row => row.channel)])) {
      const mine = rows.filter(row => row.channel === channel)
      const kind = kindToTell(change, mine.at(-1)?.kind)
      if (!kind || (kind === 'opened' && !flowChannels.includes(channel))) continue
      const key = messageKey(change.anomaly, kind)
      if (mine.some(row => row.key === key)) continue
      for (const row of mine) if (row.state === 'resend') row.state = 'done'
      const id = nextMessage++
      const anomaly = asTold(change.anomaly, kind)
      const row: Row = { id, key, channel, kind, anomaly, createdAt: now, state: 'pending', dueAt: now, attempts: 0, doneAt: NaN }
      outbox.set(id, row)
      about.set(anomaly.id, [...rowsAbout(anomaly.id), row])
      if (!channels.has(channel))
        channels.set(channel, { delivered: 0, abandoned: 0, lastDeliveredAt: NaN, lastError: undefined })
    }
  }

  const useModels = (flow: string, used: readonly Omit<ModelKey, 'flow'>[], now: number) => {
    for (const one of used) {
      const workload = workloads.get(workloadId({ flow, ...one }))
      if (workload) workload.usedAt = now
    }
    for (const [id, { key, usedAt }] of workloads)
      if (usedAt < now - KEEP_UNUSED_MODELS && (key.flow === flow || !flows.get(key.flow)?.listed)) workloads.delete(id)
  }

  const store: Store = {
    async commit(run) {
      check()
      const flow = flows.get(run.flow) ?? newFlow()
      const now = run.finishedAt
      const changes = reconcile(storedOf(run.flow), run.anomalies, {
        flow: run.flow,
        range: run.range,
        mergeGap: run.mergeGap,
        now,
        annotations: run.annotations,
        horizon: believed(flow.horizon, now),
        find: id => anomalies.get(id),
      })
      const points = run.points.map(({ detector, scores }) => {
        const key = streamKey(scores.labels, detector)
        return [key, replaceRows(flow.points.get(key), scores, run.range)] as const
      })
      // Nothing above has changed anything, nothing below can fail: all or nothing.
      flows.set(run.flow, flow)
      for (const change of changes) {
        anomalies.set(change.anomaly.id, change.anomaly)
        if (!byFlow.has(run.flow)) byFlow.set(run.flow, new Set())
        byFlow.get(run.flow)!.add(change.anomaly.id)
        if (!run.silent) tell(change, run.channels, now)
      }
      for (const { labels, detector } of [...(run.damaged ?? []), ...run.forgotten])
        flow.snapshots.delete(streamKey(labels, detector))
      for (const one of run.snapshots)
        flow.snapshots.set(streamKey(one.labels, one.detector), { ...one, state: Uint8Array.from(one.state) })
      flow.horizon = Math.max(believed(flow.horizon, now), run.range.end)
      flow.pointsFrom = flow.horizon - run.keepPoints
      for (const [key, scores] of points) flow.points.set(key, scores)
      for (const [key, scores] of flow.points) {
        const kept = slice(scores, { start: flow.pointsFrom, end: Infinity })
        if (kept.times.length === 0) flow.points.delete(key)
        else if (kept.times.length * 2 < scores.times.length) flow.points.set(key, copy(kept))
        else flow.points.set(key, kept)
      }
      if (!Number.isNaN(run.watermark)) flow.watermark = run.watermark
      flow.failures = 0
      flow.lastSuccessAt = now
      log(flow, {
        flow: run.flow,
        startedAt: run.startedAt,
        finishedAt: now,
        range: run.range,
        status: 'ok',
        series: run.series,
        anomalies: run.anomalies.length,
        changes: changes.length,
        diagnostics: run.diagnostics,
      })
      useModels(run.flow, run.workloads ?? [], now)
      for (const row of outbox.values())
        if (row.doneAt < now - KEEP_MESSAGES && row.state === 'done' && anomalies.get(row.anomaly.id)?.status !== 'open') {
          outbox.delete(row.id)
          about.set(
            row.anomaly.id,
            rowsAbout(row.anomaly.id).filter(other => other !== row),
          )
        }
      return changes
    },
    async fail(run) {
      check()
      const flow = flowOf(run.flow)
      flow.failures++
      log(flow, run)
    },

    async anomalies({ flow, status, range, limit = 100, includeIgnored = false } = {}) {
      check()
      return [...(flow === undefined ? anomalies.values() : storedOf(flow))]
        .filter(one => (status === undefined ? one.status !== 'withdrawn' : one.status === status))
        .filter(one => range === undefined || (one.start < range.end && one.end > range.start))
        .filter(one => includeIgnored || one.ignored === undefined)
        .sort((a, b) => b.start - a.start || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
    },
    async anomaly(id) {
      check()
      return anomalies.get(id)
    },
    async points(name, labels, detector, range) {
      check()
      const flow = flows.get(name)
      const scores = flow?.points.get(streamKey(labels, detector))
      const rows = scores && slice(scores, range)
      return rows && rows.times.length > 0 ? copy(rows) : undefined
    },
    async snapshots(flow) {
      check()
      return [...(flows.get(flow)?.snapshots ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, snapshot]) => snapshot)
    },
    async snapshot(flow, labels, detector) {
      check()
      return flows.get(flow)?.snapshots.get(streamKey(labels, detector))
    },
    async flow(name) {
      check()
      const flow = flows.get(name)
      return flow && stateOf(name, flow)
    },
    async flows() {
      check()
      return [...flows]
        .filter(([, { listed }]) => listed !== false)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, flow]) => stateOf(name, flow))
    },
    async runs(flow, limit = 20) {
      check()
      return flows.get(flow)?.runs.slice(-limit).toReversed() ?? []
    },

    async schedule(list) {
      check()
      for (const flow of flows.values()) flow.listed = false
      for (const { flow: name, at } of list) {
        const flow = flowOf(name)
        flow.listed = true
        if (Number.isNaN(flow.nextRunAt)) flow.nextRunAt = at
      }
    },
    async claim(now, lease, limit = Infinity) {
      check()
      const due = [...flows]
        .filter(([, flow]) => flow.listed && flow.nextRunAt <= now && !(flow.leasedUntil > now))
        .sort(([a, { nextRunAt: x }], [b, { nextRunAt: y }]) => x - y || (a < b ? -1 : 1))
        .slice(0, limit)
      for (const [, flow] of due) flow.leasedUntil = now + lease
      return due.map(([name]) => name)
    },
    async release(name, nextRunAt) {
      check()
      const flow = flowOf(name)
      flow.leasedUntil = NaN
      flow.nextRunAt = nextRunAt
    },

    async outbox(channel, now, limit = 100) {
      check()
      const heads = new Set<string>()
      const due = [...outbox.values()].filter(row => {
        if (row.channel !== channel || row.state === 'done') return false
        if (row.state === 'resend') return row.dueAt <= now && flows.get(row.anomaly.flow)?.listed !== false
        if (heads.has(row.anomaly.id)) return false
        heads.add(row.anomaly.id)
        return row.dueAt <= now
      })
      return due
        .sort((a, b) => Number(a.state === 'resend') - Number(b.state === 'resend') || a.id - b.id)
        .slice(0, limit)
        .map(({ id, key, channel, kind, anomaly, createdAt, attempts, state, doneAt }) => {
          const latest = state === 'resend' ? asTold(anomalies.get(anomaly.id) ?? anomaly, kind) : anomaly
          return {
            id,
            key,
            channel,
            kind,
            anomaly: latest,
            createdAt,
            attempts,
            ...(state === 'resend' && { deliveredAt: doneAt }),
          }
        })
    },
    async delivered(id, at, again) {
      const { row, channel } = rowOf(id)
      if (row.state === 'pending') channel.delivered++
      channel.lastDeliveredAt = at
      channel.lastError = undefined
      const isLast = rowsAbout(row.anomaly.id).every(other => other.channel !== row.channel || other.id <= id)
      row.state = again !== undefined && isLast ? 'resend' : 'done'
      row.dueAt = again ?? NaN
      row.doneAt = at
      row.attempts = 0
    },
    async retry(id, at, error) {
      const { row, channel } = rowOf(id)
      row.attempts++
      row.dueAt = at
      channel.lastError = error
    },
    async abandon(id, at, error) {
      const { row, channel } = rowOf(id)
      row.state = 'done'
      row.doneAt = at
      channel.abandoned++
      channel.lastError = error
    },
    async channels() {
      check()
      return [...channels]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([channel, state]) => {
          const pending = [...outbox.values()].filter(row => row.channel === channel && row.state === 'pending').length
          return { channel, pending, ...state }
        })
    },

    async addModel(fit, taken) {
      check()
      const key = { flow: fit.flow, detector: fit.detector, workload: fit.workload }
      const before = workloads.get(workloadId(key))?.models ?? []
      const added: StoredModel = {
        ...fit,
        state: Uint8Array.from(fit.state),
        version: Math.max(0, ...before.map(({ version }) => version)) + 1,
        status: taken ? 'in force' : 'refused',
        inForceSince: taken ? fit.createdAt : NaN,
        tried: fit.range.end,
      }
      const models = [...before.map(one => (taken ? retired(one) : one)), added]
      const surplus = surplusModels(models)
      const kept = models.filter(({ version }) => !surplus.includes(version))
      workloads.set(workloadId(key), { key, models: kept, usedAt: fit.createdAt })
      return recordOf(added)
    },
    async modelsInForce(flow, of) {
      check()
      const chosen = of ? [workloads.get(workloadId({ flow, ...of }))] : [...workloads.values()]
      return chosen.flatMap(workload => (workload?.key.flow === flow ? inForce(workload.models) : [])).toSorted(byWorkload)
    },
    async models(flow) {
      check()
      return [...workloads.values()]
        .filter(({ key }) => flow === undefined || key.flow === flow)
        .flatMap(({ models }) => models.map(recordOf))
        .toSorted(byAge)
    },
    async restoreModel(key, wanted, at, tried) {
      check()
      const workload = workloads.get(workloadId(key))
      const found = workload?.models.find(({ version }) => version === wanted)
      if (!workload || !found) return undefined
      if (found.status === 'in force') return recordOf(found)
      const back: StoredModel = { ...found, status: 'in force', inForceSince: at, tried: Math.max(found.tried, tried) }
      workload.models = workload.models.map(one => (one === found ? back : retired(one)))
      workload.usedAt = at
      return recordOf(back)
    },

    async openCounts() {
      check()
      const open = [...anomalies.values()].filter(({ status, ignored }) => status === 'open' && ignored === undefined)
      const groups = Map.groupBy(open, ({ flow, annotations }) => `${flow}\0${annotations.severity ?? ''}`)
      return [...groups.entries()]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, group]) => ({
          flow: group[0].flow,
          severity: group[0].annotations.severity ?? '',
          count: group.length,
        }))
    },
    async probe() {
      check()
    },
    async inspect() {
      check()
    },
    async stats() {
      check()
      const sum = (of: (flow: Flow) => number) => [...flows.values()].reduce((total, flow) => total + of(flow), 0)
      return {
        bytes: 0,
        anomalies: anomalies.size,
        snapshots: sum(flow => flow.snapshots.size),
        messages: outbox.size,
        models: [...workloads.values()].reduce((total, { models }) => total + models.length, 0),
        damaged: 0,
      }
    },
    async close() {
      closed = true
    },
  }
  return store
}

function retired(model: StoredModel): StoredModel {
  return model.status === 'in force' ? { ...model, status: 'retired' } : model
}

function inForce(models: readonly StoredModel[]): StoredModel[] {
  const tried = Math.max(...models.map(model => model.tried))
  return models.filter(({ status }) => status === 'in force').map(model => ({ ...model, tried }))
}

function recordOf(model: StoredModel): ModelRecord {
  const { state: _, tried: __, ...record } = model
  return record
}

function newFlow(): Flow {
  return {
    watermark: NaN,
    nextRunAt: NaN,
    leasedUntil: NaN,
    listed: undefined,
    lastSuccessAt: NaN,
    failures: 0,
    horizon: -Infinity,
    pointsFrom: -Infinity,
    runs: [],
    snapshots: new Map(),
    points: new Map(),
  }
}

function stateOf(flow: string, { watermark, nextRunAt, runs, lastSuccessAt, failures }: Flow): FlowState {
  return { flow, watermark, nextRunAt, lastRun: runs.at(-1), lastSuccessAt, failures }
}

function log(flow: Flow, run: RunLog) {
  flow.runs.push(run)
  if (flow.runs.length > KEEP_RUNS) flow.runs.shift()
}

function streamKey(labels: Labels, detector: string): string {
  return `${seriesId(labels)}\n${detector}`
}
