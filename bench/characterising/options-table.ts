import { z } from 'zod'
import { formatDuration } from '../../src/duration.ts'

interface Option {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly items?: Option
}

/** The options of a component as a Markdown table, from its schema alone. */
export function optionsTable(config: z.ZodObject): string {
  const { properties = {}, required = [] } = z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Option>
    required?: readonly string[]
  }
  // A default that is text in a file and something else in memory is not in the schema.
  const { shape } = config
  const rows = Object.entries(properties).map(([name, option]) => {
    const usual = option.default ?? shape[name]?.safeParse(undefined).data
    const shown = usual !== undefined ? `\`${show(usual, option)}\`` : required.includes(name) ? 'must be given' : '–'
    return [`\`${name}\``, shown, describe(name, option)]
  })
  if (rows.length === 0) return 'It has no options.'
  return table(['option', 'default', 'meaning'], rows)
}

/** A Markdown table with columns of even width. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const safe = rows.map(row => row.map(cell => cell.replaceAll('|', '\\|')))
  const widths = head.map((title, c) => Math.max(3, title.length, ...safe.map(row => row[c]!.length)))
  const line = (row: readonly string[]) => `| ${row.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`
  return [line(head), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...safe.map(line)].join('\n')
}

function describe(name: string, option: Option): string {
  const meaning = option.description ?? (name === 'seed' ? 'of the random numbers' : '')
  const range = option.enum ? option.enum.map(one => `\`${one}\``).join(' or ') : rangeOf(option)
  return [meaning, range].filter(Boolean).join('; ')
}

function rangeOf({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Option): string {
  if (type !== 'number' && type !== 'integer') return ''
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `at most ${maximum}` : ''
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? `at least ${minimum}` : ''
  return [
    least,
    exclusiveMinimum === undefined ? '' : `more than ${exclusiveMinimum}`,
    most,
    exclusiveMaximum === undefined ? '' : `less than ${exclusiveMaximum}`,
  ]
    .filter(Boolean)
    .join(', ')
}

/** Durations are text in a file and ms in memory: a number where text is wanted is one. */
function show(value: unknown, option: Option): string {
  if (Array.isArray(value)) return `[${value.map(one => show(one, option.items ?? {})).join(', ')}]`
  return option.type === 'string' && typeof value === 'number' ? formatDuration(value) : String(value)
}
