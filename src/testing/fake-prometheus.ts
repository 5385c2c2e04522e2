import { type Labels, seriesId } from '../anomaly.ts'

/** A request as the fake saw it; header names in lower case. */
export interface FakeRequest {
  readonly method: string
  /** `/api/v1/query_range` */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** What the fake does with a request: answer, break (`Error`), or never answer (`'hang'`). */
export type FakeAnswer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }
  | Error
  | 'hang'

/** A series of the fake world; `value` gives undefined where there is no sample. */
export interface FakeSeries {
  readonly labels: Labels
  value(time: number): number | undefined
}

/** A scripted `fetch` and what it was asked. */
export interface FakePrometheus {
  readonly fetch: typeof fetch
  readonly requests: readonly FakeRequest[]
  /** Requests under way now, and the most there were at once. */
  readonly load: { now: number; most: number }
}

/** Makes a `fetch` that answers by a script: a list of answers in order (the last one stays), or a function. Aborts as fetch does. */
export function fakePrometheus(
  script: readonly FakeAnswer[] | ((request: FakeRequest, at: number) => FakeAnswer),
): FakePrometheus {
  const requests: FakeRequest[] = []
  const load = { now: 0, most: 0 }
  const decide = typeof script === 'function' ? script : (_: FakeRequest, at: number) => script[Math.min(at, script.length - 1)]
  const send = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal
    signal?.throwIfAborted()
    const url = new URL(String(input))
    const form = init.method === 'POST' ? new URLSearchParams(String(init.body)) : url.searchParams
    const request: FakeRequest = {
      method: init.method ?? 'GET',
      path: url.pathname,
      params: Object.fromEntries(form),
      headers: Object.fromEntries(new Headers(init.headers)),
    }
    requests.push(request)
    load.most = Math.max(load.most, ++load.now)
    try {
      const answer = decide(request, requests.length - 1)
      await pause(signal, answer === 'hang')
      if (answer instanceof Error) throw new TypeError('fetch failed', { cause: answer })
      if (answer === 'hang') throw new Error('hang must end by abort')
      const { status = 200, headers = {}, body } = answer
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
    } finally {
      load.now--
    }
  }
  return { fetch: send as typeof fetch, requests, load }
}

/** One turn of the event loop, or for ever; rejects with the reason of the signal. */
function pause(signal: AbortSignal | null | undefined, forEver: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (!forEver) setImmediate(resolve)
  })
}

/**
 * A script that behaves like a server with these series, whichever query is asked: range, instant and names, at the times asked for, over
 * 11,001 points an error, POST and GET.
 */
export function serveSeries(series: readonly FakeSeries[]): (request: FakeRequest) => FakeAnswer {
  return ({ path, params }) => {
    if (path.endsWith('/query_range')) return serveRange(series, params)
    if (path.endsWith('/query')) {
      if (params.query === '1') return success({ resultType: 'scalar', result: [0, '1'] })
      const time = Number(params.time)
      const result = series.flatMap(({ labels, value }) => {
        const sample = value(time * 1000)
        return sample === undefined ? [] : [{ metric: labels, value: [time, print(sample)] }]
      })
      return success({ resultType: 'vector', result })
    }
    if (path.endsWith('/label/__name__/values'))
      return success([...new Set(series.map(({ labels }) => labels.__name__ ?? seriesId(labels)))].sort())
    return { status: 404, body: 'page not found' }
  }
}

function serveRange(series: readonly FakeSeries[], params: Readonly<Record<string, string>>): FakeAnswer {
  const [start, end, step] = [params.start, params.end, params.step].map(text => Number(text) * 1000)
  if ((end - start) / step > 11_000)
    return failure(
      400,
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution',
    )
  const result = series.flatMap(({ labels, value }) => {
    const values: [number, string][] = []
    for (let i = 0; start + i * step <= end; i++) {
      const sample = value(start + i * step)
      if (sample !== undefined) values.push([(start + i * step) / 1000, print(sample)])
    }
    return values.length === 0 ? [] : [{ metric: labels, values }]
  })
  return success({ resultType: 'matrix', result })
}

/** The body of an answer that went well; `beside` adds warnings, infos or isPartial. */
export function success(data: unknown, beside: Readonly<Record<string, unknown>> = {}): { status: number; body: unknown } {
  return { status: 200, body: { status: 'success', data, ...beside } }
}

/** An error as the API tells it. */
export function failure(status: number, errorType: string, error: string, headers: Record<string, string> = {}): FakeAnswer {
  return { status, headers, body: { status: 'error', errorType, error } }
}

function print(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}
