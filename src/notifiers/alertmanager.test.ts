import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Message } from '../stores/store.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { type Alert, toAlert, toLabelName } from './alertmanager/alert.ts'
import { alertmanager } from './alertmanager.ts'

const NOW = Date.UTC(2026, 0, 5, 10, 6)
const OPTIONS = { now: NOW, externalUrl: 'http://tidewatch.example', lapse: 15 * MINUTE }

const messageOf = (changes: Partial<Message['anomaly']>, message: Partial<Message> = {}): Message => {
  const example = exampleMessage(message)
  return { ...example, anomaly: { ...example.anomaly, ...changes } }
}

/** A notifier with a world that tests look at; `answer` gives what a replica answers, or its status alone. */
function open(config: object = {}, answer: (host: string) => number | 'down' | Response = () => 200, more: object = {}) {
  const posts: { host: string; path: string; headers: Headers; alert: Alert; alerts: Alert[] }[] = []
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
      const alerts = JSON.parse(String(init.body)) as Alert[]
      posts.push({ host, path: pathname, headers: new Headers(init.headers), alert: alerts[0]!, alerts })
      return typeof status === 'number' ? new Response('', { status }) : status
    }) as typeof fetch,
    ...more,
  }
  const notifier = alertmanager.create(alertmanager.config.parse({ urls: ['http://a:9093'], ...config }), needs)
  const send = (message: Message, signal = new AbortController().signal) => notifier.send(message, signal)
  return { notifier, posts, lines, send, world }
}

describe('an alert', () => {
  it('has the labels of the series, the flow and nothing that moves', () => {
    expect(toAlert(exampleMessage(), OPTIONS).labels).toEqual({
      alertname: 'dns-requests',
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
      detector: 'seasonal',
      anomaly_id: 'a1',
      owner: 'dns-team',
      runbook_url: 'https://runbooks.example/dns',
      dashboard_url: 'http://tidewatch.example/#/anomalies/a1',
    })
    expect(alert.generatorURL).toBe('http://tidewatch.example/#/anomalies/a1')
  })

  it('fires from the start of the anomaly, and for as long as it may without being repeated', () => {
    const { startsAt, endsAt } = toAlert(exampleMessage(), OPTIONS)
    expect([startsAt, endsAt]).toEqual(['2026-01-05T10:00:00.000Z', '2026-01-05T10:21:00.000Z'])
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

  it('says of a value without bound that it is one, and nothing of what is unknown', () => {
    const { annotations } = toAlert(messageOf({ current: -Infinity, expected: 12.3456789, upper: NaN }), OPTIONS)
    expect(annotations).toMatchObject({ current: '-Inf', expected: '12.3457' })
    expect(annotations.upper).toBeUndefined()
  })

  it('keeps its labels whatever the numbers, the times, the id, the detector and the kind are', () => {
    const { labels } = toAlert(exampleMessage(), OPTIONS)
    const number = fc.double()
    fc.assert(
      fc.property(
        fc.record({ score: number, strength: number, current: number, expected: number, lower: number, upper: number }),
        fc.record({
          id: fc.string(),
          version: fc.nat(),
          start: fc.nat(),
          end: fc.nat(),
          sentence: fc.string(),
          detector: fc.string(),
        }),
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

describe('what replicas say together', () => {
  const urls = ['http://a:9093//', 'http://b:9093']
  const failure = (answer: (host: string) => number | 'down' | Response) =>
    open({ urls }, answer)
      .send(exampleMessage())
      .catch((error: DeliveryError) => error)
  const busy = (after: string) => new Response('', { status: 503, headers: { 'retry-after': after } })

  it('is the longest wait that one of them asks for, or none', async () => {
    expect(await failure(host => busy(host === 'a:9093' ? '30' : '10'))).toMatchObject({ retryAfter: 30_000 })
    expect(await failure(host => (host === 'a:9093' ? 503 : busy('10')))).toMatchObject({ retryAfter: 10_000 })
    expect(((await failure(() => 503)) as DeliveryError).retryAfter).toBeUndefined()
  })

  it('is no word about the message when one of them fails in a way that nobody foresaw', async () => {
    const strange = () => {
      const answer = new Response('', { status: 400 })
      const value = (name: string) => {
        if (name === 'retry-after') throw new TypeError('a bug')
        return null
      }
      Object.defineProperty(answer.headers, 'get', { value })
      return answer
    }
    const given = await failure(host => (host === 'a:9093' ? 400 : strange()))
    expect(given).toMatchObject({ about: 'channel', reason: 'other', message: expect.stringMatching(/got 400; a bug$/) })
  })

  it('is nothing when it is cut off by us: no replica is said to fail', async () => {
    const stop = new AbortController()
    const { lines, send, posts } = open({ urls }, host => {
      if (host === 'b:9093') stop.abort(new Error('stopped'))
      return host === 'b:9093' ? 'down' : 200
    })
    await expect(send(exampleMessage(), stop.signal)).rejects.toThrow('stopped')
    expect([posts.map(({ path }) => path), lines]).toEqual([['/api/v2/alerts'], []])
  })
})

it('reads the token from a file beside the configuration', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-alertmanager-'))
  try {
    await writeFile(join(folder, 'token'), 'from-the-file\n')
    const { posts, send } = open({ bearerTokenFile: 'token' }, undefined, { folder })
    await send(exampleMessage())
    expect(posts[0]!.headers.get('authorization')).toBe('Bearer from-the-file')
  } finally {
    await rm(folder, { recursive: true })
  }
})

describe('labels that are given', () => {
  const labelsOf = (message: Message, options: object = {}) => toAlert(message, { ...OPTIONS, ...options }).labels

  it('win over the severity and the alertname that an alert has by default: those of the flow over those of the notifier', () => {
    const bare = messageOf({ annotations: { severity: 'warning' } })
    expect(labelsOf(bare, { labels: { severity: 'page' } })).toMatchObject({ severity: 'page' })
    const ofFlow = messageOf({ annotations: { severity: 'warning', 'label:severity': 'ticket', 'label:alertname': 'DnsSlow' } })
    expect(labelsOf(ofFlow, { labels: { severity: 'page' } })).toMatchObject({ severity: 'ticket', alertname: 'DnsSlow' })
    expect(labelsOf(messageOf({ annotations: { severity: 'warning', 'label:flow': 'x' } }))).toMatchObject({
      flow: 'dns-requests',
    })
  })

  it('keep their genuine names where others become the same', () => {
    expect(labelsOf(messageOf({ labels: { 'a-b': '1', a_b: '2', 'a.b': '3' }, annotations: {} }))).toEqual({
      alertname: 'dns-requests',
      flow: 'dns-requests',
      a_b: '2',
      a_b_: '1',
      a_b__: '3',
    })
    const labels = { 'my-team': 'x', my_team: 'y' }
    expect(labelsOf(messageOf({ labels: {} }), { labels })).toMatchObject({ my_team: 'y', my_team_: 'x' })
  })

  it('are bounded in number and length, and still tell series apart', () => {
    const many = (last: string) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`l${i}`, i === 299 ? last : 'v'.repeat(10_000)]))
    const [one, other] = ['x', 'y'].map(last => labelsOf(messageOf({ labels: many(last) })))
    expect(Object.keys(one!)).toHaveLength(64)
    expect(Math.max(...Object.values(one!).map(value => value.length))).toBe(512)
    expect(one).toMatchObject({ alertname: 'dns-requests', flow: 'dns-requests', severity: 'warning' })
    expect(one).not.toEqual(other)
    const [a, b] = ['x', 'y'].map(end =>
      labelsOf(messageOf({ labels: { long: 'v'.repeat(600) + end, [`${'n'.repeat(200)}`]: '1' } })),
    )
    expect(a).not.toEqual(b)
    expect(Math.max(...Object.keys(a!).map(name => name.length))).toBe(128)
  })
})

describe('annotations', () => {
  const annotationsOf = (changes: Partial<Message['anomaly']>) => toAlert(messageOf(changes), OPTIONS).annotations

  it('are cut at 1,024 characters, with a link to the rest', () => {
    const { summary, description, owner } = annotationsOf({
      sentence: '😀'.repeat(2000),
      annotations: { summary: 'x'.repeat(1025), owner: 'y'.repeat(1024) },
    })
    for (const text of [summary!, description!]) {
      expect(text.length).toBeGreaterThan(1020)
      expect(text.length).toBeLessThanOrEqual(1024)
      expect(text.endsWith('… http://tidewatch.example/#/anomalies/a1')).toBe(true)
    }
    expect(summary!.isWellFormed()).toBe(true)
    expect(owner).toBe('y'.repeat(1024))
  })

  it('hold no address that is cut', () => {
    const runbook = `https://runbooks.example/${'x'.repeat(1000)}`
    expect(annotationsOf({ annotations: { runbook } })).not.toHaveProperty('runbook_url')
  })
})

describe('two anomalies of one series', () => {
  const first = exampleMessage()
  const second = messageOf({ id: 'a2', detector: 'absence' }, { key: 'a2:1:opened' }).anomaly

  it('are one alert, also of two detectors, and the end of one does not end it while the other is open', async () => {
    const { posts, send } = open()
    const fires = await send(first)
    expect(await send(messageOf({ id: 'a2', detector: 'absence' }))).toBe(fires)
    expect(await send({ ...exampleMessage({ kind: 'resolved' }), stillOpen: [second] })).toBe(fires)
    expect(posts.map(post => post.alert.annotations.anomaly_id)).toEqual(['a1', 'a2'])
    await send(exampleMessage({ kind: 'resolved' }))
    expect(posts).toHaveLength(3)
    expect(Date.parse(posts[2]!.alert.endsAt)).toBeLessThan(NOW)
  })

  it('are two alerts where their labels differ', async () => {
    const { posts, send } = open()
    const critical = { ...second, annotations: { ...second.annotations, severity: 'critical' } }
    await send({ ...exampleMessage({ kind: 'withdrawn' }), stillOpen: [critical] })
    expect(posts).toHaveLength(1)
    await send({ ...exampleMessage({ kind: 'withdrawn' }), stillOpen: [critical, second] })
    expect(posts).toHaveLength(1)
  })
})

describe('an alert whose labels have changed', () => {
  const identityOf = (labels: Alert['labels']) => JSON.stringify(Object.entries(labels))
  const accepted = (identity?: string) => ({ kind: 'opened' as const, at: NOW, ...(identity !== undefined && { identity }) })

  it('ends under the old ones when it fires under the new ones', async () => {
    const { posts, send } = open()
    const before = await send(messageOf({ annotations: { severity: 'warning' } }))
    const after = await send(messageOf({ annotations: { severity: 'critical' } }, { accepted: accepted(before as string) }))
    const [now, old] = posts[1]!.alerts
    expect([now!.labels.severity, Date.parse(now!.endsAt)]).toEqual(['critical', NOW + 15 * MINUTE])
    expect([identityOf(old!.labels), Date.parse(old!.endsAt)]).toEqual([before, NOW])
    await send(messageOf({ annotations: { severity: 'critical' } }, { accepted: accepted(after as string) }))
    expect(posts[2]!.alerts).toHaveLength(1)
  })

  it('is not ended by another detector, which is in no label', async () => {
    const { posts, send } = open()
    const before = await send(exampleMessage())
    await send(messageOf({ detector: 'default' }, { accepted: accepted(before as string) }))
    expect(posts.map(({ alerts }) => alerts.map(({ labels }) => identityOf(labels)))).toEqual([[before], [before]])
  })

  it('ends under the labels of versions that had the detector among them', async () => {
    const { posts, send } = open()
    for (const kind of ['opened', 'resolved'] as const) {
      await send(messageOf({}, { kind, accepted: accepted() }))
      const [now, old] = posts.at(-1)!.alerts
      expect(now!.labels).not.toHaveProperty('detector')
      expect(old!.labels).toEqual({ ...now!.labels, detector: 'seasonal' })
      expect(Date.parse(old!.endsAt)).toBe(NOW)
    }
  })
})

describe('configuration', () => {
  const faults = (config: object) => alertmanager.config.safeParse(config).error?.issues.map(issue => issue.message) ?? []

  it('re-sends every minute and for five minutes after the end by default', () => {
    expect(open().notifier.resend).toEqual({ every: MINUTE, afterEnd: 5 * MINUTE })
    expect(open({ resend: { every: '30s' } }).notifier.resend).toEqual({ every: MINUTE / 2, afterEnd: 5 * MINUTE })
  })

  it('lets an alert fire for a quarter of an hour without being repeated, or four times every', async () => {
    const lapseOf = async (resend: object) => {
      const { posts, send } = open({ resend })
      await send(exampleMessage())
      return Date.parse(posts[0]!.alert.endsAt) - NOW
    }
    expect(await lapseOf({})).toBe(15 * MINUTE)
    expect(await lapseOf({ every: '5m' })).toBe(20 * MINUTE)
    expect(await lapseOf({ every: '1s', lapse: '4s' })).toBe(4000)
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
    expect(faults({ urls: ['http://am'], resend: { every: '2m', lapse: '5m' } })).toEqual([
      'must be at least 4 times as long as every',
    ])
    expect(faults({ urls: ['http://am'], labels: { flow: 'x', alertname: 'y' } })).toEqual([
      'must not be given: it tells the alerts of one flow from those of another',
      'must not be given: use the option alertname',
    ])
    expect(faults({ urls: ['http://am'], colour: 'red' })).toHaveLength(1)
    expect(faults({ urls: [] })).toHaveLength(1)
  })
})
