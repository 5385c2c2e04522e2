import { z } from 'zod'
import { type Labels, seriesId } from '../anomaly.ts'
import { component } from '../component.ts'
import type { Scores } from '../detectors/detector.ts'
import { StoreError } from '../errors.ts'
import { slice } from '../frame/frame.ts'
import { openMemoryOutbox } from './memory/outbox.ts'
import { byAge, byWorkload, KEEP_UNUSED_MODELS, surplusModels, workloadId } from './models.ts'
import { copyScores as copy, replaceRows } from './points.ts'
import { believed, byStart, horizonOf, reconcile, withdrawn } from './reconcile.ts'
import { DEFAULT_RETENTION, KEEP_REMOVED_FLOWS, type Retention, retentionOptions } from './retention.ts'
import type {
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
  /** Since when it is known not to be scheduled any more. */
  removedAt: number
  lastSuccessAt: number
  failures: number
  horizon: number
  pointsFrom: number
  readonly runs: RunLog[]
  readonly snapshots: Map<string, Snapshot>
  readonly points: Map<string, Scores>
}

/** The models of one workload, by version. */
interface Workload {
  readonly key: ModelKey
  models: readonly StoredModel[]
  usedAt: number
}

/** Forgets everything when it is closed or the process ends: for tests, previews and stateless runs. */
export const memory = component({
  type: 'memory',
  summary: 'Remembers in memory only; a restart begins anew.',
  config: z.strictObject(retentionOptions),
  create: (retention, _needs: StoreNeeds) => fromMemory(retention),
  examples: [{}],
})

export function fromMemory(retention: Retention = DEFAULT_RETENTION): Store {
  const flows = new Map<string, Flow>()
  const anomalies = new Map<string, StoredAnomaly>()
  const byFlow = new Map<string, Set<string>>()
  const workloads = new Map<string, Workload>()
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
  const outbox = openMemoryOutbox({
    anomaly: id => anomalies.get(id),
    anomaliesOf: storedOf,
    isRetired: flow => flows.get(flow)?.listed === false,
  })

  const useModels = (flow: string, used: readonly Omit<ModelKey, 'flow'>[], now: number) => {
    for (const one of used) {
      const workload = workloads.get(workloadId({ flow, ...one }))
      if (workload) workload.usedAt = now
    }
    for (const [id, { key, usedAt }] of workloads)
      if (usedAt < now - KEEP_UNUSED_MODELS && (key.flow === flow || !flows.get(key.flow)?.listed)) workloads.delete(id)
  }

  /** Deletes what is too old, of the flow and of flows that are not scheduled. */
  const sweepOld = (name: string, now: number) => {
    for (const [id, { flow, end, status }] of anomalies) {
      if (status === 'open' || !(end < now - retention.keepAnomalies) || outbox.isWaiting(id)) continue
      if (flow !== name && flows.get(flow)?.listed) continue
      anomalies.delete(id)
      outbox.forget(id)
      byFlow.get(flow)?.delete(id)
    }
    for (const [key, flow] of flows) {
      if (flow.listed !== false) continue
      if (Number.isNaN(flow.removedAt)) flow.removedAt = now
      if (flow.removedAt < now - KEEP_REMOVED_FLOWS && key !== name) flows.delete(key)
    }
  }

  /** Deletes anomalies that were ignored and are over before `before`, all but the newest, where nobody was ever notified of them. */
  const dropIgnored = (flow: string, before: number) => {
    const over = storedOf(flow).filter(one => one.ignored !== undefined && one.status !== 'open')
    if (over.length <= retention.keepIgnored) return
    const newestFirst = over.toSorted((a, b) => b.end - a.end || (a.id < b.id ? -1 : 1))
    for (const { id, end } of newestFirst.slice(retention.keepIgnored))
      if (end < before && !outbox.knows(id)) {
        anomalies.delete(id)
        byFlow.get(flow)?.delete(id)
      }
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
        ...(run.detectors && { detectors: run.detectors }),
        ...(run.unknown && { unknown: run.unknown }),
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
        if (!run.silent) outbox.tell(change, change.anomaly.notify ?? run.channels, now)
      }
      for (const { labels, detector } of [...(run.damaged ?? []), ...run.forgotten])
        flow.snapshots.delete(streamKey(labels, detector))
      for (const one of run.snapshots)
        flow.snapshots.set(streamKey(one.labels, one.detector), { ...one, state: Uint8Array.from(one.state) })
      flow.horizon = Math.max(believed(flow.horizon, now), horizonOf(run))
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
      log(
        flow,
        {
          flow: run.flow,
          startedAt: run.startedAt,
          finishedAt: now,
          range: run.range,
          status: 'ok',
          series: run.series,
          anomalies: run.anomalies.length,
          changes: changes.length,
          diagnostics: run.diagnostics,
        },
        retention.keepRuns,
      )
      useModels(run.flow, run.workloads ?? [], now)
      sweepOld(run.flow, now)
      outbox.prune(now)
      dropIgnored(run.flow, run.range.start - run.mergeGap)
      return changes
    },
    async fail(run) {
      check()
      const flow = flowOf(run.flow)
      flow.failures++
      log(flow, run, retention.keepRuns)
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
      for (const { flow: name, at, latest = Infinity } of list) {
        const flow = flowOf(name)
        flow.listed = true
        flow.removedAt = NaN
        if (!(flow.nextRunAt <= latest)) flow.nextRunAt = at
      }
    },
    async withdraw(flow, because, at) {
      check()
      const open = storedOf(flow).filter(({ status }) => status === 'open')
      const changes = open.toSorted(byStart).map(one => withdrawn(one, at, because))
      for (const change of changes) {
        anomalies.set(change.anomaly.id, change.anomaly)
        outbox.tell(change, [], at)
      }
      return changes
    },
    async claim(now, lease, limit = Infinity) {
      check()
      const due = [...flows]
        .filter(
          ([, flow]) => flow.listed && flow.nextRunAt <= now && !(flow.leasedUntil > now && flow.leasedUntil <= now + lease),
        )
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

    async outbox(...all) {
      check()
      return outbox.outbox(...all)
    },
    async delivered(...all) {
      check()
      return outbox.delivered(...all)
    },
    async retry(...all) {
      check()
      return outbox.retry(...all)
    },
    async setAside(...all) {
      check()
      return outbox.setAside(...all)
    },
    async skip(...all) {
      check()
      return outbox.skip(...all)
    },
    async abandon(...all) {
      check()
      return outbox.abandon(...all)
    },
    async channels() {
      check()
      return outbox.channels()
    },
    async hasten(...all) {
      check()
      return outbox.hasten(...all)
    },
    async notifications(...all) {
      check()
      return outbox.notifications(...all)
    },
    async endChannel(...all) {
      check()
      return outbox.endChannel(...all)
    },
    async dropChannel(...all) {
      check()
      return outbox.dropChannel(...all)
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
        messages: outbox.size(),
        models: [...workloads.values()].reduce((total, { models }) => total + models.length, 0),
        damaged: 0,
        evicted: 0,
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
    removedAt: NaN,
    lastSuccessAt: NaN,
    failures: 0,
    horizon: -Infinity,
    pointsFrom: -Infinity,
    runs: [],
    snapshots: new Map(),
    points: new Map(),
  }
}

function stateOf(flow: string, { watermark, horizon, nextRunAt, runs, lastSuccessAt, failures }: Flow): FlowState {
  return {
    flow,
    watermark,
    horizon: Number.isFinite(horizon) ? horizon : NaN,
    nextRunAt,
    lastRun: runs.at(-1),
    lastSuccessAt,
    failures,
  }
}

function log(flow: Flow, run: RunLog, keepRuns: number) {
  flow.runs.push(run)
  if (flow.runs.length > keepRuns) flow.runs.shift()
}

function streamKey(labels: Labels, detector: string): string {
  return `${seriesId(labels)}\n${detector}`
}
