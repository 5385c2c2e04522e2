import { expect, it } from 'vitest'
import { guess, nearest } from './nearest.ts'

it.each([
  ['evry', 'every'],
  ['qurey', 'query'],
  ['seasnal', 'seasonal'],
  ['Budget', 'budget'],
])('takes %s for %s', (word, meant) => {
  expect(nearest(word, ['every', 'query', 'seasonal', 'budget', 'name'])).toBe(meant)
})

it('does not guess what is far from everything', () => {
  expect(nearest('weather', ['every', 'query'])).toBeUndefined()
  expect(guess('x', ['every'])).toBe('')
  expect(nearest('x', [])).toBeUndefined()
})

it('writes the guess as the end of a message', () => {
  expect(guess('evry', ['every'])).toBe(', did you mean "every"?')
})
