import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChannelWire, StatusWire } from '../src/server/wire.ts'
import { type FakeReceiver, openReceiver } from '../src/testing/fake-receiver.ts'
import { freePorts } from '../src/testing/free-ports.ts'

/**
 * `tidewatch serve` between a real Prometheus that scrapes pods every second and a real Alertmanager, with a proxy on the way that can refuse.
 * What counts is Alertmanager's own view: an alert is there while its anomaly is open, and not after it.
 */

const SECOND = 1000
const TOKEN_OUTAGE = 61 * SECOND
const PROXY_OUTAGE = 11 * SECOND
/** Longer than a cool-down of five steps, a run, a repetition and a back-off take. */
const SOON = 15 * SECOND

/** What Prometheus scrapes of each pod: 1, and 100 while it is anomalous. */
const load = new Map(['a', 'b', 'c', 'd', 'e'].map(name => [name, 1]))
const pod = (name: string) => ({
  begin: () => load.set(name, 100),
  end: () => load.set(name, 1),
})

let folder: string
let pods: Server
let prometheus: ChildProcess
let proxy: Server
let notified: FakeReceiver
let alertmanager: ChildProcess
let alertmanagerUrl: string
let watch: ChildProcess | undefined
let watchUrl: string
let log = ''
const door = { token: 'first', answers: 'pass' as 'pass' | '404', refused: 0 }
/** What Alertmanager was sent, by the time of arrival. */
const sent: { at: number; pod: string; endsAt: number }[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-pager-'))
  notified = await openReceiver()
  pods = await listen(async () => ({
    status: 200,
    text: `# TYPE load gauge\n${[...load].map(([name, value]) => `load{pod="${name}"} ${value}\n`).join('')}`,
  }))
  const [prometheusPort, port] = await freePorts(2)
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: pods
    static_configs: [{ targets: ['${new URL(urlOf(pods)).host}'] }]
`,
  )
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/prometheus`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
    ],
    { stdio: 'ignore' },
  )
  const prometheusUrl = `http://127.0.0.1:${prometheusPort}`
  const question = `${prometheusUrl}/api/v1/query?query=count(count_over_time(load[30s]) > 9)`
  await until('Prometheus has ten samples of each pod', async () =>
    (await (await fetch(question)).text()).includes(`"${load.size}"`),
  )
  alertmanagerUrl = `http://127.0.0.1:${port}`
  await writeFile(
    join(folder, 'alertmanager.yml'),
    `route: { receiver: all, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: all
    webhook_configs: [{ url: '${notified.url}', send_resolved: true }]
`,
  )
  alertmanager = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${folder}/alertmanager`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  )
  await until('Alertmanager is ready', async () => (await fetch(`${alertmanagerUrl}/-/ready`)).ok)
  proxy = await listen(async (request, body) => {
    if (request.headers.authorization !== `Bearer ${door.token}`) return refuse(401)
    if (door.answers === '404') return refuse(404)
    for (const { labels, endsAt } of JSON.parse(body)) sent.push({ at: Date.now(), pod: labels.pod, endsAt: Date.parse(endsAt) })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${alertmanagerUrl}${request.url}`, { method: request.method!, headers, body })
    return { status: answer.status, text: await answer.text() }
  })
  await writeFile(join(folder, 'token'), 'first')
  await writeFile(
    join(folder, 'tidewatch.yaml'),
    `
sources: { prom: { type: prometheus, url: '${prometheusUrl}' } }
notifiers:
  pager: { type: alertmanager, urls: ['${urlOf(proxy)}'], bearerTokenFile: token, resend: { every: 1s } }
store: { type: sqlite, path: tidewatch.db }
server: { listen: '127.0.0.1:0' }
flows:
  - name: load
    every: 1s
    query: { source: prom, expr: load, step: 1s }
    detect: [{ type: ewma }]
    rule: { type: threshold, upper: 50 }
    refine: [{ type: merge }, { type: shape }]
    notify: [pager]
    delay: 0s
    lookback: 30s
    labels: { severity: page }
`,
  )
  await start()
})

afterAll(async () => {
  for (const child of [watch, alertmanager, prometheus]) {
    if (!child || child.exitCode !== null || child.signalCode !== null) continue
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  for (const server of [pods, proxy]) {
    server?.closeAllConnections()
    server?.close()
  }
  await notified?.close()
  await rm(folder, { recursive: true, force: true })
})

const refuse = (status: number) => {
  door.refused++
  return { status, text: 'no' }
}

async function start(): Promise<void> {
  const child = spawn(
    process.execPath,
    [resolve(import.meta.dirname, '../src/cli/main.ts'), 'serve', '--config', join(folder, 'tidewatch.yaml')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  watch = child
  watchUrl = await new Promise((found, fail) => {
    let text = ''
    child.stderr.on('data', chunk => {
      log += chunk
      text += chunk
      const url = /page and API on (http:\S+)/.exec(text)?.[1]
      if (url) found(url)
    })
    child.once('exit', code => fail(new Error(`exit code ${code}: ${text}`)))
  })
}

async function stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const gone = once(watch!, 'exit')
  watch!.kill(signal)
  await gone
}

/** Pods with an alert at Alertmanager now. Two alerts of one pod are named twice. */
async function firing(): Promise<string[]> {
  const response = await fetch(`${alertmanagerUrl}/api/v2/alerts`)
  const alerts = (await response.json()) as { labels: { pod: string; severity: string } }[]
  for (const { labels } of alerts) expect(labels.severity).toBe('page')
  return alerts.map(({ labels }) => labels.pod).sort()
}

/** Calls `claim` about ten times a second for `ms`; it throws when something is not as it must be. */
async function throughout(ms: number, claim: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await wait(100)) await claim()
}

async function until(wish: string, claim: () => Promise<boolean>, ms = 30 * SECOND): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await wait(100)) if (await claim().catch(() => false)) return
  throw new Error(`${wish} within ${ms / SECOND}s; the log says:\n${log}`)
}

const fires = (...names: string[]) =>
  until(`Alertmanager has alerts of ${names.join(', ') || 'nobody'}`, async () => String(await firing()) === names.join(), SOON)

async function channel(): Promise<ChannelWire> {
  const { channels } = (await (await fetch(`${watchUrl}/api/v1/channels`)).json()) as { channels: ChannelWire[] }
  return channels[0]!
}

/** What people were notified of about a pod. */
const heard = (name: string) =>
  notified.receipts.flatMap(({ body }) =>
    (body.alerts as { status: string; labels: { pod: string } }[])
      .filter(({ labels }) => labels.pod === name)
      .map(({ status }) => status),
  )

/** Resolves when people were notified of exactly that about a pod; Alertmanager notifies a moment after its view has changed. */
const hears = (name: string, ...statuses: string[]) =>
  until(`${name} is heard as ${statuses.join(', then ')}`, async () => String(heard(name)) === statuses.join(), SOON)

async function listen(
  answer: (request: IncomingMessage, body: string) => Promise<{ status: number; text: string }>,
): Promise<Server> {
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { status, text } = await answer(request, Buffer.concat(chunks).toString())
      const type = text.startsWith('#') ? 'text/plain' : 'application/json'
      response.writeHead(status, { 'content-type': type }).end(text)
    } catch {
      request.socket.destroy()
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return server
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

describe('a pager on the other side of an outage', () => {
  it('keeps its alert while the token is refused, and hears the new one as soon as the token is right', async () => {
    await until('the flow has run', async () => (await readStatus()).series === load.size)
    pod('a').begin()
    await fires('a')
    door.token = 'second'
    pod('b').begin()
    await until('the channel fails', async () => (await channel()).health === 'failing', SOON)
    expect(await channel()).toMatchObject({
      lastError: expect.stringContaining('401'),
      failingSince: expect.any(Number),
      abandoned: 0,
    })
    await throughout(TOKEN_OUTAGE, async () => expect(await firing()).toEqual(['a']))
    expect(door.refused).toBeGreaterThan(5)
    expect((await channel()).pending).toBe(1)
    await writeFile(join(folder, 'token'), 'second')
    await fires('a', 'b')
    await until('the channel works', async () => (await channel()).health === 'ok', SOON)
    expect(await channel()).toMatchObject({ lastError: null, failingSince: null, pending: 0, abandoned: 0 })
    expect(log.match(/channel pager fails/g)).toHaveLength(1)
    expect(log.match(/channel pager works again/g)).toHaveLength(1)
    await hears('a', 'firing')
    await hears('b', 'firing')
  })

  it('hears of the end that happened while a proxy answered 404, and of nothing that began and ended meanwhile', async () => {
    door.answers = '404'
    pod('a').end()
    pod('c').begin()
    await wait(2 * SECOND)
    pod('c').end()
    await throughout(PROXY_OUTAGE, async () => expect(await firing()).toEqual(['a', 'b']))
    await until('both ends are found', async () => (await openPods()).join() === 'b')
    door.answers = 'pass'
    await fires('b')
    await hears('a', 'firing', 'resolved')
    expect([heard('b'), heard('c')]).toEqual([['firing'], []])
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'is right when the watch restarts after %s while anomalies come and go',
    async signal => {
      const [over, goes] = signal === 'SIGTERM' ? ['d', 'b'] : ['e', 'b']
      pod(over).begin()
      await fires(goes, over)
      await stop(signal)
      pod(over).end()
      // Longer than a scrape and the cool-down of five steps: it is over when the watch comes back, not only calm.
      await wait(8 * SECOND)
      const restarted = Date.now()
      await start()
      await throughout(4 * SECOND, async () => expect(await firing()).toContain(goes))
      await fires(goes)
      expect(sent.filter(({ at, pod }) => pod === over && at > restarted).every(({ at, endsAt }) => endsAt <= at)).toBe(true)
      await hears(over, 'firing', 'resolved')
      expect(heard(goes)).toEqual(['firing'])
    },
  )

  it('has no alert left when all is over, and everybody heard of each end once', async () => {
    pod('b').end()
    await fires()
    await hears('b', 'firing', 'resolved')
    expect(['a', 'b', 'c', 'd', 'e'].map(heard)).toEqual([
      ['firing', 'resolved'],
      ['firing', 'resolved'],
      [],
      ['firing', 'resolved'],
      ['firing', 'resolved'],
    ])
  })
})

async function readStatus(): Promise<StatusWire> {
  return (await (await fetch(`${watchUrl}/api/v1/status`)).json()) as StatusWire
}

async function openPods(): Promise<string[]> {
  const { anomalies } = (await (await fetch(`${watchUrl}/api/v1/anomalies?status=open`)).json()) as {
    anomalies: { labels: { pod: string } }[]
  }
  return anomalies.map(({ labels }) => labels.pod).sort()
}
