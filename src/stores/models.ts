import { seriesId } from '../anomaly.ts'
import { DAY } from '../duration.ts'
import type { ModelKey, ModelRecord } from './store.ts'

/** Models of a workload that no run used for so long are deleted. */
export const KEEP_UNUSED_MODELS = 30 * DAY
/** The newest of a workload that are kept. */
const KEEP_MODELS = 5

/** The versions of one workload to delete: neither among the newest, nor in force, nor the one that was in force before. */
export function surplusModels(models: readonly Pick<ModelRecord, 'version' | 'status' | 'inForceSince'>[]): number[] {
  const byAge = models.toSorted((a, b) => b.version - a.version)
  const before = models
    .filter(({ status }) => status === 'retired')
    .toSorted((a, b) => b.inForceSince - a.inForceSince || b.version - a.version)[0]
  return byAge
    .slice(KEEP_MODELS)
    .filter(({ version, status }) => status !== 'in force' && version !== before?.version)
    .map(({ version }) => version)
}

/** One text for one workload. */
export function workloadId({ flow, detector, workload }: ModelKey): string {
  return `${flow}\n${detector}\n${seriesId(workload)}`
}

/** Newest first, then by flow, detector and workload. */
export function byAge(a: ModelRecord, b: ModelRecord): number {
  return b.createdAt - a.createdAt || compare(workloadId(a), workloadId(b)) || b.version - a.version
}

/** By detector and workload. */
export function byWorkload(a: ModelKey, b: ModelKey): number {
  return compare(workloadId(a), workloadId(b))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
