import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takeApart } from './answer-elements.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const apart = (text: string) => {
  const { envelope, count, each } = takeApart(bytesOf(text))
  const elements = [...each()]
  expect(elements).toHaveLength(count)
  return { envelope, elements }
}

describe('an answer taken apart', () => {
  it('is its envelope and its elements, whatever JSON they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), fc.constantFrom(undefined, 1, 2), (result, other, indent) => {
        const answer = { warnings: other, data: { result, resultType: 'matrix', stats: { result: [other] } }, status: 'success' }
        const text = JSON.stringify(answer, undefined, indent)
        const { data, ...beside } = JSON.parse(text)
        expect(apart(text)).toEqual({ envelope: { ...beside, data: { ...data, result: [] } }, elements: data.result })
      }),
    )
  })

  it('is all envelope without a list of results', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify({ result: value, data: [value] })
        expect(apart(text)).toEqual({ envelope: JSON.parse(text), elements: [] })
      }),
    )
    expect(apart('{"data":{"result":null}}').envelope).toEqual({ data: { result: null } })
  })

  it('keeps quotes, braces and letters of any script in the names of series', () => {
    const metric = { 'my.metric "x"': '}],{', path: 'C:\\', city: 'Zürich ☃ 北京' }
    expect(apart(JSON.stringify({ data: { result: [{ metric }] } })).elements).toEqual([{ metric }])
  })

  it.each([
    '',
    '{',
    '{"data":{"result":[',
    '{"data":{"result":[1,2]',
    '{"data":{"result":["a',
    '<html>',
    '{"data":{"result":[1,]}}',
  ])('throws at %j', text => expect(() => apart(text)).toThrow(SyntaxError))
})
