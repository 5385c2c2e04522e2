/** Functions that make sense of a counter as it is, resets and all, or that only ask whether it is there. */
const FIT = new Set(
  [
    'rate irate increase delta resets changes',
    'absent absent_over_time present_over_time count count_over_time group timestamp',
    'rollup_rate rollup_increase increase_pure increase_prometheus rate_prometheus delta_prometheus',
    'remove_resets lag lifetime scrape_interval tfirst_over_time tlast_over_time',
  ].flatMap(line => line.split(' ')),
)
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
const WORDS = new Set([
  ...GROUPING,
  'and',
  'or',
  'unless',
  'offset',
  'bool',
  'atan2',
  'inf',
  'nan',
  'start',
  'end',
  'default',
  'if',
  'ifnot',
])
const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|[A-Za-z_:][\w:.]*|\d[\w.]*|=~|!~|!=|[^\s]/g

/**
 * Warns of counters that an expression uses without `rate` or its kin: they only ever climb, and fall at a restart. A counter is known by
 * `metadata` (metric → type, as `/api/v1/metadata` gives it) or by its name: `_total`, `_count`, `_sum`, `_bucket`.
 */
export function checkCounters(expr: string, metadata: Readonly<Record<string, string>> = {}): string[] {
  const raw = new Set(rawMetrics(expr).filter(name => isCounter(name, metadata)))
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

/** Names of the metrics that are selected outside of the functions in `FIT`, in order of appearance. */
function rawMetrics(expr: string): string[] {
  const tokens = expr.match(TOKEN)?.filter(token => !token.startsWith('#')) ?? []
  const open: string[] = []
  const found: string[] = []
  const note = (name: string) => {
    if (!open.some(caller => FIT.has(caller))) found.push(name)
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token === '(') {
      const caller = callerBefore(tokens, i)
      if (GROUPING.has(caller)) i = closing(tokens, i, ')')
      else open.push(caller)
    } else if (token === ')') open.pop()
    else if (token === '[') i = closing(tokens, i, ']')
    else if (token === '{') {
      const end = closing(tokens, i, '}')
      const name = nameInside(tokens.slice(i + 1, end))
      if (name !== undefined) note(name)
      i = end
    } else if (/^[A-Za-z_:]/.test(token) && tokens[i + 1] !== '(' && !WORDS.has(token.toLowerCase()) && !isCall(tokens, i))
      note(token)
  }
  return found
}

/** `sum by (job) (…)`: the caller of the second parenthesis is `sum`. */
function callerBefore(tokens: readonly string[], at: number): string {
  const before = tokens[at - 1]
  if (before !== ')') return before?.toLowerCase() ?? ''
  const start = tokens.lastIndexOf('(', at - 1)
  return GROUPING.has(tokens[start - 1]?.toLowerCase()) ? (tokens[start - 2]?.toLowerCase() ?? '') : ''
}

/** An aggregation whose grouping stands before its argument: `sum by (…) (…)`. */
function isCall(tokens: readonly string[], at: number): boolean {
  return /^(by|without)$/i.test(tokens[at + 1] ?? '') && tokens[at + 2] === '('
}

function closing(tokens: readonly string[], from: number, close: string): number {
  const end = tokens.indexOf(close, from)
  return end < 0 ? tokens.length : end
}

/** The metric of `{__name__="x"}` and `{"x"}`. */
function nameInside(tokens: readonly string[]): string | undefined {
  const isText = (token: string | undefined) => token !== undefined && /^["'`]/.test(token)
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === '__name__' && tokens[i + 1] === '=' && isText(tokens[i + 2])) return tokens[i + 2].slice(1, -1)
    if (isText(tokens[i]) && (i === 0 || tokens[i - 1] === ',')) return tokens[i].slice(1, -1)
  }
  return undefined
}
