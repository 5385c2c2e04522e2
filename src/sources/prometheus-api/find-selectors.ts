/** Where an expression selects series. */
export interface Selector {
  /** Name of the metric; undefined when it is selected by a pattern or by labels alone. */
  readonly name?: string
  /** As it is written, without range and offset: `up{job="dns"}`. */
  readonly text: string
  /** Functions and aggregations around it in lower case, the outermost first; `''` is a parenthesis alone. */
  readonly callers: readonly string[]
}

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
 * The selectors of a PromQL expression in order of appearance, by its tokens alone: it needs no valid expression, and knows only by its
 * place whether a word is a metric, a function, a label or a keyword. A metric called like a keyword (`offset`, `start`) is not seen.
 */
export function findSelectors(expr: string): Selector[] {
  const marks = Array.from(expr.matchAll(TOKEN)).filter(([token]) => !token.startsWith('#'))
  const tokens = marks.map(([token]) => token)
  const open: string[] = []
  const found: Selector[] = []
  const note = (name: string | undefined, from: number, to: number) => {
    const text = expr.slice(marks[from].index, marks[to].index + tokens[to].length)
    found.push({ ...(name === undefined ? {} : { name }), text, callers: [...open] })
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]
    if (token === '(') {
      const caller = callerBefore(tokens, i)
      if (GROUPING.has(caller)) i = closing(tokens, i, ')')
      else open.push(/^[a-z_:]/.test(caller) ? caller : '')
    } else if (token === ')') open.pop()
    else if (token === '[') i = closing(tokens, i, ']')
    else if (token === '{') {
      const end = closing(tokens, i, '}')
      note(nameInside(tokens.slice(i + 1, end)), i, Math.min(end, tokens.length - 1))
      i = end
    } else if (/^[A-Za-z_:]/.test(token) && tokens[i + 1] !== '(' && !WORDS.has(token.toLowerCase()) && !isCall(tokens, i)) {
      const end = tokens[i + 1] === '{' ? Math.min(closing(tokens, i + 1, '}'), tokens.length - 1) : i
      note(token, i, end)
      i = end
    }
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

/** The metric of `{__name__="x"}` and `{"x"}`; the text of `{"my.label"="y"}` is a label. */
function nameInside(tokens: readonly string[]): string | undefined {
  const isText = (token: string | undefined) => token !== undefined && /^["'`]/.test(token)
  for (let i = 0; i < tokens.length; i++) {
    const isNameLabel = tokens[i] === '__name__' || (isText(tokens[i]) && unquote(tokens[i]) === '__name__')
    if (isNameLabel && tokens[i + 1] === '=' && isText(tokens[i + 2])) return unquote(tokens[i + 2])
    const begins = i === 0 || tokens[i - 1] === ','
    if (isText(tokens[i]) && begins && (i === tokens.length - 1 || tokens[i + 1] === ',')) return unquote(tokens[i])
  }
  return undefined
}

/** In backticks nothing is escaped. */
function unquote(token: string): string {
  const inside = token.slice(1, -1)
  return token.startsWith('`') ? inside : inside.replace(/\\(.)/g, '$1')
}
