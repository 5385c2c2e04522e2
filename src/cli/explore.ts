import { writeFile } from 'node:fs/promises'
import { InputError } from '../errors.ts'
import type { World } from '../execution/world.ts'
import { connect, printHints, requireFileOrSource } from './connect/connect.ts'
import type { ConnectOptions } from './connect/options.ts'
import { checkQueries, type Query, readQueries } from './explore/check-queries.ts'
import { BASES, type Basis } from './explore/prepare.ts'
import { printReport, reportJson } from './explore/print.ts'
import { type Collection, readFileSeries, readSourceSeries, secondsOf } from './explore/read-series.ts'
import { explore } from './explore/report.ts'
import { paint, showProgress, type Terminal } from './terminal.ts'
import { parseLength } from './time-option.ts'
import { realWorld } from './world.ts'

export interface ExploreCommand extends ConnectOptions {
  readonly file?: string
  readonly url?: string
  readonly match?: string
  readonly job?: string
  readonly since?: string
  readonly step?: string
  readonly maxLag?: string
  readonly on: string
  readonly rank: boolean
  readonly least: number
  readonly redundant: number
  readonly queries: readonly string[]
  readonly limit: number
  readonly json: boolean
  readonly html?: string
  /** Bytes of a file. */
  readonly maxSize?: number
}

/** `tidewatch explore`: what the series of a file or of a Prometheus have to do with each other, and which are of no use. */
export async function run(options: ExploreCommand, terminal: Terminal, world: World = realWorld()): Promise<void> {
  const { out, err } = terminal
  if (!BASES.includes(options.on as Basis))
    throw new InputError(`--on must be one of ${BASES.join(', ')}, got ${JSON.stringify(options.on)}`)
  const progress = showProgress(err, world.now)
  const queries = (await Promise.all(options.queries.map(readQueries))).flat()
  const { collection, faults, place } = await readAll(options, queries, world, terminal, text => progress.say(text))
  const report = explore(
    collection,
    {
      basis: options.on as Basis,
      rank: options.rank,
      least: options.least,
      redundant: options.redundant,
      ...(options.maxLag === undefined ? {} : { maxLag: parseLength('--max-lag', options.maxLag) }),
      say: text => progress.say(text),
    },
    { faults, checked: queries.length },
  )
  progress.end()
  if (options.html !== undefined) {
    const { pageOf } = await import('./explore/page.ts')
    await writeFile(options.html, pageOf(report, { title: place, now: world.now() }))
  }
  if (options.json) out.write(`${JSON.stringify(reportJson(report), null, 2)}\n`)
  else out.write(printReport(report, terminal))
  for (const warning of report.warnings) err.write(`${paint('yellow', 'warning', err)}: ${warning}\n`)
  if (options.html !== undefined) err.write(`${options.html} shows it with plots\n`)
}

async function readAll(
  options: ExploreCommand,
  queries: readonly Query[],
  world: World,
  { err }: Terminal,
  say: (text: string) => void,
) {
  const { file, url, match, job, limit } = options
  requireFileOrSource(options)
  const times = {
    ...(options.since === undefined ? {} : { since: parseLength('--since', options.since) }),
    ...(options.step === undefined ? {} : { step: parseLength('--step', options.step) }),
  }
  if (file !== undefined) {
    if (match !== undefined || job !== undefined)
      throw new InputError('--match and --job must come with --url or --source, got FILE')
    const collection = await readFileSeries(file, { ...times, limit, maxSize: options.maxSize })
    return { collection, faults: await checkQueries(queries, collection.names), place: file }
  }
  if ((match === undefined) === (job === undefined)) throw new InputError('must have either --match or --job, got both or none')
  const { source, url: place, hints } = await connect(url, '--url', options, world)
  printHints(hints, err)
  const { signal } = new AbortController()
  await source.check(signal)
  say('asking what is there')
  const selector = match ?? `{job=${JSON.stringify(job)}}`
  const collection: Collection = await readSourceSeries(source, selector, { ...times, limit, now: world.now(), say }, signal)
  if (collection.series.length === 0) throw new InputError(`must select series that had data, got none for ${selector}`)
  const time = collection.times.at(-1)!
  const seconds = secondsOf({ start: collection.times[0], end: time })
  const faults = await checkQueries(queries, collection.names, { source, time, seconds, signal })
  return { collection, faults, place: `${selector} of ${place}` }
}
