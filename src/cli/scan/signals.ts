import { type BadSide, findGeneration, flowsFor } from '../../packs/coredns.ts'
import type { Source } from '../../sources/source.ts'
import { selectMetric } from '../../sources/table/selector.ts'
import type { History } from './discover.ts'

/** One question of a scan; gives one or many series. */
export interface Signal {
  readonly id: string
  readonly summary: string
  readonly expr: string
  readonly unit?: string
  readonly bad: BadSide
  readonly severity: 'critical' | 'warning' | 'info'
  /** A value that means down; for `up`. */
  readonly down?: number
}

/** The signals worth a look, best first: those of known products, `up`, and of what remains the `limit` most telling metrics by job. */
export async function chooseSignals(
  source: Source,
  names: readonly string[],
  { window, step, range }: History,
  limit: number,
  signal: AbortSignal,
): Promise<readonly Signal[]> {
  const chosen: Signal[] = []
  if (findGeneration(names)) {
    const selector = await jobSelector(source, names, range.end - 1, signal)
    chosen.push(...flowsFor({ names, selector, source: 'prometheus', step, window }))
  }
  if (names.includes('up'))
    chosen.push({ id: 'up', summary: 'Targets that can be scraped', expr: 'up', bad: 'down', severity: 'critical', down: 0 })
  return [...chosen, ...genericSignals(names, window).slice(0, limit)]
}

/** The jobs that export CoreDNS metrics, as a matcher; empty when they have no job. */
async function jobSelector(source: Source, names: readonly string[], time: number, signal: AbortSignal): Promise<string> {
  const probe = ['coredns_build_info', 'coredns_dns_requests_total', 'coredns_dns_request_count_total'].find(name =>
    names.includes(name),
  )
  if (!probe) return ''
  const { frames } = await source.latest({ expr: `count by (job) (last_over_time(${probe}[1h]))`, time }, signal)
  const jobs = [...new Set(frames.map(({ labels }) => labels.job ?? ''))].filter(job => job !== '')
  if (jobs.length === 0) return ''
  if (jobs.length === 1) return `job=${JSON.stringify(jobs[0])}`
  return `job=~${JSON.stringify(jobs.map(job => job.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'))}`
}

/** Metrics about the making of metrics, and those the pack of a product looks at. */
const SKIPPED =
  /^(coredns_|scrape_|promhttp_|prometheus_|net_conntrack_|alertmanager_|ALERTS|go_(?!goroutines$)|process_(?!resident_memory_bytes$|cpu_seconds_total$))/
const TELLING = /error|fail|drop|reject|timeout|retr|panic|5xx|latency|duration|request|response|queue|pending/

/** Counters as rates, histograms as means, the rest as averages; names that tell of trouble first. */
export function genericSignals(names: readonly string[], window: string): readonly Signal[] {
  const known = new Set(names)
  const signals: Signal[] = []
  for (const name of names) {
    if (SKIPPED.test(name) || name === 'up' || name.includes(':')) continue
    const base = name.replace(/_(bucket|sum|count|total)$/, '')
    if (name.endsWith('_bucket')) continue
    if (name.endsWith('_sum') && known.has(`${base}_count`)) {
      const expr = `sum by (job) (rate(${selectMetric(name)}[${window}])) / sum by (job) (rate(${selectMetric(`${base}_count`)}[${window}]))`
      const unit = base.endsWith('_seconds') ? 's' : base.endsWith('_bytes') ? 'bytes' : undefined
      signals.push(describe(`${base}_mean`, `Mean of ${base}`, expr, unit, 'up'))
    } else if (name.endsWith('_total') || (name.endsWith('_count') && known.has(`${base}_sum`))) {
      const unit = name === 'process_cpu_seconds_total' ? 'cores' : name.endsWith('_bytes_total') ? 'bytes' : '1/s'
      signals.push(
        describe(
          `${base}_rate`,
          `${base} per second`,
          `sum by (job) (rate(${selectMetric(name)}[${window}]))`,
          unit,
          TELLING.test(name) && /error|fail|drop|reject|panic|5xx/.test(name) ? 'up' : 'both',
        ),
      )
    } else if (
      !/_(created|info|timestamp_seconds|time_seconds|config_hash)$/.test(name) &&
      !(name.endsWith('_count') || name.endsWith('_sum'))
    ) {
      const unit = name.endsWith('_bytes')
        ? 'bytes'
        : name.endsWith('_seconds')
          ? 's'
          : name.endsWith('_ratio')
            ? 'ratio'
            : undefined
      signals.push(describe(name, name, `avg by (job) (${selectMetric(name)})`, unit, 'both'))
    }
  }
  const rank = ({ id }: Signal) => (TELLING.test(id) ? 0 : /^(go|process)_/.test(id) ? 1 : 2)
  return signals.toSorted((a, b) => rank(a) - rank(b))
}

function describe(id: string, summary: string, expr: string, unit: string | undefined, bad: BadSide): Signal {
  return { id, summary, expr, bad, severity: 'info', ...(unit === undefined ? {} : { unit }) }
}
