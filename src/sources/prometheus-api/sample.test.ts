import { describe, expect, it } from 'vitest'
import { parseSample } from './sample.ts'

describe('a sample', () => {
  it.each([
    ['1', 1],
    ['-0.5', -0.5],
    ['1e3', 1000],
    ['1.5E-2', 0.015],
    ['+7', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['4.9e-324', 5e-324],
    ['NaN', NaN],
    ['nan', NaN],
    ['+Inf', Infinity],
    ['Inf', Infinity],
    ['-Inf', -Infinity],
    ['-infinity', -Infinity],
  ])('%j is %d', (text, value) => expect(parseSample(text)).toBe(value))

  it.each([
    [null],
    [''],
    [' '],
    [' 1'],
    ['1 '],
    [[]],
    [['1']],
    [true],
    [1],
    [{}],
    [undefined],
    ['0x10'],
    ['0x1p-2'],
    ['0b1'],
    ['1_000'],
    ['1,5'],
    ['1e999'],
    ['.'],
    ['e5'],
    ['1e'],
    ['--1'],
    ['null'],
    ['Infinite'],
  ])('%j is none', sent => expect(parseSample(sent)).toBeUndefined())
})
