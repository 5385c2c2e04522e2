import { type Labels, seriesId } from '../anomaly.ts'
import { InputError, SourceError } from '../errors.ts'
import type { ModelListWire, ModelWire } from '../server/wire.ts'
import { parseSeriesId } from '../sources/table/selector.ts'
import { printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  readonly url: string
  readonly flow?: string
  readonly limit: number
  readonly json: boolean
}

/** `tidewatch models`: what the detectors of a running service have learned. */
export async function list({ url, flow, limit, json }: ListOptions, { out, err }: Terminal): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(flow === undefined ? {} : { flow }) })
  const { models, total } = (await ask(url, `models?${query}`)) as ModelListWire
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

export interface RestoreOptions {
  readonly url: string
  readonly flow: string
  readonly detector: string
  readonly version: number
  /** `job="dns",zone="a"`, with braces or without. */
  readonly workload?: string
}

/** `tidewatch models restore`: puts an earlier model in force again. */
export async function restore({ url, flow, detector, version, workload }: RestoreOptions, { out }: Terminal): Promise<void> {
  const path = `models/${encodeURIComponent(flow)}/${encodeURIComponent(detector)}/${version}/restore`
  const model = (await ask(url, path, workload === undefined ? {} : { workload: parseWorkload(workload) })) as ModelWire
  out.write(
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
async function ask(url: string, path: string, body?: object): Promise<unknown> {
  const base = (/^https?:\/\//.test(url) ? url : `http://${url}`).replace(/\/+$/, '')
  if (!URL.canParse(base)) throw new InputError(`--url must be an address like http://127.0.0.1:9797, got ${JSON.stringify(url)}`)
  let response: Response
  try {
    response = await fetch(`${base}/api/v1/${path}`, {
      signal: AbortSignal.timeout(PATIENCE),
      ...(body ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}),
    })
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    throw new SourceError(`${base} must be a running Tidewatch, got ${code ?? message}`, { retryable: true })
  }
  const answer = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined
  if (response.ok && answer) return answer
  const said = answer?.error?.message ?? `status ${response.status} from something else than Tidewatch`
  if (response.status >= 400 && response.status < 500 && answer?.error) throw new InputError(said)
  throw new SourceError(`${base} must answer, got ${said}`, { retryable: true })
}
