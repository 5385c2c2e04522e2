import { component } from '../component.ts'
import { SourceError } from '../errors.ts'
import { asker } from './prometheus-api/ask.ts'
import { checkCounters } from './prometheus-api/check-counters.ts'
import { fromInstant, joiner } from './prometheus-api/join.ts'
import { options } from './prometheus-api/options.ts'
import { splitGrid } from './prometheus-api/split.ts'
import type { Source, SourceNeeds } from './source.ts'
import { checkStep } from './table/answering.ts'
import { gridOf } from './table/series.ts'

/**
 * Any server with the HTTP API of Prometheus. `expr` is PromQL, or the dialect of the server. Long ranges are asked in pieces and joined; a
 * series that is absent, for all of the range or a part, is NaN there. Infinities are NaN.
 */
export const prometheus = component<Source, typeof options, SourceNeeds>({
  type: 'prometheus',
  summary: 'Prometheus, VictoriaMetrics, Thanos, Mimir and others with their HTTP API.',
  config: options,
  examples: [
    { url: 'http://127.0.0.1:9090' },
    {
      url: 'https://metrics.example/prometheus',
      headers: { 'X-Scope-OrgID': 'team-dns' },
      basicAuth: { username: 'tidewatch', passwordFile: 'password' },
      tls: { caFile: 'ca.pem' },
      timeout: '1m',
      concurrency: 8,
      partial: 'warn',
    },
  ],
  create(options, needs) {
    const ask = asker(options, needs)
    return {
      async read({ expr, range, step }, signal) {
        signal.throwIfAborted()
        const times = gridOf(range, checkStep(step))
        const warnings = new Set(checkCounters(expr))
        const requests: string[] = []
        const join = joiner(times)
        await together(splitGrid(times.length, step, options), signal, async (piece, at, signal) => {
          const reply = await ask(
            'query_range',
            {
              query: expr,
              start: seconds(times[piece.from]),
              end: seconds(times[piece.to - 1]),
              step: seconds(step),
              timeout: seconds(options.timeout),
            },
            signal,
          )
          for (const text of reply.warnings) warnings.add(text)
          requests[at] = reply.request
          addressed(options.url, reply.request, () => join.add(reply.data, piece))
        })
        return { frames: join.frames(), warnings: [...warnings], requests }
      },
      async latest({ expr, time }, signal) {
        const { data, warnings, request } = await ask(
          'query',
          { query: expr, time: seconds(time), timeout: seconds(options.timeout) },
          signal,
        )
        const frames = addressed(options.url, request, () => fromInstant(data, time))
        return { frames, warnings, requests: [request] }
      },
      async names(signal) {
        const { data, request } = await ask('label/__name__/values', {}, signal)
        return addressed(options.url, request, () => {
          if (!Array.isArray(data))
            throw new SourceError('must answer with a list of names, got something else', { retryable: false })
          return data.map(String).sort()
        })
      },
      async check(signal) {
        await ask('query', { query: '1' }, signal)
      },
    }
  },
})

/** Epoch seconds, as the API wants times and durations. */
function seconds(ms: number): string {
  return String(ms / 1000)
}

/** Runs one task for each item; when one fails, the others are aborted and its error is thrown. */
async function together<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  task: (item: Item, at: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    await Promise.all(items.map((item, at) => task(item, at, either)))
  } catch (error) {
    stop.abort()
    throw error
  }
}

/** Adds to a fault of the answer where it came from. */
function addressed<Value>(url: string, request: string, parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    throw new SourceError(`prometheus at ${url} ${error.message}`, { retryable: error.retryable, requests: [request] })
  }
}
