import { formatDuration } from '../../duration.ts'
import type { Configuration, FlowConfig } from '../../pipeline/configuration.ts'
import type { ChannelState, FlowState } from '../../stores/store.ts'
import type { SourceHealth } from '../source-checks.ts'
import { channelHealth, flowHealth } from './health.ts'

/** The watch at one moment, as its parts say of themselves. */
export interface Observed {
  readonly at: number
  /** When the process started. */
  readonly startedAt: number
  readonly flows: readonly FlowState[]
  readonly channels: readonly ChannelState[]
  readonly sources: readonly Pick<SourceHealth, 'name' | 'ok' | 'error' | 'upSince'>[]
  /** Why the store cannot be written; absent while it can. */
  readonly storeError?: string
  /** What the last inspection found wrong with the store; absent when it found nothing. */
  readonly damage?: string
}

export type ComponentKind = 'source' | 'flow' | 'channel' | 'store' | 'scheduler'

/** One part of the watch that does not work now. At most one problem for each part. */
export interface Problem {
  readonly component: ComponentKind
  readonly name: string
  /** A clause for people that goes on after the name: `does not answer: …`. */
  readonly reason: string
  /** It does not run when it should, be it well or not. */
  readonly isLate?: true
}

/** So many flows of one source that fail together are the failure of the source; so many that are late, that of the scheduler. */
const TOGETHER = 4
/** Names that a reason lists. */
const MOST_NAMES = 5

/** A run that failed while its source was down, or before anybody knows, says nothing of the flow; the next one will. */
function saysNothing({ name, query }: FlowConfig, { flows, sources }: Observed): boolean {
  const source = sources.find(one => one.name === query.source)
  const upSince = source?.ok ? (source.upSince ?? -Infinity) : Infinity
  const state = flows.find(one => one.flow === name)
  return state !== undefined && state.failures > 0 && !(state.lastRun !== undefined && state.lastRun.finishedAt > upSince)
}

/** Keys of the parts of which nothing is known now: not that they work, nor that they do not. */
export function unknownParts(
  { flows, sources }: Pick<Configuration, 'flows' | 'sources'>,
  observed: Observed,
): ReadonlySet<string> {
  const isAsked = (name: string) => observed.sources.some(one => one.name === name)
  return new Set([
    ...Object.keys(sources)
      .filter(name => !isAsked(name))
      .map(name => problemKey({ component: 'source', name })),
    ...flows.filter(flow => saysNothing(flow, observed)).map(({ name }) => problemKey({ component: 'flow', name })),
  ])
}

/** What is wrong now. What follows from another problem is not listed: a source that is down has no failing flows. */
export function problemsNow(
  { flows, notifiers }: Pick<Configuration, 'flows' | 'notifiers'>,
  observed: Observed,
): readonly Problem[] {
  const { at, startedAt, sources, channels, storeError, damage } = observed
  const problems: Problem[] = []
  if (storeError !== undefined) problems.push({ component: 'store', name: 'store', reason: `cannot be written: ${storeError}` })
  if (damage !== undefined) problems.push({ component: 'store', name: 'structure of the store', reason: `is damaged: ${damage}` })

  for (const { name, ok, error } of sources)
    if (!ok) problems.push({ component: 'source', name, reason: `does not answer: ${error}` })

  const stateOf = new Map(observed.flows.map(state => [state.flow, state]))
  const healthOf = (flow: FlowConfig) => flowHealth(flow, stateOf.get(flow.name), at, startedAt)
  const failing = flows.filter(flow => healthOf(flow) === 'failing' && !saysNothing(flow, observed))
  for (const [source, group] of Map.groupBy(failing, flow => flow.query.source)) {
    const total = flows.filter(flow => flow.query.source === source).length
    const errorOf = (flow: FlowConfig) => stateOf.get(flow.name)?.lastRun?.error ?? 'unknown error'
    if (group.length === total && total >= TOGETHER)
      problems.push({ component: 'source', name: source, reason: `fails all ${total} of its flows: ${errorOf(group[0]!)}` })
    else for (const flow of group) problems.push({ component: 'flow', name: flow.name, reason: `fails: ${errorOf(flow)}` })
  }

  const late = flows.filter(flow => healthOf(flow) === 'late')
  if (late.length >= TOGETHER)
    problems.push({
      component: 'scheduler',
      name: 'scheduler',
      reason: `runs ${late.length} of ${flows.length} flows late: ${list(late)}`,
      isLate: true,
    })
  else
    for (const { name, every } of late)
      problems.push({ component: 'flow', name, reason: `is late: it must run every ${formatDuration(every)}`, isLate: true })

  for (const state of channels)
    if (notifiers[state.channel] !== undefined && channelHealth(state) === 'failing')
      problems.push({ component: 'channel', name: state.channel, reason: `does not deliver: ${state.lastError}` })
  return problems
}

/**
 * Why the watch does not do its work, for those who must hear of it by other ways than ours: it cannot remember, does not run its flows in
 * time, sees nothing, or can notify nobody. A part that fails beside others that work is reported through our own channels.
 */
export function whyNotWorking(
  { sources, notifiers }: Pick<Configuration, 'sources' | 'notifiers'>,
  problems: readonly Problem[],
): readonly string[] {
  const all = (component: ComponentKind, total: number) =>
    total > 0 && problems.filter(problem => problem.component === component).length === total
  return [
    ...problems
      .filter(({ component, isLate }) => component === 'store' || isLate)
      .map(({ component, name, reason }) => (component === 'flow' ? `flow ${name} ${reason}` : `the ${name} ${reason}`)),
    ...(all('source', Object.keys(sources).length) ? ['no source answers'] : []),
    ...(all('channel', Object.keys(notifiers).length) ? ['no channel delivers'] : []),
  ]
}

function list(flows: readonly FlowConfig[]): string {
  const names = flows.slice(0, MOST_NAMES).map(({ name }) => name)
  return flows.length > MOST_NAMES ? `${names.join(', ')} and others` : names.join(', ')
}

export const problemKey = ({ component, name }: Pick<Problem, 'component' | 'name'>) => `${component} ${name}`
