import { SourceError } from '../errors.ts'
import type { Answer, Query, Reader } from '../pipeline/pipeline.ts'
import type { Source } from '../sources/source.ts'
import type { Diagnostic, Store } from '../stores/store.ts'

/** The door to the configured sources and the store. The same question asked twice at once is asked once. */
export function openReader(sources: Readonly<Record<string, Source>>, store: Store): Reader {
  const asked = new Map<string, Promise<unknown>>()
  const answer = async (query: Query, signal: AbortSignal): Promise<unknown> => {
    if (query.kind === 'snapshots') return store.snapshots(query.flow)
    if (query.kind === 'models') return store.modelsInForce(query.flow)
    if (query.kind === 'anomalies') return store.anomalies(query.filter)
    const source = sources[query.source]
    if (!source)
      throw new SourceError(`source must be one of ${Object.keys(sources).join(', ')}, got ${query.source}`, { retryable: false })
    const { frames, warnings, requests } = await source.read(query, signal)
    const diagnostics: Diagnostic[] = requests.slice(0, 1).map(request => ({ level: 'info', message: 'query', request }))
    for (const message of warnings) diagnostics.push({ level: 'warning', message })
    return { frames, diagnostics }
  }
  return {
    read<Q extends Query>(query: Q, signal: AbortSignal) {
      const key = JSON.stringify(query)
      const running = asked.get(key) ?? answer(query, signal).finally(() => asked.delete(key))
      asked.set(key, running)
      return running as Promise<Answer<Q>>
    },
  }
}
