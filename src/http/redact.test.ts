import { expect, it } from 'vitest'
import { redact } from './redact.ts'

it('replaces a secret as it is, and as JSON, an address and a form spell it', () => {
  const secret = 'hun"ter 2&more'
  const spelled = [secret, JSON.stringify({ secret }), encodeURIComponent(secret), String(new URLSearchParams({ secret }))]
  expect(spelled.map(text => redact(text, [secret]))).toEqual(['***', '{"secret":"***"}', '***', 'secret=***'])
})

it('replaces the longer of two secrets first', () => {
  expect(redact('is correct-horse-battery', ['correct-horse', 'correct-horse-battery'])).toBe('is ***')
})

it('replaces a short secret as a whole word only', () => {
  expect(redact('got 401 for tenant 1: "1" (u:1)', ['1'])).toBe('got 401 for tenant ***: "***" (u:***)')
  expect(redact('a.b and axb', ['a.b'])).toBe('*** and axb')
})

it('leaves a text alone when there is no secret', () => {
  expect(redact('as it was', [''])).toBe('as it was')
})
