import { formatDuration, HOUR, SECOND } from '../duration.ts'
import { type Fault, SourceError } from '../errors.ts'
import type { World } from '../execution/world.ts'
import type { Frame } from '../frame/frame.ts'
import { questionsOf } from '../pipeline/columns.ts'
import type { Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { lastValue } from '../pipeline/history.ts'
import type { LocatedDocument, Path } from '../pipeline/locate.ts'
import { sources as sourceFamily } from '../sources/index.ts'
import type { Source } from '../sources/source.ts'

export interface OnlineCheck {
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
  /** One line for each flow whose query was answered. */
  readonly flows: readonly { readonly name: string; readonly series: number }[]
}

/** A source has so long to say that it is there. */
const CHECK_TIMEOUT = 10 * SECOND
/** Rows of a flow that are asked for, of at least an hour. */
const ROWS = 60
/** A series is sparse when fewer of its rows have a value. */
const SPARSE = 0.5

/** Asks the sources of a configuration: does each answer, does each query find series, are samples sparse or later than `delay` allows? */
export async function checkOnline(
  { sources, flows }: Configuration,
  document: Pick<LocatedDocument, 'fault'>,
  world: Pick<World, 'now' | 'fetch' | 'sleep'>,
  folder: string,
): Promise<OnlineCheck> {
  const faults: Fault[] = []
  const warnings: Fault[] = []
  const answered: { name: string; series: number }[] = []
  const reachable = new Map<string, Source>()
  await Promise.all(
    Object.entries(sources).map(async ([name, { type, config }]) => {
      const source = sourceFamily[type]!.create(config as never, { ...world, folder })
      try {
        await source.check(AbortSignal.timeout(CHECK_TIMEOUT))
        reachable.set(name, source)
      } catch (error) {
        faults.push(document.fault(['sources', name], `must answer, got: ${(error as Error).message}`))
      }
    }),
  )
  for (const [i, flow] of flows.entries()) {
    const source = reachable.get(flow.query.source)
    if (!source) continue
    const at = (...path: readonly string[]): Path => ['flows', i, ...path]
    let total = 0
    const before = faults.length
    for (const [name, expr] of Object.entries(questionsOf(flow.query))) {
      const place = flow.query.queries ? ['query', 'queries', name] : ['query', 'expr']
      try {
        const { series, found, warned } = await checkFlow(flow, { expr, place }, source, world.now())
        if (found !== undefined) faults.push(document.fault(at(...place), found))
        total += series
        for (const { path, message } of warned) warnings.push(document.fault(at(...path), message))
      } catch (error) {
        if (!(error instanceof SourceError)) throw error
        faults.push(document.fault(at(...place), `must be answered by ${flow.query.source}, got: ${error.message}`))
      }
    }
    if (faults.length === before) answered.push({ name: flow.name, series: total })
  }
  return { faults, warnings, flows: answered }
}

interface FlowCheck {
  readonly series: number
  /** What is wrong with its query. */
  readonly found?: string
  readonly warned: readonly { readonly path: readonly string[]; readonly message: string }[]
}

async function checkFlow(
  flow: FlowConfig,
  { expr, place }: { readonly expr: string; readonly place: readonly string[] },
  source: Source,
  now: number,
): Promise<FlowCheck> {
  const { step } = flow.query
  const length = Math.max(ROWS * step, HOUR)
  const { signal } = new AbortController()
  const answer = await source.read({ expr, step, range: { start: now - length, end: now } }, signal)
  const frames = answer.frames.filter(frame => lastValue(frame) > -Infinity)
  const warned = answer.warnings.map(message => ({ path: place, message }))
  if (frames.length > 0) return { series: frames.length, warned: [...warned, ...checkTimes(flow, frames, now)] }
  const coarse = Math.max(step, flow.forget / (5 * ROWS))
  const day = await source.read({ expr, step: coarse, range: { start: now - flow.forget, end: now } }, signal)
  const series = day.frames.filter(frame => lastValue(frame) > -Infinity).length
  const none = `has no data in the last ${formatDuration(length)}`
  if (series > 0)
    return {
      series,
      warned: [...warned, { path: place, message: `${none}, though in the last ${formatDuration(flow.forget)}` }],
    }
  return { series, found: `must find series that have data, got none in the last ${formatDuration(flow.forget)}`, warned }
}

function checkTimes({ delay, query: { step } }: FlowConfig, frames: readonly Frame<'value'>[], now: number): FlowCheck['warned'] {
  const spacing = median(frames.map(frame => spacingOf(frame, step)))
  const warned: { path: readonly string[]; message: string }[] = []
  if (step / spacing < SPARSE)
    warned.push({
      path: ['query'],
      message: `step should be ${formatDuration(spacing)}, got ${formatDuration(step)}: most series have a value every ${formatDuration(spacing)} only`,
    })
  const newest = frames.reduce((time, frame) => Math.max(time, lastValue(frame)), -Infinity)
  const behind = Math.floor((now - delay) / step) * step - newest
  if (behind >= Math.max(step, spacing))
    warned.push({
      path: ['delay'],
      message: `should be at least ${formatDuration(delay + behind)}, got ${formatDuration(delay)}: the newest sample is ${formatDuration(Math.round((now - newest) / SECOND) * SECOND)} old`,
    })
  return warned
}

/** Usual time between rows that have a value. */
function spacingOf({ times, columns }: Frame<'value'>, step: number): number {
  const known = Array.from(times).filter((_, i) => !Number.isNaN(columns.value[i]))
  return known.length < 2 ? step : median(known.slice(1).map((time, i) => time - known[i]!))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
