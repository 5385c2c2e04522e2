import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { hashToken } from '../src/password.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-locked-'))
const file = join(folder, 'tidewatch.yaml')
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const configure = (server: string) =>
  writeFileSync(
    file,
    `sources: { data: { type: csv, path: data.csv } }\nstore: { type: memory }\nserver: ${server}\nflows:\n  - { name: first, query: { expr: value } }\n`,
  )

/** Runs `serve` until a line of its log says so, or until it has ended. */
function serve(until: RegExp): Promise<{ log: string; code: number | null; found: string | undefined; lines: () => string }> {
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  let log = ''
  return new Promise(resolve => {
    child.stderr.on('data', chunk => {
      log += chunk
      const found = until.exec(log)?.[1]
      if (found) resolve({ log, code: null, found, lines: () => log })
    })
    child.once('close', code => resolve({ log, code, found: undefined, lines: () => log }))
  })
}

describe('serve', () => {
  it('does not open its port to others without auth', async () => {
    configure("{ listen: '0.0.0.0:0' }")
    const { code, log } = await serve(/page and API on (\S+)/)
    expect(code).toBe(2)
    expect(log).toMatch(/tidewatch\.yaml:3:19 server\.listen: must be an address of this machine only/)
  })

  it('asks everybody who they are, also for a reload, which takes other tokens', async () => {
    const withToken = (token: string) => configure(`{ listen: '0.0.0.0:0', auth: { bearer: { cli: '${hashToken(token)}' } } }`)
    withToken('the first token')
    const { found, log, lines } = await serve(/page and API on (\S+)[^]*without server\.tls/)
    const url = found!.replace('localhost', '127.0.0.1')
    expect(log).not.toContain('the first token')
    const ask = async (path: string, token?: string, method = 'GET') =>
      (await fetch(`${url}${path}`, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })).status
    expect(await ask('/api/v1/flows')).toBe(401)
    expect(await ask('/-/reload', undefined, 'POST')).toBe(401)
    expect(await ask('/-/healthy')).toBe(200)
    expect(await ask('/metrics')).toBe(401)
    expect(await ask('/api/v1/flows', 'the first token')).toBe(200)
    withToken('the second token')
    expect(await ask('/-/reload', 'the first token', 'POST')).toBe(200)
    await expect.poll(lines).toContain('configuration reloaded')
    expect(await ask('/api/v1/flows', 'the first token')).toBe(401)
    expect(await ask('/api/v1/flows', 'the second token')).toBe(200)
    configure('{ listen: nowhere }')
    expect(await ask('/-/reload', 'the second token', 'POST')).toBe(400)
    await expect.poll(lines).toMatch(/configuration not changed:\s+\S*tidewatch\.yaml:3:\d+ server\.listen/)
  })
})
