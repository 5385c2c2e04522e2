import { RE2JS, RE2JSException } from 're2js'
import { InputError } from './errors.ts'

/** A regular expression that a user wrote. */
export interface Pattern {
  /** Is all of the text what the pattern says? As Prometheus asks. */
  matchesWhole(text: string): boolean
  /** Is some part of the text what the pattern says? */
  matchesPart(text: string): boolean
}

/** The time to compile and to match grows with the length of the pattern; no real one is near this. */
const MAX_LENGTH = 4096
/** What RE2 leaves out of other dialects, so that a pattern takes time in proportion to the text, whatever both are. */
const UNSUPPORTED = 'RE2 has no lookaround, no backreferences, no possessive or atomic groups, and repeats at most 1000 times'

/**
 * Compiles a pattern of RE2, the dialect of Prometheus. JavaScript's own engine backtracks: `(a+)+$` needs minutes for a few dozen
 * characters. Patterns of users therefore come through here only. Throws an `InputError` `must be …, got …`.
 */
export function compilePattern(text: string, options: { readonly ignoreCase?: boolean } = {}): Pattern {
  const { length } = text
  if (length > MAX_LENGTH) throw new InputError(`must be a pattern of at most ${MAX_LENGTH} characters, got ${length}`)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(text, options.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const reason = error.message.replace('error parsing regexp: ', '')
    throw new InputError(`must be a regular expression of RE2, got ${JSON.stringify(text)} (${reason}; ${UNSUPPORTED})`)
  }
  return {
    matchesWhole: subject => compiled.testExact(subject),
    matchesPart: subject => compiled.test(subject),
  }
}
