import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

it.each([
  ['detect', /^rows 4000 to 40\d\d: Requests fell from \d+ to \d+/],
  ['own-detector', /^row 500: The value was 1\d\d/],
])('examples/%s.ts runs', (name, printed) => {
  expect(execFileSync(process.execPath, [`examples/${name}.ts`], { encoding: 'utf8' })).toMatch(printed)
})
