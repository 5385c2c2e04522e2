import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hashToken } from '../password.ts'
import { makeApp } from '../server/app.ts'
import { type Listening, listen } from '../server/listen.ts'
import { capture } from '../testing/capture.ts'
import { fakeServerParts, learnedWorld } from '../testing/fake-server-parts.ts'
import { main } from './main.ts'

const world = learnedWorld()
let server: Listening
beforeAll(async () => {
  server = await listen(makeApp(fakeServerParts(world)), { host: '127.0.0.1', port: 0 })
})
afterAll(() => server.close())
beforeEach(() => {
  world.models = learnedWorld().models
})

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = capture()
  const code = await main(argv, terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}
const FIRST = 'job="coredns",server="dns://:53"'

describe('models', () => {
  it('are printed as a table, newest first', async () => {
    const { code, out, err } = await run('models', '--url', server.url)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [header, first, ...rest] = out.trimEnd().split('\n')
    expect(header).toMatch(/^flow +detector +workload +version +status +reason +made +rows +error +error before +seconds$/)
    expect(first).toMatch(
      /^coredns-latency +lstm +\{job="coredns",server="dns:\/\/:53"\} +5 +refused +drift +2026-03-12 13:30Z +3482/,
    )
    expect(rest).toHaveLength(4)
    expect(rest[3]).toContain('retired, of another configuration')
  })

  it('are printed as JSON, of one flow, so many', async () => {
    const { out } = await run('models', '--json', '--limit', '2', '--url', server.url)
    expect(JSON.parse(out)).toMatchObject({ total: 5, models: [{ version: 5 }, { version: 4 }] })
    expect((await run('models', '--limit', '2', '--url', server.url)).err).toContain('3 older ones are not shown')
    expect(await run('models', '--flow', 'coredns-up', '--url', server.url)).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('no model was fitted yet'),
    })
  })

  it.each([
    ['the options at the end', ['models', 'restore', 'coredns-latency', 'lstm', '3', '--workload', FIRST, '--url']],
    ['the options first', ['models', 'restore', '--workload', `{${FIRST}}`, 'coredns-latency', 'lstm', '3', '--url']],
  ])('are taken back, with %s', async (_, argv) => {
    expect(await run(...argv, server.url.replace('http://', ''))).toEqual({
      code: 0,
      out: `model 3 of lstm for {${FIRST}} is in force from the next run of coredns-latency on\n`,
      err: '',
    })
    expect(world.models.find(({ version }) => version === 3)!.status).toBe('in force')
  })

  it('name what is wrong', async () => {
    const restore = (...argv: string[]) => run('models', 'restore', 'coredns-latency', 'lstm', ...argv, '--url', server.url)
    expect(await restore('3')).toMatchObject({ code: 2, err: expect.stringContaining('workload must be one of {job=') })
    expect(await restore('4', '--workload', FIRST)).toMatchObject({
      code: 2,
      err: 'tidewatch: version must be one that is not in force, got 4\n',
    })
    expect(await restore('x')).toMatchObject({ code: 2, err: expect.stringContaining('must be a whole number') })
    expect(await restore('3', '--workload', 'job')).toMatchObject({
      code: 2,
      err: expect.stringContaining('workload must be one'),
    })
    expect(await restore('3', '--workload', 'job=dns')).toMatchObject({
      code: 2,
      err: `tidewatch: --workload must be labels like 'job="dns",zone="a"', got "job=dns"\n`,
    })
  })

  it('are given by a locked service to who shows a token, and to nobody else', async () => {
    const token = 'token-of-an-operator'
    const locked = learnedWorld()
    const auth = { basic: {}, bearer: { operator: hashToken(token) }, open: [] }
    locked.configuration = { ...locked.configuration, server: { ...locked.configuration.server, auth } }
    const door = await listen(makeApp(fakeServerParts(locked)), { host: '127.0.0.1', port: 0 })
    const folder = mkdtempSync(join(tmpdir(), 'tidewatch-models-'))
    const file = join(folder, 'token')
    writeFileSync(file, token)
    expect(await run('models', '--json', '--url', door.url, '--bearer-token-file', file)).toMatchObject({ code: 0, err: '' })
    const restore = ['models', 'restore', 'coredns-latency', 'lstm', '3', '--workload', FIRST, '--url', door.url]
    expect(await run(...restore, '--bearer-token-file', file)).toMatchObject({ code: 0, err: '' })
    expect(await run('models', '--url', door.url)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/must have the credentials of server\.auth; say who asks: --bearer-token-file/),
    })
    writeFileSync(file, 'another-token')
    const wrong = await run('models', '--url', door.url, '--bearer-token-file', file)
    expect(wrong.err).toMatch(/; check --bearer-token-file$/m)
    expect(wrong.err).not.toContain('another-token')
    await door.close()
    rmSync(folder, { recursive: true })
  })

  it('say when nobody answers', async () => {
    const gone = await listen(makeApp(fakeServerParts(world)), { host: '127.0.0.1', port: 0 })
    await gone.close()
    expect(await run('models', '--url', gone.url)).toEqual({
      code: 1,
      out: '',
      err: `tidewatch: ${gone.url} must be a running Tidewatch, got connect ECONNREFUSED ${new URL(gone.url).host}\n`,
    })
    expect(await run('models', '--url', 'http://')).toMatchObject({ code: 2, err: expect.stringContaining('--url must be') })
    expect(await run('models', '--url', `${server.url}/else`)).toMatchObject({ code: 2 })
  })
})
