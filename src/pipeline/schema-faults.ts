import type { z } from 'zod'
import { guess } from '../nearest.ts'
import type { Path } from './locate.ts'

/** What is wrong at a path of a value; `key`: the key itself should not be there. */
export interface SchemaFault {
  readonly path: Path
  readonly message: string
  readonly at: 'key' | 'value'
}

type Issue = z.core.$ZodIssue

/** Checks a value; the faults are in our words ("must …, got …") and come all at once. */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { ok: true; value: z.output<Schema> } | { ok: false; faults: readonly SchemaFault[] } {
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, faults: issueFaults(schema, result.error.issues) }
}

/** The faults behind the issues of a zod error. */
export function issueFaults(schema: z.ZodType | undefined, issues: readonly Issue[]): readonly SchemaFault[] {
  return issues.flatMap(issue => faultsOf(schema, issue, []))
}

function faultsOf(schema: z.ZodType | undefined, issue: Issue, above: Path): readonly SchemaFault[] {
  const path = [...above, ...issue.path.map(part => (typeof part === 'number' ? part : String(part)))]
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, path)
    return issue.keys.map(key => ({
      path: [...path, key],
      message:
        known.length > 0
          ? `must be one of ${known.join(', ')}; got ${JSON.stringify(key)}${guess(key, known)}`
          : `must not be here, got ${JSON.stringify(key)}`,
      at: 'key',
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && !isOurs(issue)) {
    const branches = issue.errors.map(branch => branch.flatMap(inner => faultsOf(schema, inner as Issue, path)))
    // The branch that got furthest is the one that was meant.
    const depth = (faults: readonly SchemaFault[]) => Math.max(...faults.map(fault => fault.path.length))
    const deepest = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]!
    if (depth(deepest) > path.length) return deepest
    const wanted = [
      ...new Set(
        branches.flatMap(faults => faults.map(fault => /^must be (.*?)(?:, got .*)?$/.exec(fault.message)?.[1] ?? fault.message)),
      ),
    ]
    return [{ path, message: `must be ${wanted.join(' or ')}${got(issue.input)}`, at: 'value' }]
  }
  if (issue.code === 'invalid_key')
    return issue.issues.map(inner => ({
      path,
      message: isOurs(inner as Issue) ? inner.message : describeIssue(inner as Issue),
      at: 'key' as const,
    }))
  return [{ path, message: isOurs(issue) ? issue.message : describeIssue(issue), at: 'value' }]
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  date: 'a date',
}

function describeIssue(issue: Issue): string {
  const { input } = issue
  if (input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    const wanted =
      issue.code === 'invalid_value' ? `one of ${issue.values.map(String).join(', ')}` : (TYPES[issue.expected] ?? issue.expected)
    return `must be given (${wanted}), got nothing`
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}${got(input)}`
    case 'invalid_value': {
      const values = issue.values.map(String)
      const wanted = values.length === 1 ? values[0] : `one of ${values.join(', ')};`
      return `must be ${wanted}${got(input).replace(/^,/, values.length === 1 ? ',' : '')}${typeof input === 'string' ? guess(input, values) : ''}`
    }
    case 'too_small':
      if (issue.origin === 'string' && Number(issue.minimum) === 1) return 'must not be empty'
      if (issue.origin === 'array') return `must have at least ${issue.minimum} of them${got(input)}`
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}${got(input)}`
    case 'too_big':
      if (issue.origin === 'array') return `must have at most ${issue.maximum} of them${got(input)}`
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}${got(input)}`
    case 'invalid_format':
      return issue.format === 'url'
        ? `must be an address like http://host:port${got(input)}`
        : `must be ${issue.format === 'regex' ? `text that fits ${issue.pattern}` : `a valid ${issue.format}`}${got(input)}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}${got(input)}`
    default:
      return `must be right: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}${got(input)}`
  }
}

/** `, got …` with the value, cut short. */
function got(input: unknown): string {
  if (input === undefined) return ', got nothing'
  const text = typeof input === 'bigint' ? String(input) : (JSON.stringify(input) ?? String(input))
  return `, got ${text.length > 80 ? `${text.slice(0, 77)}…` : text}`
}

function knownKeys(schema: z.ZodType | undefined, path: Path): readonly string[] {
  let at = unwrap(schema)
  for (const part of path) at = at.flatMap(one => unwrap(stepInto(one, part)))
  return [...new Set(at.flatMap(one => Object.keys(definition(one).shape ?? {})))]
}

interface Definition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly getter?: () => z.ZodType
}

function definition(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition
}

function stepInto(schema: z.ZodType, part: string | number): z.ZodType | undefined {
  const { shape, element, valueType } = definition(schema)
  return shape?.[part] ?? element ?? valueType
}

/** The schemas inside optional, default, transform and union wrappers. */
function unwrap(schema: z.ZodType | undefined): readonly z.ZodType[] {
  if (!schema) return []
  const { innerType, in: inside, options, getter } = definition(schema)
  if (options) return options.flatMap(unwrap)
  const next = innerType ?? inside ?? getter?.()
  return next ? unwrap(next) : [schema]
}

/** Schemas that say it themselves say it in our words already. */
function isOurs({ code, message }: Issue): boolean {
  return message.startsWith('must') || (code === 'custom' && message !== 'Invalid input')
}
