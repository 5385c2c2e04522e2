import { describe, expect, it } from 'vitest'
import { InputError } from './errors.ts'
import { compilePattern } from './pattern.ts'

describe('patterns of users', () => {
  it.each([
    ['a|b', 'a', true, true],
    ['a|b', 'xa', false, true],
    ['a-.*', 'a-1', true, true],
    ['^up$', 'up', true, true],
    ['', '', true, true],
    ['', 'a', false, true],
    ['(?i)DNS', 'dns', true, true],
    ['[[:digit:]]+', 'x12', false, true],
    ['(?P<zone>a)b', 'ab', true, true],
    ['größe\\d', 'größe1', true, true],
  ])('%j against %j: whole %s, part %s', (pattern, text, whole, part) => {
    const compiled = compilePattern(pattern)
    expect(compiled.matchesWhole(text)).toBe(whole)
    expect(compiled.matchesPart(text)).toBe(part)
  })

  it('take capitals for small letters when asked to', () => {
    expect(compilePattern('DNS', { ignoreCase: true }).matchesPart('coredns')).toBe(true)
    expect(compilePattern('DNS').matchesPart('coredns')).toBe(false)
  })

  it.each(['(?=a)b', '(?<!x)y', '(a)\\1', '(?>a)', 'a++', 'a{1001}', '((a{100}){100}){100}', '[', '(', '*'])(
    'refuse %s with what RE2 leaves out',
    text => {
      expect(() => compilePattern(text)).toThrow(InputError)
      expect(() => compilePattern(text)).toThrow(
        /^must be a regular expression of RE2, got ".+" \(.+no lookaround, no backreferences/,
      )
    },
  )

  it('refuse one that is too long to compile', () => {
    expect(() => compilePattern('a'.repeat(4097))).toThrow('must be a pattern of at most 4096 characters, got 4097')
  })

  // A backtracking engine takes longer than the universe has been there for each of these: ending at all is the assertion.
  it.each(['(a+)+$', '(a|aa)+$', '(a|a)*b', '(.*a){25}$', '([a-z]+)*\\d'])('%s ends on what nearly matches', pattern => {
    expect(compilePattern(pattern).matchesWhole(`${'a'.repeat(5000)}!`)).toBe(false)
  })
})
