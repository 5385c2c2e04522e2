import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { readConfiguration } from '../src/cli/read-configuration.ts'

it.each([
  ['detect', /^rows 4000 to 40\d\d: Requests fell from \d+ to \d+/],
  ['own-detector', /^row 500: The value was 1\d\d/],
])('examples/%s.ts runs', (name, printed) => {
  expect(execFileSync(process.execPath, [`examples/${name}.ts`], { encoding: 'utf8' })).toMatch(printed)
})

it.each(['tidewatch', 'calendar', 'learned', 'locked', 'replicas', 'coredns-together'])(
  'examples/%s.yaml is a configuration without a fault',
  async name => {
    expect((await readConfiguration(`examples/${name}.yaml`)).flows.length).toBeGreaterThan(0)
  },
)
