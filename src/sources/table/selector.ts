import type { Labels } from '../../anomaly.ts'
import { InputError } from '../../errors.ts'
import { compilePattern, type Pattern } from '../../pattern.ts'

/** One condition on a label, as in PromQL. */
export interface Matcher {
  readonly label: string
  readonly operator: '=' | '!=' | '=~' | '!~'
  readonly value: string
  /** The compiled value of `=~` and `!~`. */
  readonly pattern?: Pattern
}

const NAME = /^[A-Za-z_:][\w:]*/
const MATCHER = /^\s*([A-Za-z_]\w*|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*(,|(?=\}))/
/** A metric whose name is no word stands in quotes, without a label. */
const QUOTED_NAME = /^\s*("(?:[^"\\]|\\.)*")\s*(,|(?=\}))/

/**
 * Parses `name{a="1",b=~"x.*"}`, both parts optional, and `{"my.name","my.label"="1"}`, as Prometheus 3 writes names that are no words;
 * undefined when the text is not a selector. Throws an `InputError` for a pattern that RE2 does not have.
 */
export function parseSelector(text: string): Matcher[] | undefined {
  let rest = text.trim()
  const matchers: Matcher[] = []
  const name = NAME.exec(rest)?.[0]
  if (name) {
    matchers.push({ label: '__name__', operator: '=', value: name })
    rest = rest.slice(name.length)
  }
  if (rest === '') return name ? matchers : undefined
  if (!rest.startsWith('{') || !rest.endsWith('}')) return undefined
  rest = rest.slice(1)
  while (rest.trim() !== '}') {
    const quoted = QUOTED_NAME.exec(rest)
    const match = quoted ?? MATCHER.exec(rest)
    if (!match) return undefined
    if (quoted) matchers.push({ label: '__name__', operator: '=', value: unquote(quoted[1]) })
    else {
      const label = match[1].startsWith('"') ? unquote(match[1]) : match[1]
      matchers.push(readMatcher(label, match[2] as Matcher['operator'], unquote(match[3])))
    }
    rest = rest.slice(match[0].length)
  }
  return matchers
}

function readMatcher(label: string, operator: Matcher['operator'], value: string): Matcher {
  if (operator === '=' || operator === '!=') return { label, operator, value }
  try {
    return { label, operator, value, pattern: compilePattern(value) }
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${label}${operator} ${error.message}`)
    throw error
  }
}

/** Labels of a series written as `seriesId` prints them; undefined when the text is something else. */
export function parseSeriesId(text: string): Labels | undefined {
  if (!text.includes('{')) return undefined
  const matchers = parseSelector(text)
  if (!matchers?.every(matcher => matcher.operator === '=')) return undefined
  return Object.fromEntries(matchers.map(({ label, value }) => [label, value]))
}

/** Tells whether labels meet all conditions; an absent label is the empty text, and patterns match the whole value. */
export function matches(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every(({ label, operator, value, pattern }) => {
    const actual = labels[label] ?? ''
    const equal = pattern ? pattern.matchesWhole(actual) : actual === value
    return equal === operator.startsWith('=')
  })
}

/** Matchers as a selector of PromQL; labels that are no words in quotes, which only servers that have such labels are asked for. */
export function printSelector(matchers: readonly Matcher[]): string {
  const each = matchers.map(({ label, operator, value }) => {
    const name = /^[A-Za-z_]\w*$/.test(label) ? label : JSON.stringify(label)
    return `${name}${operator}${JSON.stringify(value)}`
  })
  return `{${each.join(',')}}`
}

/** The selector of a metric, also of one whose name is no word (`my.metric`), which PromQL takes by its label only. */
export function selectMetric(name: string): string {
  return /^[A-Za-z_:][\w:]*$/.test(name) ? name : printSelector([{ label: '__name__', operator: '=', value: name }])
}

function unquote(text: string): string {
  try {
    return JSON.parse(text)
  } catch {
    return text.slice(1, -1).replace(/\\(.)/g, '$1')
  }
}
