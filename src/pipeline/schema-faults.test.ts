import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checkSchema } from './schema-faults.ts'

/** What is wrong, each as `path at: message`. */
function faultsOf(schema: z.ZodType, value: unknown): string[] {
  const result = checkSchema(schema, value)
  return result.ok ? [] : result.faults.map(({ path, at, message }) => `${path.join('.')} ${at}: ${message}`)
}

describe('what is wrong with a value, in our words', () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ['another type', z.number(), 'x', 'must be a number, got "x"'],
    ['no whole number', z.int(), 1.5, 'must be a whole number, got 1.5'],
    ['no list', z.array(z.string()), 5, 'must be a list, got 5'],
    ['nothing at all', z.boolean(), undefined, 'must be given (true or false), got nothing'],
    ['a type that has no name of ours', z.bigint(), 'x', 'must be bigint, got "x"'],
    ['nothing where there is a choice', z.enum(['a', 'b']), undefined, 'must be given (one of a, b), got nothing'],
    ['another word', z.enum(['alpha', 'beta']), 'alpa', 'must be one of alpha, beta; got "alpa", did you mean "alpha"?'],
    ['no word where there is a choice', z.enum(['a', 'b']), 5, 'must be one of a, b; got 5'],
    ['another than the only value', z.literal('a'), 'zzz', 'must be a, got "zzz"'],
    ['empty text', z.string().min(1), '', 'must not be empty'],
    ['short text', z.string().min(3), 'ab', 'must be at least 3 characters, got "ab"'],
    ['long text', z.string().max(3), 'abcd', 'must be at most 3 characters, got "abcd"'],
    ['a small number', z.number().min(1), 0, 'must be at least 1, got 0'],
    ['a number that is not more', z.number().gt(1), 1, 'must be more than 1, got 1'],
    ['a large number', z.number().max(1), 2, 'must be at most 1, got 2'],
    ['a number that is not less', z.number().lt(1), 1, 'must be less than 1, got 1'],
    ['a short list', z.array(z.int()).min(2), [1], 'must have at least 2 of them, got [1]'],
    ['a long list', z.array(z.int()).max(1), [1, 2], 'must have at most 1 of them, got [1,2]'],
    ['no address', z.url(), 'x', 'must be an address like http://host:port, got "x"'],
    ['text of another form', z.string().regex(/^a+$/), 'b', 'must be text that fits /^a+$/, got "b"'],
    ['another format', z.email(), 'x', 'must be a valid email, got "x"'],
    ['no multiple', z.number().multipleOf(5), 7, 'must be a multiple of 5, got 7'],
    ['a large whole number', z.bigint().max(1n), 7n, 'must be at most 1, got 7'],
    ['several types', z.union([z.string(), z.number()]), true, 'must be text or a number, got true'],
    ['one of ours', z.string().refine(() => false, 'must be nice, got it'), 'x', 'must be nice, got it'],
    ['one without our words', z.string().refine(() => false, 'no'), 'x', 'no'],
    ['one without words', z.string().refine(() => false), 'x', 'must be right: invalid input, got "x"'],
  ])('%s', (_, schema, value, message) => {
    expect(faultsOf(schema, value)).toEqual([` value: ${message}`])
  })

  it('is cut short where the value is long', () => {
    expect(faultsOf(z.number(), 'a'.repeat(78))).toEqual([` value: must be a number, got "${'a'.repeat(78)}"`])
    expect(faultsOf(z.number(), 'a'.repeat(79))).toEqual([` value: must be a number, got "${'a'.repeat(76)}…`])
  })

  it('comes all at once, each at its place', () => {
    const schema = z.strictObject({ a: z.int(), b: z.array(z.strictObject({ c: z.string() })) })
    expect(faultsOf(schema, { a: 'x', b: [{ c: 'y' }, { c: 5 }] })).toEqual([
      'a value: must be a number, got "x"',
      'b.1.c value: must be text, got 5',
    ])
    expect(faultsOf(schema, { a: 1, b: [] })).toEqual([])
  })
})

describe('keys', () => {
  const inner = z.strictObject({ limit: z.int().optional() })

  it.each<[string, z.ZodType, unknown, string]>([
    ['here', inner, { limt: 1 }, 'limt key: must be one of limit; got "limt", did you mean "limit"?'],
    ['in a list', z.array(inner), [{ x: 1 }], '0.x key: must be one of limit; got "x"'],
    ['in a record', z.record(z.string(), inner), { a: { x: 1 } }, 'a.x key: must be one of limit; got "x"'],
    ['behind a default', z.strictObject({ a: inner.prefault({}) }), { a: { x: 1 } }, 'a.x key: must be one of limit; got "x"'],
    [
      'behind a transform',
      z.strictObject({ a: inner.transform(a => a) }),
      { a: { x: 1 } },
      'a.x key: must be one of limit; got "x"',
    ],
    ['where there is none', z.strictObject({}), { x: 1 }, 'x key: must not be here, got "x"'],
  ])('that are not known %s', (_, schema, value, fault) => {
    expect(faultsOf(schema, value)).toEqual([fault])
  })

  it('of a record that do not fit are named', () => {
    const ours = z.string().regex(/^a/, { error: 'must begin with a' })
    expect(faultsOf(z.record(ours, z.int()), { b: 1 })).toEqual(['b key: must begin with a'])
    expect(faultsOf(z.record(z.string().min(2), z.int()), { b: 1 })).toEqual(['b key: must be at least 2 characters, got "b"'])
  })
})

describe('one of several forms', () => {
  const forms = z.union([z.string(), z.strictObject({ file: z.string() }), z.array(z.strictObject({ a: z.int() }))])

  it('is told by the form that was meant', () => {
    expect(faultsOf(forms, { file: 5 })).toEqual(['file value: must be text, got 5'])
    expect(faultsOf(forms, { fil: 'x' })).toEqual([
      'file value: must be given (text), got nothing',
      'fil key: must be one of file; got "fil", did you mean "file"?',
    ])
    expect(faultsOf(forms, [{ a: 1 }, { a: 'x' }])).toEqual(['1.a value: must be a number, got "x"'])
  })

  it('is told by all of them when none fits', () => {
    expect(faultsOf(forms, 5)).toEqual([' value: must be text or a mapping or a list, got 5'])
    const own = z.union([z.string(), z.int()], { error: 'must be text or a count, got something else' })
    expect(faultsOf(own, true)).toEqual([' value: must be text or a count, got something else'])
  })
})
