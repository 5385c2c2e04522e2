import { readFile } from 'node:fs/promises'
import { type Document, isPair, isScalar, LineCounter, visit } from 'yaml'
import { type Fault, InputError } from '../../errors.ts'
import { guess } from '../../nearest.ts'
import { parseYaml, YamlRefused } from '../../pipeline/parse-yaml.ts'
import { checkCounters } from '../../sources/prometheus-api/check-counters.ts'
import { findSelectors } from '../../sources/prometheus-api/find-selectors.ts'
import type { Source } from '../../sources/source.ts'

/** An expression of a file. */
export interface Query {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly expr: string
  /** What a recording rule makes of it. */
  readonly record?: string
}

/**
 * Every `expr:` of a file in YAML or JSON: rules of Prometheus, flows of Tidewatch, dashboards. Throws `InputError` for a file that cannot be
 * read or is neither.
 */
export async function readQueries(file: string): Promise<Query[]> {
  const text = await readFile(file, 'utf8').catch(error => {
    throw new InputError(`--queries must be a readable file, got ${file} (${error.code})`)
  })
  const lines = new LineCounter()
  const queries: Query[] = []
  for (const document of parse(text, file, lines)) {
    const [error] = document.errors
    if (error) {
      const { line, col } = lines.linePos(error.pos[0])
      throw new InputError(`${file}:${line}:${col} must be YAML or JSON, got ${error.message.split('\n')[0]}`)
    }
    visit(document, {
      Map(_, map) {
        const valueOf = (key: string) => {
          const pair = map.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === key)
          return isScalar(pair?.value) && typeof pair.value.value === 'string' ? pair.value : undefined
        }
        const expr = valueOf('expr')
        if (!expr) return
        const { line, col: column } = lines.linePos(expr.range?.[0] ?? 0)
        const record = valueOf('record')?.value
        queries.push({
          file,
          line,
          column,
          expr: expr.value as string,
          ...(record === undefined ? {} : { record: record as string }),
        })
      },
    })
  }
  return queries
}

function parse(text: string, file: string, lines: LineCounter): readonly Document.Parsed[] {
  try {
    return parseYaml(text, lines)
  } catch (error) {
    if (!(error instanceof YamlRefused)) throw error
    const { line, col } = lines.linePos(error.offset)
    throw new InputError(`${file}:${line}:${col} ${error.message}`)
  }
}

/**
 * Selectors that can never return data, because the source has no such metric or, where it can be asked, has had no such series in the range of
 * `seconds`; and counters that are read as they are. Patterns, variables of dashboards and what stands in `absent()` are not judged.
 */
export async function checkQueries(
  queries: readonly Query[],
  names: readonly string[],
  asking?: { readonly source: Source; readonly time: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<Fault[]> {
  const known = new Set(names)
  const recorded = new Set(queries.flatMap(({ record }) => record ?? []))
  const answers = new Map<string, boolean>()
  const hasData = async (text: string): Promise<boolean> => {
    if (!asking || /[$]|\[\[/.test(text) || !text.includes('{')) return true
    let answer = answers.get(text)
    if (answer === undefined) {
      try {
        const expr = `count(last_over_time(${text}[${asking.seconds}s]))`
        answer = (await asking.source.latest({ expr, time: asking.time }, asking.signal)).frames.length > 0
      } catch {
        // What the source does not understand is its to tell when the query is run.
        answer = true
      }
      answers.set(text, answer)
    }
    return answer
  }
  const faults: Fault[] = []
  for (const { file, line, column, expr } of queries) {
    const told = new Set<string>()
    const fault = (message: string) => {
      if (!told.has(message)) faults.push({ file, line, column, path: '', message })
      told.add(message)
    }
    for (const { name, text, callers } of findSelectors(expr)) {
      if (name === undefined || name.includes('$') || callers.some(caller => caller.startsWith('absent'))) continue
      if (known.has(name)) {
        if (!(await hasData(text))) fault(`${text} never returns data: the metric is there, but no such series in the range`)
      } else if (recorded.has(name))
        fault(`${name} returns no data: the file records it, but the source has no result of that rule`)
      else fault(`${name} never returns data: the source has no such metric${guess(name, names)}`)
    }
    for (const message of checkCounters(expr)) fault(message)
  }
  return faults
}
