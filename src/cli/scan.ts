import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { detectors } from '../detectors/index.ts'
import { DAY, formatDuration, HOUR, MINUTE, SECOND } from '../duration.ts'
import type { World } from '../execution/world.ts'
import { type Frame, slice } from '../frame/frame.ts'
import { create } from '../pipeline/configuration.ts'
import { type Examiner, examine } from '../pipeline/examine.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import type { Source } from '../sources/source.ts'
import { type Connection, connect, printHints } from './connect/connect.ts'
import type { ConnectOptions } from './connect/options.ts'
import { toStarterSource } from './connect/written-source.ts'
import { findHistory, type History } from './scan/discover.ts'
import { type Oddity, rankTroubles, type Trouble } from './scan/rank.ts'
import { chooseSignals, type Signal } from './scan/signals.ts'
import { writeStarter } from './scan/starter.ts'
import { sparkline } from './sparkline.ts'
import { paint, showProgress, type Terminal } from './terminal.ts'
import { parseLength } from './time-option.ts'
import { realWorld } from './world.ts'

export interface ScanOptions extends ConnectOptions {
  readonly url?: string | undefined
  readonly since?: string
  readonly step?: string
  readonly top: number
  readonly limit: number
  readonly out: string
  readonly write: boolean
  readonly json: boolean
}

/** Queries under way at a time. */
const AT_ONCE = 4
const SPARK = 40
/** Series of one signal that are looked at. */
const SERIES = 200

/** `tidewatch scan`: looks through a source without configuration. */
export async function run(options: ScanOptions, terminal: Terminal, world: World = realWorld()): Promise<void> {
  const { out, err } = terminal
  const { signal: abort } = new AbortController()
  const connection = await connect(options.url, 'URL', options, world)
  const { source } = connection
  printHints(connection.hints, err)
  const progress = showProgress(err, world.now)
  await source.check(abort)
  progress.say('asking what is there')
  const names = await source.names(abort)
  const history = await findHistory(
    source,
    names,
    {
      now: world.now(),
      ...(options.since === undefined ? {} : { since: parseLength('--since', options.since) }),
      ...(options.step === undefined ? {} : { step: parseLength('--step', options.step) }),
    },
    abort,
  )
  const signals = await chooseSignals(source, names, history, options.limit, abort)
  const found = await examineAll(source, signals, history, abort, text => progress.say(text))
  progress.end()

  const troubles = rankTroubles(found.oddities, 3 * history.step)
  const shown = troubles.slice(0, options.top)
  if (options.json) out.write(`${JSON.stringify(toJson(connection.url, history, found, shown), null, 2)}\n`)
  else out.write(print(history, found, shown, troubles.length, terminal))
  if (found.withoutData.length > 0) err.write(`${describeWithoutData(found.withoutData)}\n`)
  for (const warning of found.warnings) err.write(`${paint('yellow', 'warning', err)}: ${warning}\n`)
  if (options.write && found.signals.length > 0) await saveStarter(options.out, connection, history, found.signals, err)
}

/** Signals shown of those without data. */
const SHOWN_WITHOUT_DATA = 10

function describeWithoutData(ids: readonly string[]): string {
  const more = ids.length > SHOWN_WITHOUT_DATA ? ` and ${ids.length - SHOWN_WITHOUT_DATA} more` : ''
  return `No data, and so no flow: ${ids.toSorted().slice(0, SHOWN_WITHOUT_DATA).join(', ')}${more}`
}

export interface Found {
  readonly oddities: readonly Oddity[]
  /** Signals that gave data, and ids of those whose query was answered and found nothing. */
  readonly signals: readonly Signal[]
  readonly withoutData: readonly string[]
  readonly series: number
  readonly warnings: readonly string[]
}

/** Asks for every signal and examines all of its series. A signal that cannot be asked is a warning. */
export async function examineAll(
  source: Source,
  signals: readonly Signal[],
  history: History,
  abort: AbortSignal,
  say: (text: string) => void,
): Promise<Found> {
  const oddities: Oddity[] = []
  const withData = new Set<Signal>()
  const withoutData = new Set<string>()
  const warnings = new Set<string>()
  let series = 0
  let done = 0
  const queue = signals.values()
  const work = async () => {
    for (const signal of queue) {
      try {
        const answer = await source.read({ expr: signal.expr, range: history.range, step: history.step }, abort)
        const frames = answer.frames.map(trim).filter(frame => frame.times.length > 0)
        if (frames.length > SERIES) warnings.add(`${signal.id}: the first ${SERIES} of ${frames.length} series were looked at`)
        for (const frame of frames.slice(0, SERIES)) oddities.push(...examineSignal(signal, frame, history.step))
        series += Math.min(SERIES, frames.length)
        if (frames.length > 0) withData.add(signal)
        else withoutData.add(signal.id)
      } catch (error) {
        warnings.add(`${signal.id}: ${(error as Error).message}`)
      }
      say(`${++done} of ${signals.length} signals, ${series} series`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const signalsWithData = signals.filter(each => withData.has(each))
  return { oddities, signals: signalsWithData, withoutData: [...withoutData], series, warnings: [...warnings] }
}

function examineSignal(signal: Signal, frame: Frame<'value'>, step: number): Oddity[] {
  const make = (type: string, rule: string, options: object = {}): Examiner => ({
    name: type,
    detector: create(detectors, { type, ...options }, undefined),
    rule: create(rules, { type: rule }, undefined),
  })
  const silence = make('absence', 'threshold', signal.down === undefined ? {} : { down: signal.down })
  const examiners = signal.down === undefined ? [make('default', 'budget'), silence] : [silence]
  const named = { ...frame, labels: { signal: signal.id, ...frame.labels } }
  const refine = [
    create(refiners, { type: 'merge' }, undefined),
    create(refiners, { type: 'side', bad: signal.bad }, undefined),
    create(refiners, { type: 'shape', ...(signal.unit === undefined ? {} : { unit: signal.unit }) }, undefined),
  ]
  return examine(named, examiners, refine, step)
    .flatMap(({ anomalies }) => anomalies)
    .filter(({ ignored }) => ignored === undefined)
    .map(anomaly => ({ signal, anomaly, values: around(frame, anomaly, step) }))
}

/** A series begins with its first value: what was not there yet is not missing. */
function trim(frame: Frame<'value'>): Frame<'value'> {
  const first = frame.columns.value.findIndex(value => !Number.isNaN(value))
  return slice(frame, { start: first < 0 ? Infinity : frame.times[first], end: Infinity })
}

/** Values from well before to a little after, so that a sparkline shows what was usual. */
function around(frame: Frame<'value'>, { start, end }: { start: number; end: number }, step: number): Float64Array {
  const length = Math.max(end - start, 6 * step)
  return slice(frame, { start: start - 3 * length, end: end + 1.5 * length }).columns.value
}

function print(
  { range, step }: History,
  { signals, series }: Found,
  troubles: readonly Trouble[],
  all: number,
  { out }: Terminal,
): string {
  const length = formatDuration(roundLength(range.end - range.start))
  const looked = `${series} series of ${signals.length} signals over ${length} at ${formatDuration(step)}`
  if (troubles.length === 0) return `Nothing odd in ${looked}.\n`
  let text = `${paint('bold', all > troubles.length ? `The ${troubles.length} oddest of ${all} times` : `${all} odd ${all === 1 ? 'time' : 'times'}`, out)} in ${looked}, strongest first:\n\n`
  for (const [i, { head, others }] of troubles.entries()) {
    const { anomaly, signal, values } = head
    text += `${String(i + 1).padStart(2)}. ${paint('bold', anomaly.sentence ?? signal.id, out)}\n`
    text += `    ${paint('cyan', sparkline(values, SPARK).padEnd(SPARK), out)}  ${paint('dim', `${anomaly.shape ?? anomaly.detector}, ${formatStrength(anomaly.strength)}× the limit${anomaly.ongoing ? ', still going on' : ''}`, out)}\n`
    text += `    ${paint('dim', signal.summary, out)}\n`
    const also = [...new Set(others.map(other => other.signal.id))].filter(id => id !== signal.id)
    if (also.length > 0)
      text += `    also: ${also.slice(0, 6).join(', ')}${also.length > 6 ? ` and ${also.length - 6} more` : ''}\n`
    text += '\n'
  }
  return text
}

/** To seconds under ten minutes, to minutes under two days, to hours above. */
function roundLength(ms: number): number {
  const grain = ms < 10 * MINUTE ? SECOND : ms < 2 * DAY ? MINUTE : HOUR
  return Math.max(1, Math.round(ms / grain)) * grain
}

function formatStrength(strength: number): string {
  return strength >= 100 ? String(Math.round(strength)) : strength.toPrecision(2)
}

function toJson(
  url: string,
  { range, step, interval }: History,
  { signals, withoutData, series, warnings }: Found,
  troubles: readonly Trouble[],
) {
  const plain = ({ signal, anomaly }: Oddity) => ({
    signal: signal.id,
    summary: signal.summary,
    severity: signal.severity,
    ...anomaly,
  })
  return {
    url,
    range,
    step,
    interval,
    signals: signals.length,
    withoutData,
    series,
    warnings,
    rows: troubles.map(({ head, others, weight }, i) => ({
      rank: i + 1,
      weight: Math.round(weight * 100) / 100,
      ...plain(head),
      sparkline: sparkline(head.values, SPARK),
      also: others.map(plain),
    })),
  }
}

async function saveStarter(
  file: string,
  { written, folder }: Connection,
  history: History,
  signals: readonly Signal[],
  err: Terminal['err'],
): Promise<void> {
  const source = toStarterSource(written, folder, dirname(resolve(file)), process.env)
  const text = writeStarter({
    source,
    interval: history.interval,
    window: history.window,
    signals: signals.slice(0, 40),
  })
  try {
    await writeFile(file, text, { flag: 'wx' })
    const before = source.unset.length > 0 ? `set ${source.unset.join(', ')} in the environment, then ` : ''
    err.write(`${file} watches ${Math.min(40, signals.length)} signals; next: ${before}tidewatch serve --config ${file}\n`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    err.write(`${file} exists and stays as it is; --out FILE writes another\n`)
  }
}
