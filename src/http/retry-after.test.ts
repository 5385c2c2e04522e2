import { expect, it } from 'vitest'
import { readRetryAfter } from './retry-after.ts'

const NOW = Date.UTC(2026, 0, 5)

it.each([
  ['7', 7000],
  [' 0.5 ', 500],
  [new Date(NOW + 9000).toUTCString(), 9000],
  [new Date(NOW - 9000).toUTCString(), 0],
  ['soon', undefined],
  ['', undefined],
])('reads %j as %j ms', (text, expected) => {
  expect(readRetryAfter(new Headers({ 'retry-after': text }), NOW)).toBe(expected)
})

it('gives nothing without the header', () => {
  expect(readRetryAfter(new Headers(), NOW)).toBeUndefined()
})
