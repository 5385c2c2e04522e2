import { describe, expect, it } from 'vitest'
import { create } from '../pipeline/configuration.ts'
import { refiners } from '../refiners/index.ts'
import { findGeneration, flowsFor, GENERATIONS, refinersFor, signalsOf } from './coredns.ts'
import { packs } from './index.ts'

/** Names that exist in each generation, from its release notes and a scrape. */
const SHARED = [
  'up',
  'go_goroutines',
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'coredns_build_info',
  'coredns_cache_hits_total',
  'coredns_cache_misses_total',
  'coredns_dns_request_duration_seconds_bucket',
  'coredns_dns_request_duration_seconds_count',
  'coredns_dns_request_duration_seconds_sum',
]
const RENAMED = [
  'coredns_dns_requests_total',
  'coredns_dns_responses_total',
  'coredns_panics_total',
  'coredns_forward_healthcheck_broken_total',
  'coredns_forward_max_concurrent_rejects_total',
]
const FORWARD = ['_sum', '_count', '_bucket'].map(end => `coredns_forward_request_duration_seconds${end}`)
const KNOWN: Record<string, readonly string[]> = {
  '1.6': [
    ...SHARED,
    ...FORWARD,
    'coredns_dns_request_count_total',
    'coredns_dns_response_rcode_count_total',
    'coredns_panic_count_total',
    'coredns_forward_request_count_total',
    'coredns_forward_healthcheck_failure_count_total',
    'coredns_forward_healthcheck_broken_count_total',
    'coredns_forward_max_concurrent_reject_count_total',
  ],
  '1.7': [
    ...SHARED,
    ...FORWARD,
    ...RENAMED,
    'coredns_cache_requests_total',
    'coredns_forward_requests_total',
    'coredns_forward_healthcheck_failures_total',
  ],
  '1.11': [
    ...SHARED,
    ...RENAMED,
    'coredns_cache_requests_total',
    'coredns_proxy_request_duration_seconds_sum',
    'coredns_proxy_request_duration_seconds_count',
    'coredns_proxy_healthcheck_failures_total',
  ],
}
/** Metric names in an expression: what stands before `{`. */
const metricsIn = (expr: string) => [...expr.matchAll(/([a-z_][a-z0-9_]*)\{/g)].map(([, name]) => name!)
const flows = (names: readonly string[]) => flowsFor({ names, selector: 'job="dns"', source: 'prom', step: 15_000, window: '1m' })

describe.each(GENERATIONS)('generation %s', generation => {
  const known = KNOWN[generation]!
  it('is found by its names', () => expect(findGeneration(known)).toBe(generation))

  it('asks only for metrics that exist in it, and only those selected', () => {
    for (const { id, expr } of flows(known)) {
      const metrics = metricsIn(expr)
      expect(metrics.length, id).toBeGreaterThan(0)
      expect(
        metrics.filter(name => !known.includes(name)),
        id,
      ).toEqual([])
      expect(expr.match(/\{/g)!.length, id).toBe(expr.match(/\{job="dns"/g)!.length)
      expect(expr.match(/\(/g)!.length, `${id} closes its brackets`).toBe(expr.match(/\)/g)!.length)
    }
  })

  it('takes counters only through a rate over the window', () => {
    for (const { id, expr } of flows(known))
      for (const name of metricsIn(expr).filter(metric => /_(total|sum|count|bucket)$/.test(metric)))
        expect(expr, id).toMatch(new RegExp(`rate\\(${name}\\{[^}]*\\}\\[1m\\]`))
  })

  it('has the same signals in the same order as every other', () => {
    expect(flows(known).map(({ id }) => id)).toEqual(flows(KNOWN['1.11']!).map(({ id }) => id))
  })
})

it('makes up no zeros for the time before there was a server', () => {
  for (const generation of GENERATIONS)
    for (const { id, expr } of flows(KNOWN[generation]!)) expect(expr, id).not.toContain('vector(')
})

it('has distinct ids, a sentence and a source for each flow', () => {
  const all = flows(KNOWN['1.11']!)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  expect(all.length).toBeGreaterThanOrEqual(14)
  for (const flow of all) {
    expect(flow).toMatchObject({ source: 'prom', step: 15_000, id: expect.stringMatching(/^coredns-[a-z-]+$/) })
    expect(flow.least, flow.id).toBeGreaterThanOrEqual(0)
    expect(flow.summary.length).toBeGreaterThan(20)
  }
})

it('prefers the newest generation: old names stay in a source after an upgrade', () => {
  expect(findGeneration([...KNOWN['1.6']!, ...KNOWN['1.7']!, ...KNOWN['1.11']!])).toBe('1.11')
  expect(findGeneration([...KNOWN['1.6']!, ...KNOWN['1.7']!])).toBe('1.7')
})

it('takes a server that has not forwarded yet for a new one, and no CoreDNS for none', () => {
  expect(findGeneration(['coredns_dns_requests_total'])).toBe('1.11')
  expect(flows(['up', 'go_goroutines'])).toEqual([])
  expect(packs.coredns.detects(['up'])).toBe(false)
  expect(packs.coredns.detects(['coredns_dns_request_count_total'])).toBe(true)
})

const ratio = (names: readonly string[]) => flows(names).find(({ id }) => id === 'coredns-cache-hit-ratio')!.expr

it('adds hits and misses where lookups are not counted', () => {
  expect(ratio(KNOWN['1.11']!)).toContain('coredns_cache_requests_total')
  const before185 = KNOWN['1.7']!.filter(name => name !== 'coredns_cache_requests_total')
  expect(metricsIn(ratio(before185)).slice(1)).toEqual(['coredns_cache_hits_total', 'coredns_cache_misses_total'])
})

it('writes tidy matchers without a selector', () => {
  for (const generation of GENERATIONS)
    for (const { expr } of signalsOf({ generation, selector: '', window: '5m', cacheRequests: true }))
      expect(expr).not.toMatch(/\{,|,\}|,,/)
})

it('has refiners that can be made, for every signal', () => {
  for (const flow of flows(KNOWN['1.11']!)) {
    const parts = refinersFor(flow)
    expect(parts.map(part => typeof create(refiners, part, undefined).refine)).toEqual(parts.map(() => 'function'))
    expect(parts.some(({ type }) => type === 'side')).toBe(flow.bad !== 'both')
  }
  expect(refinersFor(flows(KNOWN['1.11']!)[0]!, '15s')[0]).toEqual({ type: 'merge', gap: '15s' })
})
