import { type Labels, seriesId } from '../anomaly.ts'
import type { Registry } from '../component.ts'
import type { Detector, Models } from '../detectors/detector.ts'
import type { StoredModel } from '../stores/store.ts'
import type { FlowConfig } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'
import type { Wanted } from './pipeline.ts'
import { readState } from './state.ts'
import { workloadOf } from './workload.ts'

/** What a run knows of the models of its workloads, and hears that they want. */
export interface LearnedModels {
  /** What was fitted for the workload of a series so far; the same object for all of them. */
  modelsFor(detector: string, labels: Labels): Models
  /** A series that wants a fit; `rows`: how many it has learned. */
  note(wanted: Omit<Wanted, 'workload' | 'tried'>): void
  /** One for each workload: the series that knows most. */
  wanted(): readonly Wanted[]
  /** All that were asked for. */
  workloads(): readonly { readonly detector: string; readonly workload: Labels }[]
}

/** Models of another configuration are as if they were not there; of one that cannot be read only the state is not there. */
export function fromStored(config: FlowConfig, stored: readonly StoredModel[], family: Registry<Detector>): LearnedModels {
  const found = new Map(stored.map(model => [keyOf(model), model]))
  const hashes = new Map<string, string>()
  const known = new Map<string, { readonly detector: string; readonly workload: Labels; readonly models: Models }>()
  const wanted: Wanted[] = []

  const hashOf = (name: string) => {
    let hash = hashes.get(name)
    if (hash === undefined)
      hashes.set(name, (hash = configurationHash(config, config.detect.find(part => part.name === name)!, family)))
    return hash
  }
  const entryOf = (detector: string, labels: Labels) => {
    const workload = workloadOf(labels, config.replicas)
    const key = keyOf({ detector, workload })
    let entry = known.get(key)
    if (!entry) {
      const model = found.get(key)
      const isOurs = model?.configuration === hashOf(detector)
      const state = isOurs ? readState(model.state).state : undefined
      const models: Models = {
        ...(isOurs && state ? { model: { version: model.version, state } } : {}),
        tried: isOurs ? model.tried : NaN,
      }
      known.set(key, (entry = { detector, workload, models }))
    }
    return entry
  }
  return {
    modelsFor: (detector, labels) => entryOf(detector, labels).models,
    note(one) {
      const { workload, models } = entryOf(one.detector, one.labels)
      wanted.push({ ...one, workload, tried: models.tried })
    },
    wanted: () => mostKnowing(wanted),
    workloads: () => [...known.values()].map(({ detector, workload }) => ({ detector, workload })),
  }
}

/** Of each workload the series that learned most rows, the first in order of name when several did. */
export function mostKnowing(wanted: readonly Wanted[]): readonly Wanted[] {
  const most = new Map<string, Wanted>()
  for (const one of wanted) {
    const best = most.get(keyOf(one))
    if (!best || one.rows > best.rows || (one.rows === best.rows && seriesId(one.labels) < seriesId(best.labels)))
      most.set(keyOf(one), one)
  }
  return [...most.values()]
}

function keyOf({ detector, workload }: { readonly detector: string; readonly workload: Labels }): string {
  return `${detector}\n${seriesId(workload)}`
}
