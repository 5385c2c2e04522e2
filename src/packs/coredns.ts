import type { Part } from '../pipeline/configuration.ts'

/** Which side of what is expected is bad news. */
export type BadSide = 'up' | 'down' | 'both'

/** One ready-made signal of a product: a query that gives one series, and what a change of it means. */
export interface PackSignal {
  /** Unique in the pack; the name of the flow. */
  readonly id: string
  /** Its name in a sentence: `… is 0.4, usually 0.01`. */
  readonly title: string
  /** What it is and what a change of it means, for people. */
  readonly summary: string
  readonly expr: string
  /** `1/s`, `ratio`, `s`, `bytes`, `cores` or `count`. */
  readonly unit: string
  readonly bad: BadSide
  /** Smallest distance from what was expected that matters to people, in the unit; 0: any. */
  readonly least: number
  /** `info` is shown and tells nobody: load that only grew is no fault. */
  readonly severity: 'critical' | 'warning' | 'info'
}

/** Refiners of the flow of a signal: what is close together is one, it is named and said in its unit, and good or small news tells nobody. */
export function refinersFor({ title, unit, bad, least }: PackSignal, gap?: string): readonly Part[] {
  return [
    { type: 'merge', ...(gap === undefined ? {} : { gap }) },
    { type: 'shape', unit, summary: title },
    ...(bad === 'both' ? [] : [{ type: 'side', bad }]),
    ...(least === 0 ? [] : [{ type: 'minimum-difference', difference: least }]),
  ]
}

/** A signal with the source and step (ms) to ask it by. */
export interface PackFlow extends PackSignal {
  readonly source: string
  readonly step: number
}

/**
 * Names of metrics as CoreDNS had them: until 1.6 (`_count_total`), from 1.7 (`coredns_forward_…`), and from 1.11 (`coredns_proxy_…`).
 * Releases are in its notes `coredns-1.7.0.md` and `coredns-1.11.0.md`.
 */
export type Generation = '1.6' | '1.7' | '1.11'
export const GENERATIONS: readonly Generation[] = ['1.11', '1.7', '1.6']

/**
 * The newest generation among the names; undefined when no CoreDNS is there. The newest, because a source remembers the old names long after an
 * upgrade. A server of 1.7 or later that has not forwarded anything yet counts as 1.11.
 */
export function findGeneration(names: readonly string[]): Generation | undefined {
  const known = new Set(names)
  if (names.some(name => name.startsWith('coredns_proxy_'))) return '1.11'
  if (known.has('coredns_forward_requests_total')) return '1.7'
  if (known.has('coredns_dns_requests_total')) return '1.11'
  if (known.has('coredns_dns_request_count_total')) return '1.6'
  return undefined
}

interface Names {
  readonly requests: string
  readonly responses: string
  readonly panics: string
  readonly allDown: string
  readonly rejects: string
  /** Exchanges with upstreams that were answered. */
  readonly upstream: string
  readonly upstreamLatency: string
  readonly checkFailures: string
  /** Matcher that keeps other users of the upstream metrics out. */
  readonly forward: string
}

const NAMES: Readonly<Record<Generation, Names>> = {
  '1.11': {
    requests: 'coredns_dns_requests_total',
    responses: 'coredns_dns_responses_total',
    panics: 'coredns_panics_total',
    allDown: 'coredns_forward_healthcheck_broken_total',
    rejects: 'coredns_forward_max_concurrent_rejects_total',
    upstream: 'coredns_proxy_request_duration_seconds_count',
    upstreamLatency: 'coredns_proxy_request_duration_seconds',
    checkFailures: 'coredns_proxy_healthcheck_failures_total',
    forward: 'proxy_name="forward"',
  },
  '1.7': {
    requests: 'coredns_dns_requests_total',
    responses: 'coredns_dns_responses_total',
    panics: 'coredns_panics_total',
    allDown: 'coredns_forward_healthcheck_broken_total',
    rejects: 'coredns_forward_max_concurrent_rejects_total',
    upstream: 'coredns_forward_requests_total',
    upstreamLatency: 'coredns_forward_request_duration_seconds',
    checkFailures: 'coredns_forward_healthcheck_failures_total',
    forward: '',
  },
  '1.6': {
    requests: 'coredns_dns_request_count_total',
    responses: 'coredns_dns_response_rcode_count_total',
    panics: 'coredns_panic_count_total',
    allDown: 'coredns_forward_healthcheck_broken_count_total',
    rejects: 'coredns_forward_max_concurrent_reject_count_total',
    upstream: 'coredns_forward_request_count_total',
    upstreamLatency: 'coredns_forward_request_duration_seconds',
    checkFailures: 'coredns_forward_healthcheck_failure_count_total',
    forward: '',
  },
}

export interface SignalOptions {
  readonly generation: Generation
  /** Matchers of the CoreDNS series, without braces: `job="coredns"`. */
  readonly selector: string
  /** Window of the rates as Prometheus writes it; at least four scrapes: `1m` for every 15 s. */
  readonly window: string
  /** Whether `coredns_cache_requests_total` (1.8.5) is there; without it hits and misses are added. */
  readonly cacheRequests: boolean
}

/** The signals of one generation, most telling first. Every expression gives at most one series. */
export function signalsOf({ generation, selector, window, cacheRequests }: SignalOptions): readonly PackSignal[] {
  const names = NAMES[generation]
  const matching = (...matchers: string[]) => `{${[selector, ...matchers].filter(each => each !== '').join(',')}}`
  const rate = (name: string, ...matchers: string[]) => `sum(rate(${name}${matching(...matchers)}[${window}]))`
  const forwarded = (name: string) => rate(name, names.forward)
  // Series with labels are not there before their first use: no failure yet is zero failures, but only while there is a server that could fail.
  // `vector(0)` would make a history of zeros for the time before.
  const orZero = (expr: string, alive: string) => `(${expr} or 0 * ${alive})`
  const share = (...codes: string[]) =>
    `${orZero(rate(names.responses, `rcode=~"${codes.join('|')}"`), rate(names.responses))} / ${rate(names.responses)}`
  const slower = (seconds: string) =>
    `1 - ${rate('coredns_dns_request_duration_seconds_bucket', `le="${seconds}"`)} / ${rate('coredns_dns_request_duration_seconds_count')}`
  const hits = rate('coredns_cache_hits_total')
  const lookups = cacheRequests ? rate('coredns_cache_requests_total') : `(${hits} + ${rate('coredns_cache_misses_total')})`
  return [
    {
      id: 'coredns-servfail-ratio',
      title: 'Share of SERVFAIL answers',
      summary: 'Share of answers that say SERVFAIL: the upstream fails, or a plugin has no data',
      expr: share('SERVFAIL'),
      unit: 'ratio',
      bad: 'up',
      least: 0.005,
      severity: 'critical',
    },
    {
      id: 'coredns-up',
      title: 'Number of CoreDNS replicas up',
      summary: 'Replicas that answer their scrape: one that is missing was killed, hangs or is cut off',
      expr: `sum(up${matching()})`,
      unit: 'count',
      bad: 'down',
      least: 0.5,
      severity: 'critical',
    },
    {
      id: 'coredns-slow-ratio',
      title: 'Share of queries slower than 256 ms',
      summary: 'Share of queries slower than 256 ms: users wait for the upstream',
      expr: slower('0.256'),
      unit: 'ratio',
      bad: 'up',
      least: 0.03,
      severity: 'critical',
    },
    {
      id: 'coredns-nxdomain-ratio',
      title: 'Share of NXDOMAIN answers',
      summary: 'Share of answers that say NXDOMAIN: a storm of random names, an attack or a wrong search path',
      expr: share('NXDOMAIN'),
      unit: 'ratio',
      bad: 'up',
      least: 0.05,
      severity: 'warning',
    },
    {
      id: 'coredns-refused-ratio',
      title: 'Share of REFUSED answers',
      summary: 'Share of answers that say REFUSED: too many queries at once, an access rule or a missing zone',
      expr: share('REFUSED'),
      unit: 'ratio',
      bad: 'up',
      least: 0.005,
      severity: 'warning',
    },
    {
      id: 'coredns-cache-hit-ratio',
      title: 'Cache hit ratio',
      summary: 'Share of cache lookups that hit: it falls when names are random, lifetimes short or the cache is gone',
      expr: `${hits} / ${lookups}`,
      unit: 'ratio',
      bad: 'down',
      least: 0.05,
      severity: 'warning',
    },
    {
      id: 'coredns-upstream-latency',
      title: 'Mean latency of the upstream',
      summary: 'Mean time of an answered exchange with the upstream; exchanges that time out are not in it',
      expr: `${forwarded(`${names.upstreamLatency}_sum`)} / ${forwarded(`${names.upstreamLatency}_count`)}`,
      unit: 's',
      bad: 'up',
      least: 0.01,
      severity: 'warning',
    },
    {
      id: 'coredns-upstream-check-failures',
      title: 'Rate of failed upstream health checks',
      summary: 'Failed health checks of upstreams a second: an upstream is down or unreachable',
      expr: orZero(forwarded(names.checkFailures), `sum(up${matching()})`),
      unit: '1/s',
      bad: 'up',
      least: 0.1,
      severity: 'critical',
    },
    {
      id: 'coredns-upstream-all-down',
      title: 'Rate of queries that found every upstream down',
      summary: 'Queries a second that found every upstream down',
      expr: rate(names.allDown),
      unit: '1/s',
      bad: 'up',
      least: 0.05,
      severity: 'critical',
    },
    {
      id: 'coredns-latency',
      title: 'Mean latency of CoreDNS',
      summary: 'Mean time of a query; a storm that is answered locally lowers it, trouble upstream raises it',
      expr: `${rate('coredns_dns_request_duration_seconds_sum')} / ${rate('coredns_dns_request_duration_seconds_count')}`,
      unit: 's',
      bad: 'both',
      least: 0.001,
      severity: 'info',
    },
    {
      id: 'coredns-qps',
      title: 'Query rate',
      summary: 'Queries a second: growth alone is no fault, a fall means that clients are cut off',
      expr: rate(names.requests),
      unit: '1/s',
      bad: 'both',
      least: 1,
      severity: 'info',
    },
    {
      id: 'coredns-upstream-qps',
      title: 'Rate of answers from the upstream',
      summary: 'Answered exchanges with the upstream a second: it falls to nothing when the upstream is a black hole',
      expr: forwarded(names.upstream),
      unit: '1/s',
      bad: 'both',
      least: 1,
      severity: 'info',
    },
    {
      id: 'coredns-rejects',
      title: 'Rate of queries rejected as too many at once',
      summary: 'Queries a second refused because too many were in flight',
      expr: rate(names.rejects),
      unit: '1/s',
      bad: 'up',
      least: 0,
      severity: 'critical',
    },
    {
      id: 'coredns-goroutines',
      title: 'Number of goroutines of the busiest replica',
      summary: 'Goroutines of the busiest replica: queries in flight, the earliest sign of a slow upstream',
      expr: `max(go_goroutines${matching()})`,
      unit: 'count',
      bad: 'up',
      least: 10,
      severity: 'info',
    },
    {
      id: 'coredns-rss',
      title: 'Resident memory of the largest replica',
      summary: 'Resident memory of the largest replica: out-of-memory kills strike one replica',
      expr: `max(process_resident_memory_bytes${matching()})`,
      unit: 'bytes',
      bad: 'up',
      least: 5_000_000,
      severity: 'info',
    },
    {
      id: 'coredns-cpu',
      title: 'CPU use of the busiest replica',
      summary: 'Cores used by the busiest replica',
      expr: `max(rate(process_cpu_seconds_total${matching()}[${window}]))`,
      unit: 'cores',
      bad: 'up',
      least: 0.02,
      severity: 'info',
    },
    {
      id: 'coredns-panics',
      title: 'Rate of panics',
      summary: 'Panics a second: a bug, whatever the number',
      expr: rate(names.panics),
      unit: '1/s',
      bad: 'up',
      least: 0,
      severity: 'critical',
    },
  ]
}

export interface FlowsOptions {
  /** Names of all metrics of the source. */
  readonly names: readonly string[]
  readonly selector: string
  readonly source: string
  /** ms. */
  readonly step: number
  readonly window: string
}

/** The flows for the CoreDNS that the names show, in the names of its generation; none when there is no CoreDNS. */
export function flowsFor({ names, selector, source, step, window }: FlowsOptions): readonly PackFlow[] {
  const generation = findGeneration(names)
  if (!generation) return []
  const cacheRequests = generation !== '1.6' && names.includes('coredns_cache_requests_total')
  return signalsOf({ generation, selector, window, cacheRequests }).map(signal => ({ ...signal, source, step }))
}
