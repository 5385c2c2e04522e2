import { ConfigError } from '../errors.ts'
import { openClient } from '../http/client.ts'
import { notifiers as notifierFamily } from '../notifiers/index.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { CheckedPart, Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { type Compute, flowPipeline } from '../pipeline/flow.ts'
import { flowLookback, hasModels } from '../pipeline/member.ts'
import type { Pipeline, Reader } from '../pipeline/pipeline.ts'
import { sources as sourceFamily } from '../sources/index.ts'
import type { Source } from '../sources/source.ts'
import type { Store } from '../stores/store.ts'
import type { Metrics } from './metrics.ts'
import { openReader } from './store-reader.ts'
import { type Heartbeat, openHeartbeat } from './watch/heartbeat.ts'
import { meterNotifier, meterSource } from './watch/meters.ts'
import type { ProblemLog } from './watch/problem-log.ts'
import { selfWatchFlow, selfWatchPipeline, WATCH_DEFAULTS } from './watch/self-watch.ts'
import type { Tracked } from './watch/track.ts'
import type { World } from './world.ts'

/** What is made of one configuration; replaced as a whole. */
export interface Assembly {
  readonly configuration: Configuration
  readonly sources: Readonly<Record<string, Source>>
  readonly notifiers: Readonly<Record<string, Notifier>>
  /** Those of the configuration, and the one by which the watch reports on itself. */
  readonly flows: ReadonlyMap<string, { readonly config: FlowConfig; readonly pipeline: Pipeline }>
  readonly reader: Reader
  readonly heartbeat?: Heartbeat
}

/** What every assembly of one service shares. */
export interface AssemblyParts {
  readonly world: World
  readonly store: Store
  /** The folder that relative paths of the configuration start from. */
  readonly folder: string
  readonly compute: Compute
  readonly metrics: Metrics
  /** The problems of the watch itself that go on now. */
  readonly tracked: () => readonly Tracked[]
  /** Why the watch does not do its work as a whole; empty while it does, undefined before that is known. */
  readonly whyNotWorking: () => readonly string[] | undefined
  readonly problemLog: ProblemLog
}

/** Makes sources, notifiers and flows; opens nothing and asks nobody. */
export function assemble(configuration: Configuration, parts: AssemblyParts): Assembly {
  const { world, store, folder, compute, metrics, tracked, problemLog, whyNotWorking: blockers } = parts
  const { fetch, now, sleep, log } = world
  const made = make(sourceFamily, configuration.sources, { fetch, now, sleep, folder })
  const sources = mapValues(made, (source, name) => meterSource(source, name, metrics))
  const channels = make(notifierFamily, configuration.notifiers, {
    fetch,
    now,
    log: (line: string) => log('info', line),
    externalUrl: configuration.server.externalUrl,
    folder,
  })
  const notifiers = mapValues(channels, (notifier, name) => meterNotifier(notifier, name, metrics))
  const itself = selfWatchFlow(configuration)
  const { after } = configuration.watch ?? WATCH_DEFAULTS
  const flows = new Map([
    ...configuration.flows.map(config => {
      const pipeline = flowPipeline(config, flowLookback(config), compute, { models: hasModels(config) })
      return [config.name, { config, pipeline }] as const
    }),
    [itself.name, { config: itself, pipeline: selfWatchPipeline({ after, notify: itself.notify, tracked }) }] as const,
  ])
  const { heartbeat: config } = configuration
  const heartbeat =
    config &&
    openHeartbeat({
      config,
      send: openClient(config, { fetch, folder }),
      notifiers: channels,
      now,
      blockers,
      metrics,
      problemLog,
    })
  return { configuration, sources, notifiers, flows, reader: openReader(sources, store), ...(heartbeat ? { heartbeat } : {}) }
}

/** What is bound to the process when it starts; who may ask the server, and by which names, is not. */
const FIXED: Readonly<Record<string, (configuration: Configuration) => unknown>> = {
  store: ({ store }) => store,
  'server.listen': ({ server: { host, port } }) => [host, port],
  'server.tls': ({ server }) => server.tls,
  'server.maxConnections': ({ server }) => server.maxConnections,
  workers: ({ workers }) => workers,
  training: ({ training }) => training,
}

/** Parts that a running process cannot exchange. */
export function requireSame(before: Configuration, after: Configuration): void {
  const faults = Object.entries(FIXED)
    .filter(([, part]) => JSON.stringify(part(before)) !== JSON.stringify(part(after)))
    .map(([path]) => ({
      file: after.file,
      line: 0,
      column: 0,
      path,
      message: 'must stay as it is while the service runs; restart to change it',
    }))
  if (faults.length > 0) throw new ConfigError(faults)
}

function mapValues<Value>(
  all: Readonly<Record<string, Value>>,
  map: (value: Value, name: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, map(value, name)]))
}

function make<Made, Needs>(
  family: Readonly<Record<string, { create(config: any, needs: Needs): Made }>>,
  parts: Readonly<Record<string, CheckedPart>>,
  needs: Needs,
): Record<string, Made> {
  return Object.fromEntries(Object.entries(parts).map(([name, { type, config }]) => [name, family[type]!.create(config, needs)]))
}
