import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Anomaly, seriesId } from '../anomaly.ts'
import type { Detector } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { formatDuration, HOUR } from '../duration.ts'
import { InputError } from '../errors.ts'
import { fillHoles } from '../frame/fill-holes.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { create } from '../pipeline/configuration.ts'
import { type Examination, type Examiner, examine } from '../pipeline/examine.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import type { SeriesAnswer } from '../sources/source.ts'
import { readTable } from '../sources/table/read-table.ts'
import { connect, printHints, requireFileOrSource } from './connect/connect.ts'
import type { ConnectOptions } from './connect/options.ts'
import { fileLimit } from './file-limit.ts'
import { makePart } from './part-option.ts'
import { panelTitle, plotSvg } from './plot.ts'
import { printTable } from './table.ts'
import { paint, showProgress, type Terminal } from './terminal.ts'
import { parseLength, parseMoment, roundStep } from './time-option.ts'
import { realWorld } from './world.ts'

export interface DetectCommand extends ConnectOptions {
  readonly file?: string
  readonly url?: string
  readonly expr?: string
  readonly start?: string
  readonly end?: string
  readonly step?: string
  readonly detector: readonly string[]
  readonly rule: string
  readonly json: boolean
  readonly plot?: string
  /** Bytes. */
  readonly maxSize?: number
}

const PANELS = 24

/** `tidewatch detect`: finds what is odd in a CSV file or in the answer to a query. */
export async function run(options: DetectCommand, terminal: Terminal): Promise<void> {
  const { out, err } = terminal
  const { file } = options
  const examiners = options.detector.map((text): Examiner => {
    const { made, type } = makePart(detectors, '--detector', text)
    const own = made.missingData && options.rule === 'budget' ? '{ type: threshold, limit: 1 }' : options.rule
    return { name: type, detector: made, rule: makePart(rules, '--rule', own).made }
  })
  const refine = ['merge', 'shape'].map(type => makePart(refiners, 'refine', type).made)
  const { frames: given, warnings, step } = await readSeries(options, terminal)
  // Rows that are absent are missing data too; other detectors judge rows as they are.
  const frames = examiners.some(({ detector }) => detector.missingData) ? given.map(frame => fillHoles(frame, step)) : given
  for (const warning of warnings) err.write(`${paint('yellow', 'warning', err)}: ${warning}\n`)

  const progress = showProgress(err, () => performance.now())
  const examinations: Examination[] = []
  const whole = file === undefined ? undefined : joinColumns(frames)
  const [joint, alone] = [true, false].map(isJoint =>
    examiners.filter(({ detector }) => isJoint === lookedAtTogether(detector, whole)),
  )
  if (whole) examinations.push(...examine(whole, joint!, refine, step))
  for (const [i, frame] of frames.entries()) {
    examinations.push(...examine(frame, alone!, refine, step))
    progress.say(`${i + 1} of ${frames.length} series`)
  }
  progress.end()
  const anomalies = examinations.flatMap(each => each.anomalies).toSorted((a, b) => a.start - b.start)
  if (options.plot !== undefined) {
    const shown = examinations.toSorted((a, b) => strongest(b) - strongest(a)).slice(0, PANELS)
    await writeFile(
      options.plot,
      plotSvg(shown.map(examination => ({ title: panelTitle(examination.scores.labels, 'value'), examination }))),
    )
    err.write(`${options.plot} shows ${shown.length} of ${examinations.length} panels\n`)
  }
  if (options.json) out.write(`${JSON.stringify({ series: frames.length, step, warnings, anomalies }, null, 2)}\n`)
  else out.write(printAnomalies(anomalies, frames.length, terminal))
}

/** All columns of a file as one frame; undefined when there is one only. */
function joinColumns(frames: readonly Frame<'value'>[]): Frame | undefined {
  if (frames.length < 2) return undefined
  const columns = Object.fromEntries(frames.map(({ labels, columns: { value } }) => [labels.column!, value]))
  return { labels: {}, times: frames[0]!.times, columns }
}

function lookedAtTogether({ multivariate }: Detector, whole: Frame | undefined): boolean {
  return whole !== undefined && multivariate === true
}

function strongest({ anomalies }: Examination): number {
  return Math.max(0, ...anomalies.map(anomaly => anomaly.strength))
}

function printAnomalies(anomalies: readonly Anomaly[], series: number, { out }: Terminal): string {
  const among = `${series} series`
  if (anomalies.length === 0) return `Nothing odd in ${among}.\n`
  const rows = anomalies.map(({ start, end, ongoing, detector, shape = '', strength, sentence, labels }) => [
    new Date(start).toISOString().replace(/\.000Z$/, 'Z'),
    `${formatDuration(end - start)}${ongoing ? ' …' : ''}`,
    detector,
    shape,
    `${Number(strength.toPrecision(2))}×`,
    sentence ?? seriesId(labels),
  ])
  const count = `${anomalies.length} ${anomalies.length === 1 ? 'anomaly' : 'anomalies'} in ${among}`
  return `${printTable(['START', 'LENGTH', 'DETECTOR', 'SHAPE', 'STRENGTH', 'WHAT'], rows)}${paint('dim', `${count}; strength 1 is the limit of the rule`, out)}\n`
}

interface Series {
  readonly frames: readonly Frame<'value'>[]
  readonly warnings: readonly string[]
  readonly step: number
}

async function readSeries(options: DetectCommand, { err }: Terminal): Promise<Series> {
  const { file, url, expr, start, end, step: stepText, maxSize } = options
  requireFileOrSource(options)
  const { signal } = new AbortController()
  const world = realWorld()
  if (file === undefined) {
    if (expr === undefined) throw new InputError('--url or --source must come with --expr, got none')
    const now = world.now()
    const to = parseMoment('--end', end ?? 'now', now)
    const from = start === undefined ? to - 6 * HOUR : parseMoment('--start', start, now)
    if (from >= to)
      throw new InputError(`--start must be before --end, got ${new Date(from).toISOString()} and ${new Date(to).toISOString()}`)
    const step = stepText === undefined ? roundStep(to - from, 5000) : parseLength('--step', stepText)
    const { source, hints } = await connect(url, '--url', options, world)
    printHints(hints, err)
    return { ...tidy(await source.read({ expr, range: { start: from, end: to + 1 }, step }, signal)), step }
  }
  const table = await readTable(file, fileLimit(maxSize))
  if (table.times.length === 0) return { frames: [], warnings: table.warnings, step: 1 }
  const [first, last] = extremes(table.times)
  const step = stepText === undefined ? (table.step > 0 ? table.step : 1000) : parseLength('--step', stepText)
  const from = start === undefined ? first : parseMoment('--start', start, last)
  const to = end === undefined ? last + 1 : parseMoment('--end', end, last)
  const known = Object.keys(table.columns)
  const wanted = expr === undefined || expr === '*' ? known : expr.split(',').map(name => name.trim())
  for (const name of wanted)
    if (!known.includes(name))
      throw new InputError(`--expr must be of the columns ${known.join(', ')}; got ${JSON.stringify(name)}`)
  if (stepText === undefined && isGrid(table.times)) {
    const frames = wanted.map(column => {
      const kept = Array.from(table.times.keys()).filter(i => table.times[i] >= from && table.times[i] < to)
      return fromValues(
        kept.map(i => table.times[i]),
        kept.map(i => table.columns[column][i]),
        { column },
      )
    })
    return { frames, warnings: table.warnings, step }
  }
  const source = create(sources, { type: 'csv', path: resolve(file) }, { ...world, folder: process.cwd() })
  return { ...tidy(await source.read({ expr: wanted.join(','), range: { start: from, end: to }, step }, signal)), step }
}

function tidy({ frames, warnings }: SeriesAnswer) {
  return { frames, warnings }
}

/** Rows that ascend are judged as they are, whatever their distances. */
function isGrid(times: Float64Array): boolean {
  return times.every((time, i) => i === 0 || time > times[i - 1])
}

function extremes(times: Float64Array): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const time of times) {
    if (time < low) low = time
    if (time > high) high = time
  }
  return [low, high]
}
