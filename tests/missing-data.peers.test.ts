import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type FakeReceiver, openReceiver } from '../src/testing/fake-receiver.ts'
import { freePorts } from '../src/testing/free-ports.ts'
import { PATIENCE } from '../src/testing/patience.ts'

/** `tidewatch serve` beside a real Prometheus that scrapes every second; its targets are stopped, and taken out of its service discovery. */

const [PROMETHEUS] = await freePorts(1)
const root = join(import.meta.dirname, '..')
const children: ChildProcess[] = []
const targets: Server[] = []
let folder: string
let receiver: FakeReceiver
let api = ''

const portOf = (server: Server) => (server.address() as AddressInfo).port
const nameOf = (target: number) => `127.0.0.1:${portOf(targets[target]!)}`
const names: string[] = []

async function openTarget(port = 0): Promise<Server> {
  let scrapes = 0
  const server = createServer((_, response) => response.end(`# TYPE load gauge\nload ${50 + ((scrapes++ * 7919) % 13)}\n`))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** Prometheus reads the file when it is another one. */
async function discover(which: readonly string[]): Promise<void> {
  await writeFile(join(folder, 'next.json'), JSON.stringify([{ targets: which, labels: { job: 'web' } }]))
  await rename(join(folder, 'next.json'), join(folder, 'targets.json'))
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

interface Found {
  readonly labels: { readonly instance?: string }
  readonly sentence: string
  readonly status: string
  readonly ignored: string | null
}

async function anomalies(): Promise<readonly Found[]> {
  const answer = await fetch(`${api}/api/v1/anomalies?ignored=true`)
  return ((await answer.json()) as { anomalies: Found[] }).anomalies
}
const seriesCount = async () => {
  const { flows } = (await (await fetch(`${api}/api/v1/flows`)).json()) as { flows: { series: number; health: string }[] }
  return flows[0]!
}
const sentences = () => receiver.receipts.map(({ body }) => body?.anomaly?.sentence ?? body?.sentence ?? JSON.stringify(body))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-missing-'))
  receiver = await openReceiver()
  for (let i = 0; i < 4; i++) targets.push(await openTarget())
  names.push(...targets.map((_, i) => nameOf(i)))
  await discover(names)
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: web
    file_sd_configs: [{ files: ['${folder}/targets.json'], refresh_interval: 1s }]
`,
  )
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${PROMETHEUS}`,
    ],
    { stdio: 'ignore', cwd: folder },
  )
  children.push(prometheus)
  // What has hardly been there is not missed: each target needs some samples first.
  const count = async () => {
    const answer = await fetch(`http://127.0.0.1:${PROMETHEUS}/api/v1/query?query=count(count_over_time(load[1m])>9)`).catch(
      () => undefined,
    )
    return ((await answer?.json()) as any)?.data?.result?.[0]?.value?.[1]
  }
  await vi.waitFor(async () => expect(await count()).toBe('4'), PATIENCE)
  const file = join(folder, 'tidewatch.yaml')
  await writeFile(
    file,
    `sources: { prom: { type: prometheus, url: 'http://127.0.0.1:${PROMETHEUS}' } }
notifiers: { people: { type: webhook, url: '${receiver.url}' } }
store: { type: memory }
server: { listen: '127.0.0.1:0' }
flows:
  - name: web-load
    every: 1s
    query: { expr: load, step: 1s }
    delay: 2s
    detect: { type: absence, patience: 5s }
    refine: [{ type: merge, gap: 5s }, shape]
    notify: people
`,
  )
  const serve = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'serve', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  children.push(serve)
  let log = ''
  api = await new Promise((resolve, reject) => {
    serve.stderr!.on('data', chunk => {
      log += chunk
      const found = /page and API on (http:\S+)/.exec(log)
      if (found) resolve(found[1]!)
    })
    serve.once('exit', code => reject(new Error(`exit code ${code}: ${log}`)))
  })
  await vi.waitFor(async () => expect((await seriesCount()).series).toBe(4), PATIENCE)
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const target of targets) if (target.listening) await stop(target)
  await receiver?.close()
  await rm(folder, { recursive: true, force: true })
})

describe('missing data of a real Prometheus', () => {
  it('says that a target that was stopped is down, and resolves when it is back', async () => {
    const [first] = targets
    const port = portOf(first!)
    await stop(first!)
    await expect.poll(sentences).toContainEqual(expect.stringMatching(new RegExp(`${names[0]}.*target down`)))
    targets[0] = await openTarget(port)
    await expect.poll(async () => (await anomalies()).map(({ status }) => status)).toEqual(['resolved'])
    await expect.poll(() => receiver.receipts.length).toBe(2)
  })

  it('ignores a target that is no longer discovered, and forgets it', async () => {
    const before = receiver.receipts.length
    await discover(names.slice(0, 3))
    await expect
      .poll(async () => (await anomalies()).find(({ labels }) => labels.instance === names[3]))
      .toMatchObject({ ignored: 'its target is no longer discovered', status: 'resolved' })
    await expect.poll(async () => (await seriesCount()).series).toBe(3)
    expect(receiver.receipts.slice(before).map(({ text }) => text)).toEqual([])
  })

  it('is one message when everything is gone, and the flow has no data', async () => {
    const before = receiver.receipts.length
    await Promise.all(targets.slice(0, 3).map(stop))
    await expect.poll(() => sentences().slice(before)).toContainEqual(expect.stringContaining('all 3 series have had no data'))
    await expect.poll(async () => (await seriesCount()).health).toBe('no-data')
    expect(receiver.receipts.slice(before)).toHaveLength(1)
  })
})
