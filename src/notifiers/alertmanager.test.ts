import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Message } from '../stores/store.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { type Alert, alertmanager, toAlert, toLabelName } from './alertmanager.ts'

const NOW = Date.UTC(2026, 0, 5, 10, 6)
const OPTIONS = { now: NOW, externalUrl: 'http://tidewatch.example', every: MINUTE }

const messageOf = (changes: Partial<Message['anomaly']>, message: Partial<Message> = {}): Message => {
  const example = exampleMessage(message)
  return { ...example, anomaly: { ...example.anomaly, ...changes } }
}

/** A notifier with a world that tests look at; `answer` gives the status for a replica. */
function open(config: object = {}, answer: (host: string) => number | 'down' = () => 200) {
  const posts: { host: string; path: string; headers: Headers; alert: Alert }[] = []
  const lines: string[] = []
  const world = { now: NOW }
  const needs = {
    now: () => world.now,
    externalUrl: 'http://tidewatch.example',
    log: (line: string) => void lines.push(line),
    fetch: (async (url: string, init: RequestInit) => {
      const { host, pathname } = new URL(url)
      const status = answer(host)
      if (status === 'down') throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
      posts.push({ host, path: pathname, headers: new Headers(init.headers), alert: JSON.parse(String(init.body))[0] })
      return new Response('', { status })
    }) as typeof fetch,
  }
  const notifier = alertmanager.create(alertmanager.config.parse({ urls: ['http://a:9093'], ...config }), needs)
  const send = (message: Message) => notifier.send(message, new AbortController().signal)
  return { notifier, posts, lines, send, world }
}

describe('an alert', () => {
  it('has the labels of the series, the flow and nothing that moves', () => {
    expect(toAlert(exampleMessage(), OPTIONS).labels).toEqual({
      alertname: 'dns-requests',
      detector: 'seasonal',
      flow: 'dns-requests',
      instance: '10.0.0.1:9153',
      job: 'coredns',
      metric: 'coredns_dns_requests_total',
      severity: 'warning',
      team: 'dns',
    })
  })

  it('tells the numbers, the sentence and where to look', () => {
    const alert = toAlert(exampleMessage(), OPTIONS)
    expect(alert.annotations).toEqual({
      summary: 'dns requests are at 480, four times the 120 usual at this hour',
      score: '9.5',
      strength: '3.25',
      current: '480',
      expected: '120.25',
      lower: '90',
      upper: '150',
      shape: 'spike',
      anomaly_id: 'a1',
      owner: 'dns-team',
      runbook_url: 'https://runbooks.example/dns',
      dashboard_url: 'http://tidewatch.example/#/anomalies/a1',
    })
    expect(alert.generatorURL).toBe('http://tidewatch.example/#/anomalies/a1')
  })

  it('fires until four re-sends from now', () => {
    const { startsAt, endsAt } = toAlert(exampleMessage(), OPTIONS)
    expect([startsAt, endsAt]).toEqual(['2026-01-05T10:00:00.000Z', '2026-01-05T10:10:00.000Z'])
  })

  it('ends when the anomaly ended', () => {
    expect(toAlert(exampleMessage({ kind: 'resolved' }), OPTIONS).endsAt).toBe('2026-01-05T10:04:00.000Z')
  })

  it('ends when it was taken back, and says the same time again', () => {
    const message = exampleMessage({ kind: 'withdrawn' })
    for (const now of [NOW, NOW + MINUTE]) expect(toAlert(message, { ...OPTIONS, now }).endsAt).toBe('2026-01-05T10:05:00.000Z')
  })

  it('never ends before it starts', () => {
    const early = { ...OPTIONS, now: Date.UTC(2026, 0, 5, 9) }
    for (const kind of ['opened', 'resolved', 'withdrawn'] as const) {
      const { startsAt, endsAt } = toAlert(exampleMessage({ kind }), early)
      expect(Date.parse(endsAt)).toBeGreaterThanOrEqual(Date.parse(startsAt))
    }
  })

  it('keeps its labels whatever the numbers, the times, the id and the kind are', () => {
    const { labels } = toAlert(exampleMessage(), OPTIONS)
    const number = fc.double()
    fc.assert(
      fc.property(
        fc.record({ score: number, strength: number, current: number, expected: number, lower: number, upper: number }),
        fc.record({ id: fc.string(), version: fc.nat(), start: fc.nat(), end: fc.nat(), sentence: fc.string() }),
        fc.constantFrom('opened', 'updated', 'resolved', 'withdrawn'),
        (numbers, rest, kind) => {
          expect(toAlert(messageOf({ ...numbers, ...rest }, { kind }), { ...OPTIONS, now: rest.end }).labels).toEqual(labels)
        },
      ),
    )
  })

  it('has other labels for another series, whatever the labels are called', () => {
    const name = fc.constantFrom(
      'a',
      'a.b',
      'a-b',
      'a_b',
      'flow',
      'exported_flow',
      'severity',
      'team',
      'alertname',
      '1x',
      '_1x',
      'metric',
    )
    const series = fc.dictionary(name, fc.constantFrom('x', 'y', 'z'), { maxKeys: 6 })
    fc.assert(
      fc.property(series, series, (one, other) => {
        const labels = [one, other].map(each => toAlert(messageOf({ labels: each }), OPTIONS).labels)
        // Two names that become one are told apart by their order; only series with the same names can be mixed up.
        fc.pre(Object.keys(one).sort().join() === Object.keys(other).sort().join())
        const same = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())
        expect(JSON.stringify(labels[0]) === JSON.stringify(labels[1])).toBe(same)
      }),
    )
  })

  it('moves a label of the series aside that is called like one of ours', () => {
    const { labels } = toAlert(messageOf({ labels: { flow: 'x', severity: 'y', team: 'z', metric: 'm' } }), {
      ...OPTIONS,
      alertname: 'TidewatchAnomaly',
      labels: { cluster: 'c1' },
    })
    expect(labels).toEqual({
      alertname: 'TidewatchAnomaly',
      cluster: 'c1',
      detector: 'seasonal',
      exported_flow: 'x',
      exported_severity: 'y',
      exported_team: 'z',
      flow: 'dns-requests',
      metric: 'm',
      severity: 'warning',
      team: 'dns',
    })
  })

  it('has only names that every Alertmanager takes, and no empty value', () => {
    const { labels } = toAlert(messageOf({ labels: { 'k8s.io/zone': 'a', '0': 'b', ä: 'c', empty: '' } }), OPTIONS)
    expect(labels).toMatchObject({ k8s_io_zone: 'a', _0: 'b', _: 'c' })
    expect(labels).not.toHaveProperty('empty')
    fc.assert(
      fc.property(fc.string(), text => {
        expect(toLabelName(text)).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
      }),
    )
  })

  it('tells the summary of the flow as description, and other annotations by their names', () => {
    const { annotations, labels } = toAlert(
      messageOf({ annotations: { summary: 'Requests a second', 'on-call': 'ann' } }),
      OPTIONS,
    )
    expect(annotations).toMatchObject({ description: 'Requests a second', on_call: 'ann' })
    expect(labels).not.toHaveProperty('severity')
  })
})

describe('replicas', () => {
  const urls = ['http://a:9093', 'http://b:9093/prefix/']

  it('are all told, under their prefix, with credentials', async () => {
    const { posts, send } = open({ urls, basicAuth: { username: 'u', password: 'p' }, headers: { 'X-Scope-OrgID': 'o' } })
    await send(exampleMessage())
    expect(posts.map(post => post.host + post.path)).toEqual(['a:9093/api/v2/alerts', 'b:9093/prefix/api/v2/alerts'])
    for (const { headers } of posts) {
      expect(headers.get('authorization')).toBe(`Basic ${btoa('u:p')}`)
      expect(headers.get('x-scope-orgid')).toBe('o')
    }
  })

  it('need not all accept, and the trouble of one is told when it begins and when it ends', async () => {
    let down = true
    const { lines, send } = open({ urls }, host => (host === 'b:9093' && down ? 'down' : 200))
    await send(exampleMessage())
    await send(exampleMessage())
    down = false
    await send(exampleMessage())
    await send(exampleMessage())
    expect(lines).toEqual([
      'alertmanager: one replica of 2 did not accept: http://b:9093 must answer, got connect ECONNREFUSED',
      'alertmanager: http://b:9093 accepts again',
    ])
  })

  it('fail together: their content is refused only when all of them refuse it', async () => {
    const failure = async (a: number | 'down', b: number | 'down') =>
      open({ urls }, host => (host === 'a:9093' ? a : b))
        .send(exampleMessage())
        .catch((error: DeliveryError) => error)
    expect(await failure(400, 'down')).toMatchObject({ about: 'channel', reason: 'unreachable' })
    expect(await failure(400, 400)).toMatchObject({ about: 'message', reason: '400' })
    expect(((await failure(400, 'down')) as DeliveryError).message).toBe(
      'http://a:9093 must answer 2xx, got 400; http://b:9093 must answer, got connect ECONNREFUSED',
    )
  })
})

describe('two anomalies of one series', () => {
  const second = messageOf({ id: 'a2', start: Date.UTC(2026, 0, 5, 10, 5) }, { key: 'a2:1:opened' })

  it('are one alert, so the end of the first said again does not end the second', async () => {
    const { posts, send } = open()
    await send(exampleMessage())
    await send(exampleMessage({ kind: 'resolved' }))
    await send(second)
    await send(exampleMessage({ kind: 'resolved' }))
    expect(posts.map(post => post.alert.annotations.anomaly_id)).toEqual(['a1', 'a1', 'a2'])
  })

  it('that became one keep firing when the other is taken back', async () => {
    const { posts, send } = open()
    await send(second)
    await send(exampleMessage())
    await send({ ...second, kind: 'withdrawn' })
    expect(posts).toHaveLength(2)
    await send(exampleMessage({ kind: 'resolved' }))
    expect(posts).toHaveLength(3)
  })

  it('end both when the second is not heard of any more', async () => {
    const { posts, send, world } = open()
    await send(second)
    world.now += 5 * MINUTE
    await send(exampleMessage({ kind: 'resolved' }))
    expect(posts).toHaveLength(2)
  })
})

describe('configuration', () => {
  const faults = (config: object) => alertmanager.config.safeParse(config).error?.issues.map(issue => issue.message) ?? []

  it('re-sends every minute and for five minutes after the end by default', () => {
    expect(open().notifier.resend).toEqual({ every: MINUTE, afterEnd: 5 * MINUTE })
    expect(open({ resend: { every: '30s' } }).notifier.resend).toEqual({ every: MINUTE / 2, afterEnd: 5 * MINUTE })
  })

  it('refuses what cannot work', () => {
    expect(faults({ urls: ['am:9093'] })).toEqual(['must be an address that begins with http:// or https://'])
    expect(faults({ urls: ['http://u:hidden@am'] })).toEqual(['must not hold a user or password; use basicAuth'])
    expect(faults({ urls: ['http://am'], bearerToken: 'x', bearerTokenFile: 'y' })).toEqual([
      'must have one of basicAuth, bearerToken and bearerTokenFile, got bearerToken and bearerTokenFile',
    ])
    expect(faults({ urls: ['http://am'], basicAuth: { username: 'x' } })).toEqual([
      'must have one of password and passwordFile, got neither',
    ])
    expect(faults({ urls: ['http://am'], bearerToken: '' })).toEqual(['must not be empty'])
    expect(faults({ urls: ['http://am'], resend: { every: '0s' } })).toEqual(['must be at least 1s'])
    expect(faults({ urls: ['http://am'], colour: 'red' })).toHaveLength(1)
    expect(faults({ urls: [] })).toHaveLength(1)
  })
})
