import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { SourceError } from '../errors.ts'
import { asker } from './prometheus-api/ask.ts'
import { fromInstant } from './prometheus-api/join.ts'
import { options } from './prometheus-api/options.ts'
import { addressed, readRange } from './prometheus-api/read-range.ts'
import { seconds } from './prometheus-api/seconds.ts'
import { targetQuery, toTargets } from './prometheus-api/targets.ts'
import type { Source, SourceNeeds } from './source.ts'

/** A metric without samples for longer is named no more. */
const NAMED = 31 * DAY

/**
 * Any server with the HTTP API of Prometheus. `expr` is PromQL, or the dialect of the server. Long ranges are asked in pieces and joined; a
 * series that is absent, for all of the range or a part, is NaN there; samples that are NaN themselves are marked. What is no number is unknown,
 * with a warning.
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
    const latest: Source['latest'] = async ({ expr, time }, signal) => {
      const params = { query: expr, time: seconds(time), timeout: seconds(options.timeout) }
      const reply = await ask('query', params, { kind: 'instant', limits: options }, signal)
      const { frames, warnings } = addressed(options.url, [reply.request], () => fromInstant(reply.series!, time))
      return { frames, warnings: [...reply.warnings, ...warnings], requests: [reply.request] }
    }
    return {
      read: (query, signal) => readRange(query, ask, options, signal),
      latest,
      async targets(series, time, signal) {
        const expr = targetQuery(series)
        return expr === undefined ? [] : toTargets((await latest({ expr, time }, signal)).frames)
      },
      async names(signal) {
        // Without a range a current VictoriaMetrics names what the last day had.
        const range = { start: seconds(needs.now() - NAMED), end: seconds(needs.now()) }
        const { data, request } = await ask('label/__name__/values', range, { kind: 'json' }, signal)
        return addressed(options.url, [request], () => {
          if (!Array.isArray(data))
            throw new SourceError('must answer with a list of names, got something else', { retryable: false })
          return data.map(String).sort()
        })
      },
      async check(signal) {
        await ask('query', { query: '1' }, { kind: 'json' }, signal)
      },
    }
  },
})
