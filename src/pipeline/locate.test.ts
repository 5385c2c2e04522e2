import { describe, expect, it } from 'vitest'
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
  it('refuse an alias bomb', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`),
    ]
    expect(places(bomb.join('\n')).join()).toMatch(/must be YAML/)
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
