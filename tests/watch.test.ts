import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeReceiver, openReceiver } from '../src/testing/fake-receiver.ts'

/** The watch on itself, as an operator sees it: a server, what it sends, and what it answers. */

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-watch-'))
const file = join(folder, 'tidewatch.yaml')
const data = join(folder, 'data.csv')
const database = join(folder, 'tidewatch.db')

let receiver: FakeReceiver
let switchOf: FakeReceiver
let child: ChildProcess
let url = ''
let log = ''

async function serve(): Promise<void> {
  log = ''
  child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli/main.ts'), 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  url = await new Promise((resolve, reject) => {
    child.stderr!.on('data', chunk => {
      log += chunk
      const found = /page and API on (http:\S+)/.exec(log)
      if (found) resolve(found[1]!)
    })
    child.once('exit', code => reject(new Error(`exit code ${code}: ${log}`)))
  })
}

beforeAll(async () => {
  receiver = await openReceiver()
  switchOf = await openReceiver()
  const now = Math.floor(Date.now() / 1000)
  const rows = Array.from({ length: 7200 }, (_, i) => `${now - 500 + i},${100 + ((i * 7919) % 13)}`)
  writeFileSync(data, ['timestamp,value', ...rows].join('\n'))
  writeFileSync(
    file,
    `
sources: { data: { type: csv, path: data.csv } }
notifiers: { hook: { type: webhook, url: '${receiver.url}' } }
store: { type: sqlite, path: tidewatch.db }
server: { listen: '127.0.0.1:0' }
watch: { after: 3s }
heartbeat: { url: '${switchOf.url}/s3cret', every: 1s }
flows:
  - { name: first, every: 1s, query: { expr: value, step: 1s } }
`,
  )
  await serve()
})
afterAll(async () => {
  child.kill('SIGKILL')
  await Promise.all([receiver.close(), switchOf.close()])
  rmSync(folder, { recursive: true, force: true })
})

const status = async () =>
  (await (await fetch(`${url}/api/v1/status`)).json()) as { problems: { component: string; name: string }[]; open: number }
const sent = () =>
  receiver.receipts.map(
    ({ body }) => `${body.kind} ${body.anomaly.flow} ${body.anomaly.labels.component} ${body.anomaly.labels.name}`,
  )
const beats = () => switchOf.receipts.length
/** Lines of the log about something. What a process prints and what it answers arrive in any order. */
const logged = (what: string) => log.split('\n').filter(line => line.includes(what))

describe('a watch that works', () => {
  it('feeds its heartbeat, and reports nothing', async () => {
    await expect.poll(beats).toBeGreaterThan(0)
    expect((await status()).problems).toEqual([])
    expect(sent()).toEqual([])
  })
})

describe('a source that fails', () => {
  it('is reported once, shown, and withholds the heartbeat where it is the only one', async () => {
    renameSync(data, `${data}.away`)
    await expect.poll(sent).toEqual(['opened tidewatch source data'])
    expect(receiver.receipts[0]!.body.anomaly.sentence).toMatch(/^Source data does not answer: .*\(since \d\d:\d\d UTC\)$/)
    expect((await status()).problems).toMatchObject([{ component: 'source', name: 'data' }])
    expect((await status()).open).toBe(0)
    await expect.poll(() => logged('heartbeat fails')).toEqual([expect.stringContaining('no source answers')])
    expect(log).not.toContain('s3cret')
  })

  it('is not reported again after a restart, and its end is reported', async () => {
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    await serve()
    await expect.poll(async () => (await status()).problems).toMatchObject([{ component: 'source', name: 'data' }])
    renameSync(`${data}.away`, data)
    await expect.poll(sent).toEqual(['opened tidewatch source data', 'resolved tidewatch source data'])
    const before = beats()
    await expect.poll(beats).toBeGreaterThan(before)
    await expect.poll(async () => (await status()).problems).toEqual([])
  })
})

describe('a store that was deleted', () => {
  it('makes the server not ready, while it stays alive', async () => {
    expect((await fetch(`${url}/-/ready`)).status).toBe(200)
    renameSync(database, `${database}.away`)
    await expect.poll(async () => (await fetch(`${url}/-/ready`)).status).toBe(503)
    expect(await (await fetch(`${url}/-/ready`)).text()).toContain('the store cannot be written')
    expect((await fetch(`${url}/-/healthy`)).status).toBe(200)
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^tidewatch_store_up 0$/m)
    await expect.poll(() => logged('store fails')).toHaveLength(1)
    renameSync(`${database}.away`, database)
    await expect.poll(async () => (await fetch(`${url}/-/ready`)).status).toBe(200)
    await expect.poll(() => logged('store works again')).toHaveLength(1)
  })
})
