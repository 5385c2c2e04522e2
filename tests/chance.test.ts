import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** What makes a test fail on a busy machine, with an example of each. Real peers keep their own pace, so their tests may wait. */
const CHANCES = {
  'a time-out of its own': [
    /^ *\}, \d[\d_]{3,}\)$|\{ timeout: [\d_]+(, interval: \d+)? \}\)|\btimeout: [\d_]+ \}, (async )?\(/m,
    '}, 5_000)',
  ],
  'a pause in the place of an event': [
    /\bsetTimeout\((resolve|done|r), [1-9]|\b(?:wait|sleep)\([1-9][\d_]*\)/,
    'await new Promise(resolve => setTimeout(resolve, 50))',
  ],
  'a port that may be taken': [
    /\blisten\((?:[^()]|\([^()]*\))*(?:port: |, ?|\()[1-9]\d{3,4}\b/,
    "listen(app, { host: 'a', port: 31300 })",
  ],
  'an assertion about how long something took': [
    /expect\((?:Date|performance)\.now\(\) -/,
    'expect(Date.now() - start).toBeLessThan(100)',
  ],
  'a number that nobody can replay': [/(?:= |\() *Math\.random\(\)/, 'const x = Math.random()'],
} satisfies Record<string, readonly [RegExp, string]>

const root = resolve(import.meta.dirname, '..')
const tests = globSync('{src,tests,bench,lab}/**/*.test.ts', { cwd: root })
  .filter(file => !file.endsWith('.peers.test.ts') && file !== 'tests/chance.test.ts')
  .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))

describe.each(Object.entries(CHANCES))('%s', (_, [pattern, example]) => {
  it('is in no test', () => {
    expect(tests.filter(({ text }) => pattern.test(text)).map(({ file }) => file)).toEqual([])
  })
  it('is found', () => expect(example).toMatch(pattern))
})
