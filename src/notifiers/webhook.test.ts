import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FakeReceiver, openReceiver, type ReceiverOptions } from '../testing/fake-receiver.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { sign, webhook, webhookBody } from './webhook.ts'

const NOW = Date.UTC(2026, 0, 5, 10, 6)
let receiver: FakeReceiver
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-webhook-'))
})
afterEach(async () => {
  await receiver.close()
  await rm(folder, { recursive: true })
})

async function open(config: object = {}, options: ReceiverOptions = {}) {
  receiver = await openReceiver(options)
  const needs = { fetch, now: () => NOW, log: () => {}, externalUrl: 'http://tidewatch.example', folder }
  const notifier = webhook.create(webhook.config.parse({ url: receiver.url, ...config }), needs)
  return (message = exampleMessage()) => notifier.send(message, new AbortController().signal)
}

it('posts the change as JSON with its key', async () => {
  const send = await open()
  await send()
  expect(receiver.receipts[0]).toMatchObject({ method: 'POST', path: '/', key: 'a1:1:opened' })
  expect(receiver.receipts[0]!.headers['content-type']).toBe('application/json')
  expect(receiver.receipts[0]!.headers).not.toHaveProperty('x-tidewatch-signature')
  expect(receiver.receipts[0]!.body).toEqual({
    version: 1,
    key: 'a1:1:opened',
    kind: 'opened',
    anomaly: {
      id: 'a1',
      version: 1,
      flow: 'dns-requests',
      detector: 'seasonal',
      labels: { __name__: 'coredns_dns_requests_total', instance: '10.0.0.1:9153', job: 'coredns' },
      status: 'open',
      withdrawnBecause: null,
      start: '2026-01-05T10:00:00.000Z',
      end: '2026-01-05T10:04:00.000Z',
      peak: '2026-01-05T10:02:00.000Z',
      sentence: 'dns requests are at 480, four times the 120 usual at this hour',
      shape: 'spike',
      direction: 'up',
      score: 9.5,
      strength: 3.25,
      current: 480,
      expected: 120.25,
      lower: 90,
      upper: 150,
      columns: [],
      numbers: { height: 360 },
      annotations: { severity: 'warning', owner: 'dns-team', runbook: 'https://runbooks.example/dns', 'label:team': 'dns' },
      url: 'http://tidewatch.example/#/anomalies/a1',
    },
  })
})

it('has the severity that a label of the flow gives', async () => {
  const send = await open()
  const message = exampleMessage()
  await send({ ...message, anomaly: { ...message.anomaly, annotations: { severity: 'warning', 'label:severity': 'page' } } })
  expect(receiver.receipts[0]!.body.anomaly.annotations.severity).toBe('page')
})

it.each([
  ['opened', 'open'],
  ['updated', 'open'],
  ['resolved', 'resolved'],
  ['withdrawn', 'withdrawn'],
] as const)('says with what is %s that the anomaly is %s', (kind, status) => {
  expect(webhookBody(exampleMessage({ kind }), '')).toMatchObject({ kind, anomaly: { status } })
})

it('refuses two secrets, and what no connection can have', () => {
  const faults = (config: object) =>
    webhook.config.safeParse({ url: 'http://hook.example', ...config }).error?.issues.map(({ message }) => message)
  expect(faults({ secret: 'a' })).toBeUndefined()
  expect(faults({ secretFile: 'a' })).toBeUndefined()
  expect(faults({ secret: 'a', secretFile: 'b' })).toEqual(['must have at most one of secret and secretFile'])
  expect(faults({ url: 'http://u:hidden@hook.example' })).toEqual(['must not hold a user or password; use basicAuth'])
  expect(faults({ bearerToken: 'x', bearerTokenFile: 'y' })).toHaveLength(1)
  expect(faults({ tls: { caFile: 'ca.pem' } })).toEqual(['must have an https url with tls, got http'])
})

it('says unknown numbers as null', async () => {
  const send = await open()
  const message = exampleMessage()
  await send({
    ...message,
    anomaly: {
      ...message.anomaly,
      expected: NaN,
      strength: Infinity,
      peak: NaN,
      columns: [{ name: 'qps', share: 1, value: NaN }],
      numbers: { before: NaN },
    },
  })
  expect(receiver.receipts[0]!.body.anomaly).toMatchObject({
    expected: null,
    strength: null,
    peak: null,
    columns: [{ name: 'qps', share: 1, value: null }],
    numbers: { before: null },
  })
})

describe('a signature', () => {
  it('fits what was sent', async () => {
    const send = await open({ secret: 'key' }, { secret: 'key' })
    await send()
    expect(receiver.receipts[0]!.signed).toBe(true)
    expect(receiver.receipts[0]!.headers['x-tidewatch-signature']).toMatch(new RegExp(`^t=${NOW / 1000},v1=[0-9a-f]{64}$`))
  })

  it('is HMAC-SHA256 over time and body', () => {
    // printf '5.{}' | openssl dgst -sha256 -hmac key
    expect(sign('key', 5, '{}')).toBe('t=5,v1=9be615aec64f0d044b5ad6854ab1d893ec88617fb728d2149dcd3a3428e8c45d')
  })

  it('uses the secret that the file holds now', async () => {
    await writeFile(join(folder, 'secret'), 'old\n')
    const send = await open({ secretFile: 'secret' }, { secret: 'new' })
    await send()
    await writeFile(join(folder, 'secret'), 'new\n')
    await send()
    expect(receiver.receipts.map(receipt => receipt.signed)).toEqual([false, true])
  })

  it('is never left out because the file is missing or empty', async () => {
    const send = await open({ secretFile: 'secret' })
    await expect(send()).rejects.toMatchObject({
      about: 'channel',
      reason: 'credentials',
      message: 'secretFile must be a readable file, got ENOENT for secret',
    })
    await writeFile(join(folder, 'secret'), '\n')
    await expect(send()).rejects.toMatchObject({
      about: 'channel',
      reason: 'credentials',
      message: 'secretFile must hold a secret, got an empty file secret',
    })
    expect(receiver.receipts).toHaveLength(0)
  })
})

describe('a real other side', () => {
  it('that refuses is quoted', async () => {
    const send = await open({}, { answer: () => 422 })
    await expect(send()).rejects.toMatchObject({
      about: 'message',
      reason: '422',
      message: `${receiver.url.slice(0, -1)} must answer 2xx, got 422`,
    })
  })

  it('that repeats the token of its address is not quoted with it', async () => {
    const token = '/services/T0000/B0000/averysecrettoken'
    const path = `${token}?key=another-secret-key`
    const echo: typeof fetch = async input => new Response(`no hook at ${input}`, { status: 404 })
    const needs = { fetch: echo, now: () => NOW, log: () => {}, externalUrl: 'http://tidewatch.example', folder }
    const notifier = webhook.create(webhook.config.parse({ url: `https://hooks.example${path}` }), needs)
    await expect(notifier.send(exampleMessage(), new AbortController().signal)).rejects.toThrow(
      /^https:\/\/hooks\.example must answer 2xx, got 404 no hook at https:\/\/hooks\.example\*\*\*$/,
    )
    receiver = await openReceiver()
  })

  it('that cuts the connection may be asked again', async () => {
    const send = await open({}, { answer: () => 'cut' })
    await expect(send()).rejects.toMatchObject({ about: 'channel', reason: 'unreachable' })
  })

  it('that does not answer may be asked again', async () => {
    const send = await open({ timeout: '50ms' }, { answer: () => new Promise(() => {}) })
    await expect(send()).rejects.toMatchObject({
      about: 'channel',
      reason: 'timeout',
      message: expect.stringContaining('must answer, got no answer within 50ms'),
    })
  })

  it('that is gone may be asked again', async () => {
    const send = await open()
    await receiver.close()
    await expect(send()).rejects.toMatchObject({ about: 'channel', message: expect.stringContaining('ECONNREFUSED') })
    receiver = await openReceiver()
  })
})
