import { SourceError } from '../errors.ts'
import type { Answer, Query, Reader } from '../pipeline/pipeline.ts'
import type { Source } from '../sources/source.ts'
import type { Diagnostic, Store } from '../stores/store.ts'

/** One request that several clients may wait for. It is aborted when the last of them has given up. */
interface SharedRequest {
  readonly answer: Promise<unknown>
  readonly abort: AbortController
  waiting: number
}

/** The door to the configured sources and the store. The same question asked twice at once is asked once. */
export function openReader(sources: Readonly<Record<string, Source>>, store: Store): Reader {
  const running = new Map<string, SharedRequest>()
  const ask = async (query: Query, signal: AbortSignal): Promise<unknown> => {
    if (query.kind === 'snapshots') return store.snapshots(query.flow)
    if (query.kind === 'models') return store.modelsInForce(query.flow)
    if (query.kind === 'anomalies') return store.anomalies(query.filter)
    const source = sources[query.source]
    if (!source)
      throw new SourceError(`source must be one of ${Object.keys(sources).join(', ')}, got ${query.source}`, { retryable: false })
    if (query.kind === 'targets') return (await source.targets?.(query.series, query.time, signal)) ?? []
    const { frames, warnings, requests } = await source.read(query, signal)
    const diagnostics: Diagnostic[] = requests.slice(0, 1).map(request => ({ level: 'info', message: 'query', request }))
    for (const message of warnings) diagnostics.push({ level: 'warning', message })
    return { frames, diagnostics }
  }
  const start = (key: string, query: Query): SharedRequest => {
    const abort = new AbortController()
    const answer = ask(query, abort.signal).finally(() => {
      if (running.get(key) === request) running.delete(key)
    })
    const request: SharedRequest = { answer, abort, waiting: 0 }
    running.set(key, request)
    return request
  }
  return {
    async read<Q extends Query>(query: Q, signal: AbortSignal) {
      signal.throwIfAborted()
      const key = JSON.stringify(query)
      const request = running.get(key) ?? start(key, query)
      request.waiting++
      try {
        return (await untilAborted(request.answer, signal)) as Answer<Q>
      } finally {
        request.waiting--
        if (request.waiting === 0 && running.get(key) === request) {
          // Whoever asks the same from now on must not get the answer of an aborted request.
          running.delete(key)
          request.abort.abort(signal.reason)
        }
      }
    },
  }
}

/** The result of the work, or the reason of the signal as soon as it aborts. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
