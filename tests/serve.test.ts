import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-serve-'))
const file = join(folder, 'tidewatch.yaml')
const GOOD = `
sources: { data: { type: csv, path: data.csv } }
store: { type: sqlite, path: tidewatch.db }
server: { listen: '127.0.0.1:0' }
flows:
  - { name: first, every: 1s, query: { expr: value, step: 1s } }
`
const children: ChildProcess[] = []
let url = ''
let log = ''

async function serve(): Promise<ChildProcess> {
  log = ''
  const child = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  url = await new Promise((resolve, reject) => {
    child.stderr.on('data', chunk => {
      log += chunk
      const found = /page and API on (http:\S+)/.exec(log)
      if (found) resolve(found[1]!)
    })
    child.once('exit', code => reject(new Error(`exit code ${code}: ${log}`)))
  })
  return child
}
const flows = async () => {
  const body = (await (await fetch(`${url}/api/v1/flows`)).json()) as {
    flows: { name: string; watermark: number | null; failures: number }[]
  }
  return body.flows
}
const names = async () => (await flows()).map(({ name }) => name).sort()

beforeAll(async () => {
  const now = Math.floor(Date.now() / 1000)
  const rows = Array.from({ length: 7200 }, (_, i) => `${now - 500 + i},${100 + ((i * 7919) % 13)},${i < 400 ? i % 7 : ''}`)
  writeFileSync(join(folder, 'data.csv'), ['timestamp,value,ended', ...rows].join('\n'))
  writeFileSync(file, GOOD)
  await serve()
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

describe('a running server', () => {
  it('runs its flows', async () => {
    await expect.poll(async () => (await flows())[0]?.watermark).toBeGreaterThan(0)
    expect((await fetch(`${url}/-/ready`)).status).toBe(200)
    const metrics = async () => (await fetch(`${url}/metrics`)).text()
    await expect.poll(metrics).toMatch(/tidewatch_runs_total\{flow="\w+",status="ok"\} [1-9]/)
  })

  it('refuses a configuration with ten mistakes, names all of them, and keeps the old one', async () => {
    cpSync(join(root, 'tests/configurations/ten-mistakes.yaml'), file)
    const response = await fetch(`${url}/-/reload`, { method: 'POST' })
    expect(response.status).toBe(400)
    const text = await response.text()
    expect(text.match(/tidewatch\.yaml:\d+:\d+ /g)?.length).toBeGreaterThanOrEqual(10)
    expect(await names()).toEqual(['first'])
    expect((await fetch(`${url}/-/ready`)).status).toBe(200)
  })

  it.each([
    ['aliases that stand in themselves', `${GOOD}x-own: &a\n  b: *a\n`, /tidewatch\.yaml:\d+:6 x-own\.b: must not stand inside/],
    ['a list that opens and opens', '['.repeat(100_000), /tidewatch\.yaml:1:\d+: must be nested at most 64 deep/],
  ])('answers 400 to %s, and keeps the old one', async (_, text, message) => {
    writeFileSync(file, text)
    const response = await fetch(`${url}/-/reload`, { method: 'POST' })
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(message)
    expect(await names()).toEqual(['first'])
  })

  it('takes a good one on SIGHUP, without a restart', async () => {
    writeFileSync(file, `${GOOD}  - { name: second, every: 1s, query: { expr: value, step: 1s } }\n`)
    children[0]!.kill('SIGHUP')
    await expect.poll(names).toEqual(['first', 'second'])
  })

  it('withdraws what a flow has open that is taken out of the file, and says why', async () => {
    const anomalies = async (status: string) => {
      const answer = await fetch(`${url}/api/v1/anomalies?flow=gone&status=${status}`)
      return ((await answer.json()) as { anomalies: { withdrawnBecause: string | null }[] }).anomalies
    }
    const gone = '  - { name: gone, every: 1s, detect: absence, query: { expr: ended, step: 1s }, forget: 1h }\n'
    writeFileSync(file, `${GOOD}${gone}`)
    children[0]!.kill('SIGHUP')
    await expect.poll(() => anomalies('open')).toMatchObject([{ withdrawnBecause: null }])
    writeFileSync(file, GOOD)
    children[0]!.kill('SIGHUP')
    await expect.poll(() => anomalies('withdrawn')).toMatchObject([{ withdrawnBecause: 'flow gone is not configured any more' }])
    // Answers are shared for a moment.
    await expect.poll(() => anomalies('open')).toEqual([])
  })

  it('does not let a second server use its store', async () => {
    const second = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'serve', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    children.push(second)
    let text = ''
    second.stderr.on('data', chunk => (text += chunk))
    const code = await new Promise(resolve => second.once('close', resolve))
    expect(code).toBe(1)
    expect(text).toMatch(/must be held by one process only, got process/)
    expect(text).not.toMatch(/\n\s+at /)
  })

  it('ends on SIGTERM and goes on where it was', async () => {
    const before = (await flows()).find(({ name }) => name === 'first')!.watermark!
    const gone = new Promise(resolve => children[0]!.once('exit', resolve))
    children[0]!.kill('SIGTERM')
    expect(await gone).toBe(0)
    await serve()
    await expect.poll(async () => (await flows()).find(({ name }) => name === 'first')?.watermark).toBeGreaterThanOrEqual(before)
  })
})
