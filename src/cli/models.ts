import { type Labels, seriesId } from '../anomaly.ts'
import { InputError, SourceError } from '../errors.ts'
import type { HttpAnswer } from '../http/client.ts'
import { HttpError } from '../http/http-error.ts'
import type { ModelListWire, ModelWire } from '../server/wire.ts'
import { parseSeriesId } from '../sources/table/selector.ts'
import { connectToService, printHints } from './connect/connect.ts'
import type { ConnectOptions } from './connect/options.ts'
import { nameFlags } from './connect/read-flags.ts'
import { printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Where the service is, and who asks. */
interface Access extends ConnectOptions {
  readonly url: string
}

export interface ListOptions extends Access {
  readonly flow?: string
  readonly limit: number
  readonly json: boolean
}

/** `tidewatch models`: what the detectors of a running service have learned. */
export async function list(options: ListOptions, terminal: Terminal): Promise<void> {
  const { flow, limit, json } = options
  const { out, err } = terminal
  const query = new URLSearchParams({ limit: String(limit), ...(flow === undefined ? {} : { flow }) })
  const { models, total } = (await ask(options, `models?${query}`, terminal)) as ModelListWire
  if (json) {
    out.write(`${JSON.stringify({ models, total }, null, 2)}\n`)
    return
  }
  if (models.length === 0) {
    err.write('no model was fitted yet; flows with a learned detector (lstm, boosted-trees, …) get one after their warm-up\n')
    return
  }
  const header = [
    'flow',
    'detector',
    'workload',
    'version',
    'status',
    'reason',
    'made',
    'rows',
    'error',
    'error before',
    'seconds',
  ]
  out.write(printTable(header, models.map(row)))
  if (total > models.length) err.write(`${total - models.length} older ones are not shown; see --limit\n`)
}

export interface RestoreOptions extends Access {
  readonly flow: string
  readonly detector: string
  readonly version: number
  /** `job="dns",zone="a"`, with braces or without. */
  readonly workload?: string
}

/** `tidewatch models restore`: puts an earlier model in force again. */
export async function restore(options: RestoreOptions, terminal: Terminal): Promise<void> {
  const { flow, detector, version, workload } = options
  const path = `models/${encodeURIComponent(flow)}/${encodeURIComponent(detector)}/${version}/restore`
  const body = workload === undefined ? {} : { workload: parseWorkload(workload) }
  const model = (await ask(options, path, terminal, body)) as ModelWire
  terminal.out.write(
    `model ${model.version} of ${model.detector} for ${seriesId(model.workload)} is in force from the next run of ${model.flow} on\n`,
  )
}

function row(model: ModelWire): string[] {
  const { flow, detector, series, version, status, usable, reason, createdAt, rows, validation, current, seconds } = model
  return [
    flow,
    detector,
    series,
    String(version),
    usable ? status : `${status}, of another configuration`,
    reason,
    `${new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ')}Z`,
    String(rows),
    short(validation),
    short(current),
    short(seconds),
  ]
}

const short = (value: number | null) => (value === null ? '' : String(Number(value.toPrecision(3))))

/** `{a="1"}`, `name{a="1"}`, `name`, or `a="1",b="2"`. */
function parseWorkload(text: string): Labels {
  const trimmed = text.trim()
  const labels = /^[A-Za-z_:][\w:]*$/.test(trimmed)
    ? { __name__: trimmed }
    : parseSeriesId(trimmed.includes('{') ? trimmed : `{${trimmed}}`)
  if (labels) return labels
  throw new InputError(`--workload must be labels like 'job="dns",zone="a"', got ${JSON.stringify(text)}`)
}

const PATIENCE = 30_000

/** What the API of a running service answers; its refusals are `InputError`s, no answer at all is a `SourceError`. */
async function ask(access: Access, path: string, { err }: Terminal, body?: object): Promise<unknown> {
  const { client, url, hints, advice } = connectToService(access.url, access, fetch, PATIENCE)
  printHints(hints, err)
  const { signal } = new AbortController()
  const request = body
    ? { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    : { method: 'GET' as const }
  try {
    const answer = await client({ ...request, url: `${url}/api/v1/${path}` }, signal)
    const { bytes } = await answer.read()
    return understand(answer, parse(new TextDecoder().decode(bytes)), url, advice)
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw new SourceError(`${url} must be a running Tidewatch, got ${nameFlags(error.message)}`, { retryable: true })
  }
}

interface ApiAnswer {
  readonly error?: { readonly message?: string }
}

function understand({ ok, status, redact }: HttpAnswer, answer: ApiAnswer | undefined, url: string, advice: string): unknown {
  if (ok && answer) return answer
  const said = redact(answer?.error?.message ?? `status ${status} from something else than Tidewatch`)
  if (status === 401 || status === 403) throw new InputError(`${url} refused: ${said}; ${advice}`)
  if (status >= 400 && status < 500 && answer?.error) throw new InputError(said)
  throw new SourceError(`${url} must answer, got ${said}`, { retryable: true })
}

function parse(text: string): ApiAnswer | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
