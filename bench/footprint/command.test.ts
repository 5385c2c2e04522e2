import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { COMMAND, nodeOfCommand } from './command.ts'

it('the command starts Node so that a service keeps little memory that it does not use', () => {
  const { env, execArgv } = nodeOfCommand()
  expect(env).toEqual({ MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' })
  expect(execArgv).toEqual(['--max-semi-space-size=2'])
  // Where it starts a newer Node than the one of the machine, that one gets the same; the variables it inherits.
  expect(readFileSync(COMMAND, 'utf8')).toContain(`spawn(own, ['${execArgv.join("', '")}'`)
})

it('the command runs as its first line says', () => {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const { status, stdout } = spawnSync(COMMAND, ['--version'], { encoding: 'utf8', env: { ...process.env, PATH } })
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
})

it('a command that begins otherwise is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-command-'))
  try {
    const file = join(folder, 'command.js')
    writeFileSync(file, '#!/usr/bin/env node\n')
    expect(() => nodeOfCommand(file)).toThrow('got #!/usr/bin/env node')
    writeFileSync(file, '#!/usr/bin/env -S node\n')
    expect(nodeOfCommand(file)).toEqual({ env: {}, execArgv: [] })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
