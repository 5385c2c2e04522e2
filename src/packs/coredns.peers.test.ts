import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { GENERATIONS, signalsOf } from './coredns.ts'

it('writes expressions that Prometheus accepts, in every generation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-pack-'))
  try {
    const rules = GENERATIONS.flatMap(generation =>
      [true, false].flatMap(cacheRequests =>
        signalsOf({ generation, selector: 'job="coredns"', window: '1m', cacheRequests }).map(({ id, expr }) => ({
          record: `${id}_${generation}_${cacheRequests}`.replaceAll(/[^a-z0-9_]/g, '_'),
          expr,
        })),
      ),
    )
    const file = join(folder, 'rules.yml')
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'pack', rules }] }))
    expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(`${rules.length} rules found`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
