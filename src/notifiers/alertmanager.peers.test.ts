import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { MINUTE, SECOND } from '../duration.ts'
import { deliver } from '../responding/outbox.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Message } from '../stores/store.ts'
import { type FakeReceiver, openReceiver } from '../testing/fake-receiver.ts'
import { freePorts } from '../testing/free-ports.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { PATIENCE } from '../testing/patience.ts'
import { alertmanager } from './alertmanager.ts'

/** Talks to real Alertmanagers: two replicas that gossip, and a receiver that sees what they notify. */

const [a, b, clusterA, clusterB, nobody] = await freePorts(5)
const PORTS = { a: a!, b: b!, clusterA: clusterA!, clusterB: clusterB!, nobody: nobody! }
const urls = [`http://127.0.0.1:${PORTS.a}`, `http://127.0.0.1:${PORTS.b}`]

let folder: string
let receiver: FakeReceiver
const running: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-alertmanager-'))
  receiver = await openReceiver()
  await writeFile(
    join(folder, 'alertmanager.yml'),
    `route: { receiver: all, group_by: ['...'], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: all
    webhook_configs: [{ url: '${receiver.url}', send_resolved: true }]
`,
  )
  // One after the other, so that the second finds the first; otherwise each waits long before it looks again, and both notify.
  await start('a', PORTS.a, PORTS.clusterA, PORTS.clusterB)
  await start('b', PORTS.b, PORTS.clusterB, PORTS.clusterA)
  for (const url of urls) await vi.waitFor(async () => expect(await peersOf(url)).toBe(2), PATIENCE)
})

afterAll(async () => {
  await Promise.all(
    running.map(async child => {
      if (child.exitCode !== null) return
      child.kill()
      await once(child, 'exit')
    }),
  )
  await receiver?.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(name: string, port: number, cluster: number, peer: number): Promise<void> {
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${folder}/alertmanager.yml`,
      `--storage.path=${folder}/${name}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--cluster.listen-address=127.0.0.1:${cluster}`,
      `--cluster.peer=127.0.0.1:${peer}`,
      '--cluster.settle-timeout=1s',
      '--cluster.peer-timeout=1s',
    ],
    { stdio: 'ignore' },
  )
  running.push(child)
  const ready = () => fetch(`http://127.0.0.1:${port}/-/ready`).then(response => response.ok)
  const gone = once(child, 'error').then(([error]) => Promise.reject(error))
  await Promise.race([vi.waitFor(async () => expect(await ready()).toBe(true), PATIENCE), gone])
}

async function peersOf(url: string): Promise<number> {
  const { cluster } = (await (await fetch(`${url}/api/v2/status`)).json()) as { cluster: { peers?: unknown[] } }
  return cluster.peers?.length ?? 0
}

interface Seen {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
}

async function alertsAt(url: string, alertname: string): Promise<Seen[]> {
  const response = await fetch(`${url}/api/v2/alerts?filter=${encodeURIComponent(`alertname="${alertname}"`)}`)
  expect(response.status).toBe(200)
  return (await response.json()) as Seen[]
}

function open(config: object = {}, now: () => number = Date.now) {
  const lines: string[] = []
  const needs = { fetch, now, log: (line: string) => void lines.push(line), externalUrl: 'http://tidewatch.example' }
  return { lines, notifier: alertmanager.create(alertmanager.config.parse({ urls, ...config }), needs) }
}

/** An anomaly of the flow that began ten minutes ago. */
function messageOf(flow: string, changes: Partial<Message['anomaly']> = {}, message: Partial<Message> = {}): Message {
  const now = Date.now()
  const example = exampleMessage({ createdAt: now, ...message })
  return { ...example, anomaly: { ...example.anomaly, flow, start: now - 10 * MINUTE, end: now - MINUTE, ...changes } }
}

const signal = AbortSignal.timeout(250_000)

describe('a real Alertmanager', () => {
  it('has the alert at every replica, with no number in its labels', async () => {
    const message = messageOf('stands')
    await open().notifier.send(message, signal)
    for (const url of urls) {
      const alerts = await alertsAt(url, 'stands')
      expect(alerts).toHaveLength(1)
      expect(alerts[0]!.labels).toEqual({
        alertname: 'stands',
        flow: 'stands',
        instance: '10.0.0.1:9153',
        job: 'coredns',
        metric: 'coredns_dns_requests_total',
        severity: 'warning',
        team: 'dns',
      })
      expect(alerts[0]!.annotations).toMatchObject({ score: '9.5', current: '480', anomaly_id: 'a1' })
      expect(Date.parse(alerts[0]!.startsAt)).toBe(message.anomaly.start)
      expect(Date.parse(alerts[0]!.endsAt)).toBeGreaterThan(Date.now() + 14 * MINUTE)
      expect(alerts[0]!.generatorURL).toBe('http://tidewatch.example/#/anomalies/a1')
    }
  })

  it('keeps one alert when it is told again, with the latest numbers', async () => {
    const { notifier } = open()
    const message = messageOf('again')
    await notifier.send(message, signal)
    await notifier.send({ ...message, anomaly: { ...message.anomaly, score: 12, current: 700 } }, signal)
    for (const url of urls) {
      const alerts = await alertsAt(url, 'again')
      expect(alerts.map(({ annotations }) => [annotations.score, annotations.current])).toEqual([['12', '700']])
    }
  })

  it.each(['resolved', 'withdrawn'] as const)('ends the alert when the anomaly is %s', async kind => {
    const { notifier } = open()
    const message = messageOf(kind)
    await notifier.send(message, signal)
    expect(await alertsAt(urls[0]!, kind)).toHaveLength(1)
    await notifier.send({ ...message, kind, createdAt: Date.now() }, signal)
    for (const url of urls) await expect.poll(() => alertsAt(url, kind)).toEqual([])
  })

  it('notifies once that it fires and once that it is over, with two replicas and many repetitions', async () => {
    const { notifier } = open()
    const message = messageOf('notified')
    const statuses = () =>
      receiver.receipts
        .filter(({ body }) => body.alerts[0].labels.alertname === 'notified')
        .map(({ body }) => body.alerts[0].status as string)
    for (let i = 0; i < 3; i++) await notifier.send(message, signal)
    await expect.poll(statuses).toEqual(['firing'])
    // The second replica looks a second later; an alert that ends meanwhile is notified twice by Alertmanager itself.
    await new Promise(resolve => setTimeout(resolve, 4 * SECOND))
    expect(statuses()).toEqual(['firing'])
    const over = { ...message, kind: 'resolved' as const, createdAt: Date.now() }
    for (let i = 0; i < 3; i++) await notifier.send(over, signal)
    await expect.poll(statuses).toEqual(['firing', 'resolved'])
    await new Promise(resolve => setTimeout(resolve, 4 * SECOND))
    expect(statuses()).toEqual(['firing', 'resolved'])
  })

  it('keeps the second anomaly of a series firing while the end of the first is said again', async () => {
    const { notifier } = open()
    const first = messageOf('second')
    const second = messageOf('second', { id: 'a2', start: Date.now() - MINUTE / 2, end: Date.now() })
    await notifier.send(first, signal)
    await notifier.send({ ...first, kind: 'resolved' }, signal)
    await notifier.send(second, signal)
    await notifier.send({ ...first, kind: 'resolved', stillOpen: [second.anomaly] }, signal)
    for (const url of urls) expect((await alertsAt(url, 'second')).map(alert => alert.annotations.anomaly_id)).toEqual(['a2'])
  })

  it('ends the alert by itself when we are dead', async () => {
    await open({ resend: { every: '1s', lapse: '4s' } }).notifier.send(messageOf('dead'), signal)
    expect(await alertsAt(urls[0]!, 'dead')).toHaveLength(1)
    await expect.poll(() => alertsAt(urls[0]!, 'dead')).toEqual([])
  })

  it('takes labels with any name and text', async () => {
    const labels = { __name__: 'a:b', 'k8s.io/zone': 'ä"\\\n', '0': 'x', flow: 'mine', empty: '' }
    await open().notifier.send(messageOf('odd', { labels }), signal)
    expect((await alertsAt(urls[0]!, 'odd'))[0]!.labels).toMatchObject({
      metric: 'a:b',
      k8s_io_zone: 'ä"\\\n',
      _0: 'x',
      exported_flow: 'mine',
      flow: 'odd',
    })
  })

  it('takes an anomaly that is to start in the future of its end', async () => {
    const { notifier } = open({}, () => Date.now() - 60 * MINUTE)
    await expect(notifier.send(messageOf('skewed'), signal)).resolves.toContain('skewed')
  })

  it('is quoted when it refuses for good', async () => {
    const spoiling: typeof fetch = (url, init) =>
      fetch(url, { ...init, body: String(init!.body).replace(/"startsAt":"[^"]*"/, '"startsAt":"9999-01-01T00:00:00Z"') })
    const needs = { fetch: spoiling, now: Date.now, log: () => {}, externalUrl: '' }
    const notifier = alertmanager.create(alertmanager.config.parse({ urls }), needs)
    await expect(notifier.send(messageOf('wrong'), signal)).rejects.toMatchObject({
      about: 'message',
      message: expect.stringMatching(/must answer 2xx, got 400 .*start time must be before end time/),
    })
  })
})

describe('with one replica down', () => {
  it('delivers to the other and tells which one is down', async () => {
    const { notifier, lines } = open({ urls: [`http://127.0.0.1:${PORTS.nobody}`, urls[1]] })
    await notifier.send(messageOf('half'), signal)
    expect(await alertsAt(urls[1]!, 'half')).toHaveLength(1)
    expect(await alertsAt(urls[0]!, 'half')).toHaveLength(0)
    expect(lines).toEqual([expect.stringContaining(`http://127.0.0.1:${PORTS.nobody} must answer, got`)])
  })

  it('fails for now when none is left', async () => {
    const { notifier } = open({ urls: [`http://127.0.0.1:${PORTS.nobody}`] })
    await expect(notifier.send(messageOf('none'), signal)).rejects.toMatchObject({ about: 'channel' })
  })

  it('tells a replica that comes back with the next repetition', async () => {
    running[0]!.kill()
    await once(running[0]!, 'exit')
    const { notifier, lines } = open()
    const message = messageOf('back')
    await notifier.send(message, signal)
    await rm(join(folder, 'a'), { recursive: true })
    await start('a', PORTS.a, PORTS.clusterA, PORTS.clusterB)
    expect(await alertsAt(urls[0]!, 'back')).toEqual([])
    await notifier.send(message, signal)
    expect(await alertsAt(urls[0]!, 'back')).toHaveLength(1)
    expect(lines.map(line => line.replace(/.*(must answer, got|accepts again).*/, '$1'))).toEqual([
      'must answer, got',
      'accepts again',
    ])
  })
})

it('hears of the life of an anomaly through store and outbox', async () => {
  const store = fromMemory()
  const { notifier } = open()
  const start = Date.now() - 5 * MINUTE
  const {
    id: _,
    version: __,
    flow: ___,
    status: ____,
    openedAt: _____,
    updatedAt: ______,
    annotations,
    ...anomaly
  } = messageOf('life').anomaly
  const commit = (ongoing: boolean) =>
    store.commit({
      flow: 'life',
      range: { start: start - MINUTE, end: Date.now() },
      startedAt: Date.now(),
      finishedAt: Date.now(),
      anomalies: [{ ...anomaly, start, end: Date.now() - MINUTE, ongoing }],
      mergeGap: 0,
      watermark: NaN,
      snapshots: [],
      forgotten: [],
      points: [],
      keepPoints: MINUTE,
      diagnostics: [],
      channels: ['am'],
      annotations,
      series: 1,
    })
  const pass = () => deliver({ store, channels: { am: notifier }, now: Date.now, random: Math.random, signal })
  await commit(true)
  expect(await pass()).toMatchObject({ delivered: 1, retried: 0 })
  expect(await alertsAt(urls[1]!, 'life')).toHaveLength(1)
  await commit(false)
  expect(await pass()).toMatchObject({ delivered: 1, retried: 0 })
  await expect.poll(() => alertsAt(urls[1]!, 'life')).toEqual([])
})
