import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { locate, printPath } from './locate.ts'

const read = (text: string, env: Record<string, string> = {}) => locate(text, 'f.yaml', env)
const places = (text: string, env: Record<string, string> = {}) =>
  read(text, env).faults.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)

describe('variables', () => {
  it('are put in, alone and inside text', () => {
    expect(read('a: ${HOST}\nb: "http://${HOST}:${PORT}/"', { HOST: 'h', PORT: '1' }).value).toEqual({ a: 'h', b: 'http://h:1/' })
  })
  it('have defaults, also for an empty variable', () => {
    expect(read('a: ${NO:-x y}\nb: ${EMPTY:-z}\nc: "${EMPTY}"\nd: "${NO:-}"', { EMPTY: '' }).value).toEqual({
      a: 'x y',
      b: 'z',
      c: '',
      d: '',
    })
  })
  it('are not looked for after $${', () => {
    expect(read('a: "$${HOST} costs $5"', { HOST: 'h' }).value).toEqual({ a: '${HOST} costs $5' })
  })
  it('stay text when they look like numbers', () => {
    expect(read('a: ${PIN}', { PIN: '0123' }).value).toEqual({ a: '0123' })
  })
  it('do not bring variables or YAML of their own', () => {
    expect(read('a: ${X}', { X: '${Y}\nb: [1]' }).value).toEqual({ a: '${Y}\nb: [1]' })
  })
  it('are faults at their place when they are not set', () => {
    expect(places('list:\n  - good\n  - { key: "x ${GONE}" }')).toEqual([
      '3:12 list[1].key: must have the environment variable GONE, which is not set; ${GONE:-default} gives one',
    ])
  })
  it('are faults when they are not written right', () => {
    expect(places('a: "${not a name}"\nb: "${OPEN"')).toEqual([
      '1:4 a: must have a variable like ${NAME} or ${NAME:-default}, or $${ for a plain ${, got "${not a name}"',
      '2:4 b: must have a variable like ${NAME} or ${NAME:-default}, or $${ for a plain ${, got "${OPEN"',
    ])
  })
  it('are shown in messages as they are written', () => {
    const document = read('password: ${PASS}', { PASS: 'hunter2' })
    expect(document.fault(['password'], 'must be long, got "hunter2"').message).toBe('must be long, got "${PASS}"')
  })
})

describe('faults of the text', () => {
  it('are located', () => {
    const { faults, value } = read('a: { b: rate(x[5m]), c: 1 }\nd: 3')
    expect(faults).toEqual([
      expect.objectContaining({ file: 'f.yaml', line: 1, column: 15, message: expect.stringContaining('needs quotes') }),
    ])
    expect(value).toBeUndefined()
  })
  it('name a key written twice and keep the rest readable', () => {
    const document = read('a:\n  b: 1\n  c: 2\n  b: 3')
    expect(document.faults).toEqual([
      { file: 'f.yaml', line: 4, column: 3, path: 'a.b', message: 'must be written once, got the key "b" again' },
    ])
    expect(document.value).toMatchObject({ a: { c: 2 } })
  })
  it('name an alias without anchor', () => {
    expect(places('a: *gone')).toEqual(['1:4 a: must name an anchor that stands before it, got *gone'])
  })
  it('name the first value that aliases make too many', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`),
    ]
    expect(places(bomb.join('\n'))).toEqual(['6:16 f[2]: must have at most 250000 values with aliases put in, got more'])
  })
  it('refuse merges that double each time', () => {
    const doubled = Array.from({ length: 40 }, (_, i) => `b${i + 1}: &b${i + 1}\n  <<: [*b${i}, *b${i}]\n  own${i}: 1`)
    expect(places(`b0: &b0 { x: 1 }\n${doubled.join('\n')}`)).toEqual([
      expect.stringMatching(/^\d+:\d+ b\d+\["<<"\]\[\d\]: must have at most 250000 values/),
    ])
  })
  it.each([
    ['a: &a\n  b: *a', '2:6 a.b: must not stand inside of what it names, got *a'],
    ['a: &a [x, *a]', '1:11 a[1]: must not stand inside of what it names, got *a'],
    ['a: &a\n  <<: *a\n  x: 1', '2:7 a["<<"]: must not stand inside of what it names, got *a'],
    ['a: &a { b: &b [*a] }', '1:16 a.b[0]: must not stand inside of what it names, got *a'],
    ['a: 1\n<<: 2', '2:5 : must be a mapping or a list of mappings to be merged, got something else'],
    ['? [a, b]\n: c', '1:3 : must have text as keys, got something else'],
    ['a: 1\n---\nb: 2', '2:1 : must be one document, got another one behind ---'],
    ['a: b\0c', '1:5 : must be text without control characters, got U+0000'],
    ['a:\n\t- b', '2:1 : must be YAML: tabs are not allowed as indentation'],
  ])('refuse %j', (text, place) => expect(places(text)).toEqual([place]))
  it.each([
    ['a list that opens and opens', `a:\n  ${'['.repeat(20_000)}`, /^2:\d+ : must be nested at most 64 deep, got one more$/],
    ['lists in one line', '- '.repeat(5000), /^1:128 : must be nested at most 64 deep/],
    [
      'mappings that step to the right',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /^6\d:\d+ : must be nested at most 64 deep/,
    ],
    ['a text that is too long', 'x'.repeat(1_048_577), /^0:0 : must have at most 1 MiB, got 1 MiB$/],
  ])('refuse %s', (_, text, place) => expect(places(text)).toEqual([expect.stringMatching(place)]))
  it('are no more than a hundred keys that are written twice', () => {
    expect(places('a: 1\n'.repeat(2000))).toHaveLength(100)
  })
  it('leave out what follows from a text that is no YAML', () => {
    expect(places('a: [b\nc: *gone')).toHaveLength(1)
  })
})

describe('values', () => {
  it.each([
    ['a byte order mark', '\uFEFFa: 1', { a: 1 }],
    ['nothing', '', null],
    ['a comment', '# nothing', null],
    ['a long line', `a: ${'x'.repeat(100_000)}`, { a: 'x'.repeat(100_000) }],
    ['line ends of other systems', 'a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['numbers as keys', '1: a\ntrue: b', { 1: 'a', true: 'b' }],
    ['an alias as a key', 'a: &a k\n*a : 2', { a: 'k', k: 2 }],
    ['a key that objects have', '__proto__: { x: 1 }', JSON.parse('{"__proto__":{"x":1}}')],
    ['an anchor that is used again', 'a: &a 1\nb: *a\nc: &a 2\nd: *a', { a: 1, b: 1, c: 2, d: 2 }],
    ['merge keys', 'a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3', { a: { x: 1, y: 2 }, b: { x: 3, y: 2 } }],
    ['lists of merge keys', 'a: &a {x: 1}\nb: {y: 1, <<: [*a, {x: 2, z: 3}]}', { a: { x: 1 }, b: { y: 1, x: 1, z: 3 } }],
    ['a merge key in quotes', 'a: { "<<": 1 }', { a: { '<<': 1 } }],
  ])('are read from %s', (_, text, value) => {
    const document = read(text)
    expect(document.faults).toEqual([])
    expect(document.value).toEqual(value)
  })
  it('are those of the library, for any text that it writes', () => {
    const key = fc.string({ unit: 'grapheme-ascii', maxLength: 5 }).filter(text => !text.includes('<<'))
    const { tree } = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('tree'), { maxLength: 4 }),
      map: fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    }))
    fc.assert(
      fc.property(tree, data => {
        const text = stringify(data)
        fc.pre(!text.includes('${'))
        expect(read(text).value).toEqual(parse(text))
      }),
    )
  })
  it('may name one anchor ten thousand times', () => {
    const { faults, value } = read(`a: &a { x: 1 }\nb:\n${'  - *a\n'.repeat(10_000)}`)
    expect(faults).toEqual([])
    expect((value as { b: unknown[] }).b).toHaveLength(10_000)
  })
})

describe('places', () => {
  const text =
    'base: &base\n  step: 5m\n  odd: 1\nflows:\n  - name: one\n    query: { <<: *base, expr: up }\n  - <<: *base\n    name: two\n'
  it.each([
    [['flows', 0, 'name'], 'value', '5:11'],
    [['flows', 0, 'name'], 'key', '5:5'],
    [['flows', 0, 'query', 'expr'], 'value', '6:31'],
    [['flows', 0, 'query', 'step'], 'value', '2:9'],
    [['flows', 1, 'odd'], 'key', '3:3'],
    [['flows', 0, 'query', 'missing'], 'value', '6:12'],
    [['flows', 0, 'missing'], 'value', '5:5'],
    [['flows'], 'value', '4:1'],
    [['nowhere', 'at', 'all'], 'value', '1:1'],
  ] as const)('%j (%s) is at %s', (path, at, place) => {
    const { line, column } = read(text).fault(path, 'must', at)
    expect(`${line}:${column}`).toBe(place)
  })
})

it('prints paths as people write them', () => {
  expect(printPath(['flows', 0, 'labels', 'a b', 'c'])).toBe('flows[0].labels["a b"].c')
})
