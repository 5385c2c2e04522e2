import { findSelectors } from './find-selectors.ts'

/** Functions that make sense of a counter as it is, resets and all, or that only ask whether it is there. */
const FIT = new Set(
  [
    'rate irate increase delta resets changes',
    'absent absent_over_time present_over_time count count_over_time group timestamp',
    'rollup_rate rollup_increase increase_pure increase_prometheus rate_prometheus delta_prometheus',
    'remove_resets lag lifetime scrape_interval tfirst_over_time tlast_over_time',
  ].flatMap(line => line.split(' ')),
)

/**
 * Warns of counters that an expression uses without `rate` or its kin: they only ever climb, and fall at a restart. A counter is known by
 * `metadata` (metric → type, as `/api/v1/metadata` gives it) or by its name: `_total`, `_count`, `_sum`, `_bucket`.
 */
export function checkCounters(expr: string, metadata: Readonly<Record<string, string>> = {}): string[] {
  const raw = new Set(
    findSelectors(expr)
      .filter(({ callers }) => !callers.some(caller => FIT.has(caller)))
      .flatMap(({ name }) => (name !== undefined && isCounter(name, metadata) ? [name] : [])),
  )
  return [...raw].map(
    name => `${name} is a counter: use it through rate(), increase() or the like, its own value only ever climbs`,
  )
}

function isCounter(name: string, metadata: Readonly<Record<string, string>>): boolean {
  const family = name.replace(/_(total|count|sum|bucket)$/, '')
  const type = metadata[name] ?? metadata[family]
  if (type === undefined || type === 'unknown' || type === 'untyped') return family !== name
  return type === 'counter' || ((type === 'histogram' || type === 'summary') && family !== name)
}
