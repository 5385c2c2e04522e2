import { describe, expect, it } from 'vitest'
import { checkCounters } from './check-counters.ts'

describe('checkCounters', () => {
  it.each([
    'rate(coredns_dns_requests_total[5m])',
    'sum by (rcode) (rate(coredns_dns_responses_total{rcode="SERVFAIL"}[5m]))',
    'sum(rate(a_total[5m])) by (job) / ignoring (code) group_left sum(increase(b_count[1h]))',
    'histogram_quantile(0.99, sum(rate(x_seconds_bucket[5m])) by (le))',
    'changes(restarts_total[1h]) + resets(y_total[1h])',
    'absent(x_total) or count by (job) (x_total)',
    'process_resident_memory_bytes',
    'up{name="x_total"} # y_total',
    'rate({__name__="x_total"}[5m])',
    'max_over_time(rate(x_total[1m])[1h:5m])',
    'RATE(x_total[5m])',
    '',
    'sum((',
  ])('has nothing to say on: %s', expr => {
    expect(checkCounters(expr)).toEqual([])
  })

  it.each([
    ['coredns_dns_requests_total', ['coredns_dns_requests_total']],
    ['sum by (job) (x_total{a="b"})', ['x_total']],
    ['rate(a_total[5m]) / b_total', ['b_total']],
    ['x_seconds_sum / x_seconds_count', ['x_seconds_sum', 'x_seconds_count']],
    ['{__name__="x_total", job="a"}', ['x_total']],
    ['{"x_total"}', ['x_total']],
    ['x_total - x_total offset 5m', ['x_total']],
    ['max_over_time(x_total[5m])', ['x_total']],
    ['sum(x_bucket) by (le)', ['x_bucket']],
  ])('warns of counters in: %s', (expr, names) => {
    const warnings = checkCounters(expr)
    expect(warnings.map(text => text.split(' ')[0])).toEqual(names)
    expect(warnings[0]).toContain('rate()')
  })

  it('believes the metadata more than the name', () => {
    expect(
      checkCounters('queue_count + requests', { queue_count: 'gauge', requests: 'counter' }).map(text => text.split(' ')[0]),
    ).toEqual(['requests'])
    expect(checkCounters('x_seconds_sum', { x_seconds: 'histogram' })).toHaveLength(1)
    expect(checkCounters('x_total', { x: 'unknown' })).toHaveLength(1)
  })
})
