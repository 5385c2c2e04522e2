import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from '@hono/zod-openapi'
import { Gauge } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError, StoreError } from '../errors.ts'
import { calmWorld, FAKE_NOW, fakeAnomaly, fakeServerParts, oddWorld } from '../testing/fake-server-parts.ts'
import { makeApp } from './app.ts'
import {
  AnomalyListWire,
  AnomalyWire,
  ChannelListWire,
  ChartWire,
  FlowListWire,
  ProblemWire,
  RunListWire,
  SourceListWire,
  StatusWire,
} from './wire.ts'

/** Asks, and holds the answer to its schema, because the server does not. */
async function ask<Shape extends z.ZodType>(
  shape: Shape,
  path: string,
  world = oddWorld(),
  status = 200,
): Promise<z.output<Shape>> {
  const response = await makeApp(fakeServerParts(world)).request(path)
  const body = await response.json()
  expect({ status: response.status, body }).toMatchObject({ status })
  return shape.parse(body)
}

const refuse = (path: string, status: number) => ask(ProblemWire, path, oddWorld(), status).then(({ error }) => error)

describe('anomalies', () => {
  it('are listed newest first with sentence, band and numbers, without ignored ones', async () => {
    const { anomalies } = await ask(AnomalyListWire, '/api/v1/anomalies')
    expect(anomalies.map(({ id }) => id)).toEqual(['a-2', 'a-1', 'a-3', 'a-4'])
    expect(anomalies[1]).toMatchObject({
      series: '{server="10.0.0.2"}',
      duration: 14 * 60_000,
      upper: 0.034,
      notified: [{ channel: 'oncall', kind: 'opened', at: FAKE_NOW - 13 * 60_000 }],
      undelivered: [
        {
          channel: 'chat',
          kind: 'opened',
          state: 'pending',
          since: FAKE_NOW - 14 * 60_000,
          error: 'chat must answer 2xx, got 502',
        },
      ],
    })
    expect(anomalies[1]!.sentence).toContain('91 times')
  })

  it('say null for what is not known', async () => {
    expect(await ask(AnomalyWire, '/api/v1/anomalies/a-4')).toMatchObject({
      current: null,
      lower: null,
      upper: null,
      expected: 1,
    })
  })

  it.each([
    ['flow=coredns-errors', ['a-2']],
    ['status=open', ['a-2', 'a-1']],
    ['status=withdrawn', []],
    ['limit=1', ['a-2']],
    ['ignored=true&flow=coredns-latency', ['a-1', 'a-3', 'a-5']],
    [`start=${FAKE_NOW - 6 * 3_600_000}&end=${FAKE_NOW - 3_600_000}`, ['a-3']],
    [`end=${new Date(FAKE_NOW - 3_600_000 * 6).toISOString()}`, ['a-4']],
  ])('are filtered by %s', async (query, ids) => {
    const { anomalies } = await ask(AnomalyListWire, `/api/v1/anomalies?${query}`)
    expect(anomalies.map(({ id }) => id)).toEqual(ids)
  })

  it.each([
    'limit=0',
    'limit=1001',
    'limit=99999999999999999999',
    'limit=-1',
    'limit=1e3',
    'limit=',
    'limit=1&limit=2',
    'status=closed',
    'start=yesterday',
    'start=2026-13-45',
    'start=1e400',
    'start=5&end=5',
    'ignored=1',
    `flow=${'x'.repeat(201)}`,
  ])('refuse %s', async query => {
    const error = await refuse(`/api/v1/anomalies?${query}`, 400)
    expect(error.code).toBe('input')
    expect(error.message).not.toBe('')
  })

  it.each([
    '/api/v1/anomalies/%00',
    "/api/v1/anomalies/'%20or%201=1",
    `/api/v1/anomalies/${'a'.repeat(201)}`,
    '/api/v1/anomalies/%2e%2e%2fetc',
  ])('refuse the id of %s', async path => expect((await refuse(path, 400)).code).toBe('input'))

  it('are 404 when unknown', async () => {
    expect((await refuse('/api/v1/anomalies/none', 404)).code).toBe('not-found')
    expect((await refuse('/api/v1/anomalies/none/chart', 404)).code).toBe('not-found')
  })

  it('have a chart with calm on both sides', async () => {
    const chart = await ask(ChartWire, '/api/v1/anomalies/a-3/chart')
    const { start, end } = fakeAnomaly('a-3', { start: FAKE_NOW - 5 * 3_600_000, end: FAKE_NOW - 4.7 * 3_600_000 })
    expect(chart.start).toBe(start - 2 * (end - start))
    expect(chart.end).toBe(end + 2 * (end - start))
    for (const column of [chart.value, chart.expected, chart.lower, chart.upper, chart.score])
      expect(column).toHaveLength(chart.times.length)
    expect(chart.times.length).toBeGreaterThan(300)
    expect(chart.step).toBe(15_000)
  })

  it('say in which columns they lie, and draw each', async () => {
    const { columns } = await ask(AnomalyWire, '/api/v1/anomalies/a-2')
    expect(columns).toEqual([
      { name: 'zone=a', share: 0.75, value: 212, expected: 0.4 },
      { name: 'zone=b', share: 0.25, value: null, expected: null },
    ])
    const asked: string[] = []
    const world = oddWorld()
    const points: typeof world.points = (anomaly, range) => {
      if (anomaly.labels.column) asked.push(anomaly.labels.column)
      return world.points(anomaly, range)
    }
    const chart = await ask(ChartWire, '/api/v1/anomalies/a-2/chart', { ...world, points })
    expect(asked).toEqual(['zone=a', 'zone=b'])
    const [{ name, times, value, expected }] = chart.columns
    expect([name, value.length, expected.length]).toEqual(['zone=a', times.length, times.length])
    const { start, end } = world.anomalies.find(({ id }) => id === 'a-2')!
    const isInside = (time: number) => time >= start && time < end
    expect(times.filter((time, i) => expected[i] !== null && !isInside(time))).toEqual([])
    expect(times.some((time, i) => expected[i] !== null && isInside(time))).toBe(true)
  })

  it('have a chart with null in gaps, thinned to what was asked for', async () => {
    const chart = await ask(ChartWire, '/api/v1/anomalies/a-4/chart?points=90')
    expect(chart.times.length).toBeLessThanOrEqual(90)
    expect(chart.value).toContain(null)
  })

  it('have an empty chart when no points are kept', async () => {
    const chart = await ask(ChartWire, '/api/v1/anomalies/a-1/chart', { ...oddWorld(), points: () => undefined })
    expect(chart.times).toEqual([])
  })
})

describe('flows', () => {
  it('carry health, last error and the last request', async () => {
    const { flows } = await ask(FlowListWire, '/api/v1/flows')
    expect(flows.map(({ name, health }) => [name, health])).toEqual([
      ['coredns-latency', 'ok'],
      ['coredns-errors', 'failing'],
      ['coredns-up', 'ok'],
    ])
    expect(flows[1]!.lastError).toContain('must answer within 10s')
    expect(flows[1]!.request).toContain('curl -sG')
  })

  it('have no data when their last run found no series that has some', async () => {
    const world = calmWorld()
    world.flows = [{ ...world.flows[0]!, lastRun: { ...world.runs[0]!, series: 0 } }, ...world.flows.slice(1)]
    const { flows } = await ask(FlowListWire, '/api/v1/flows', world)
    expect(flows.map(({ health }) => health)).toEqual(['no-data', 'ok', 'ok'])
  })

  it('wait before their first run and are late when they do not run', async () => {
    const world = calmWorld()
    world.flows = [
      { ...world.flows[0]!, lastRun: undefined, watermark: NaN, lastSuccessAt: NaN },
      { ...world.flows[1]!, nextRunAt: world.now - 10 * 60_000 },
    ]
    const { flows } = await ask(FlowListWire, '/api/v1/flows', world)
    expect(flows.map(({ health }) => health)).toEqual(['waiting', 'late', 'waiting'])
    expect(flows[0]).toMatchObject({ watermark: null, lastSuccessAt: null, lastRun: null })
  })

  it('have runs', async () => {
    const { runs } = await ask(RunListWire, '/api/v1/flows/coredns-errors/runs')
    expect(runs.map(({ status }) => status)).toEqual(['failed', 'ok'])
    expect((await ask(RunListWire, '/api/v1/flows/coredns-errors/runs?limit=1')).runs).toHaveLength(1)
    expect((await refuse('/api/v1/flows/none/runs', 404)).code).toBe('not-found')
    expect((await refuse('/api/v1/flows/coredns-errors/runs?limit=201', 400)).code).toBe('input')
    expect((await refuse('/api/v1/flows/coredns-errors/runs?limit=x', 400)).code).toBe('input')
  })
})

it('lists sources, channels and the status', async () => {
  const { sources } = await ask(SourceListWire, '/api/v1/sources')
  expect(sources.map(({ name, ok }) => [name, ok])).toEqual([
    ['prometheus', true],
    ['edge', false],
  ])
  const { channels } = await ask(ChannelListWire, '/api/v1/channels')
  expect(channels.map(({ name, type, health }) => [name, type, health])).toEqual([
    ['oncall', 'alertmanager', 'ok'],
    ['chat', 'webhook', 'failing'],
  ])
  expect(channels).toMatchObject([
    { setAside: 1, failingSince: null, oldestPendingAt: null },
    { setAside: 0, failingSince: FAKE_NOW - 14 * 60_000, lastError: 'chat must answer 2xx, got 502', pending: 2 },
  ])
  expect((await ask(ChannelListWire, '/api/v1/channels', calmWorld())).channels[0]).toMatchObject({
    health: 'idle',
    lastDeliveredAt: null,
  })
  expect(await ask(StatusWire, '/api/v1/status')).toMatchObject({
    ready: true,
    open: 2,
    series: 12,
    flows: { total: 3, failing: 1 },
    sources: { total: 2, failing: 1 },
    channels: { total: 2, failing: 1 },
    now: FAKE_NOW,
  })
})

describe('lifecycle', () => {
  const odd = () => {
    const world = calmWorld()
    world.health = { ...world.health, ready: false, reasons: ['prometheus has not answered yet'] }
    return makeApp(fakeServerParts(world))
  }

  it('is healthy always and ready when it is', async () => {
    expect((await odd().request('/-/healthy')).status).toBe(200)
    const response = await odd().request('/-/ready')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('prometheus has not answered yet')
    const json = await odd().request('/-/ready', { headers: { Accept: 'application/json' } })
    expect(await json.json()).toEqual({ ready: false, reasons: ['prometheus has not answered yet'] })
    expect((await makeApp(fakeServerParts(calmWorld())).request('/-/ready')).status).toBe(200)
  })

  const fault = { file: 'tidewatch.yml', line: 3, column: 7, path: 'flows[0].every', message: 'must be a duration, got 5' }
  const reload = (init: RequestInit, failure?: Error) => {
    const world = calmWorld()
    let times = 0
    world.reload = async () => {
      times++
      if (failure) throw failure
    }
    return Promise.resolve(makeApp(fakeServerParts(world)).request('/-/reload', init)).then(response => ({
      response,
      times: () => times,
    }))
  }

  it('reloads', async () => {
    for (const method of ['POST', 'PUT']) {
      const { response, times } = await reload({ method })
      expect([response.status, times()]).toEqual([200, 1])
    }
    expect((await reload({ method: 'GET' })).times()).toBe(0)
  })

  it('prints located errors as text, or as JSON when asked', async () => {
    const text = (await reload({ method: 'POST' }, new ConfigError([fault]))).response
    expect([text.status, await text.text()]).toEqual([400, 'tidewatch.yml:3:7 flows[0].every: must be a duration, got 5\n'])
    const json = (await reload({ method: 'POST', headers: { Accept: 'application/json' } }, new ConfigError([fault]))).response
    expect([json.status, ProblemWire.parse(await json.json()).error.faults]).toEqual([400, [fault]])
  })

  it('says nothing of what failed inside', async () => {
    const { response } = await reload({ method: 'POST' }, new Error('secret of the house'))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret of the house')
  })

  it.each([
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ])('does not reload for %o', async (headers: Record<string, string>) => {
    const { response, times } = await reload({ method: 'POST', headers })
    expect([response.status, times()]).toEqual([403, 0])
  })

  it.each([{ Origin: 'http://localhost' }, { Origin: 'http://tidewatch.example:9797' }, { 'Sec-Fetch-Site': 'same-origin' }])(
    'reloads for %o',
    async (headers: Record<string, string>) => expect((await reload({ method: 'POST', headers })).times()).toBe(1),
  )

  it('does not take the origin null for a missing external address', async () => {
    const world = calmWorld()
    world.configuration = { ...world.configuration, server: { ...world.configuration.server, externalUrl: '' } }
    const app = makeApp(fakeServerParts(world))
    expect((await app.request('/-/reload', { method: 'POST', headers: { Origin: 'null' } })).status).toBe(403)
    expect((await app.request('/-/reload', { method: 'POST', headers: { Origin: 'http://localhost' } })).status).toBe(200)
    expect((await app.request('/-/healthy', { headers: { Host: ':80' } })).status).toBe(403)
  })

  it('does not take a large body', async () => {
    const { response, times } = await reload({ method: 'POST', body: 'x'.repeat(70_000), headers: { 'Content-Length': '70000' } })
    expect([response.status, times()]).toEqual([413, 0])
  })
})

describe('hosts', () => {
  const ask = (host: string, listening?: string) => {
    const world = calmWorld()
    const server = { ...world.configuration.server, hosts: ['dns.example', '*.wild.example'] }
    if (listening) world.configuration = { ...world.configuration, server: { ...server, host: listening } }
    return makeApp(fakeServerParts(world)).request('/-/healthy', { headers: { Host: host } })
  }

  it.each(['localhost:9797', '127.0.0.1:9797', '[::1]:9797', 'tidewatch.localhost', 'tidewatch.example', 'LOCALHOST'])(
    'may be %s',
    async host => expect((await ask(host)).status).toBe(200),
  )
  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:9797', '10.0.0.1', '[fe80::1]'])(
    'may not be %s on loopback',
    async host => expect((await ask(host)).status).toBe(403),
  )
  it.each([
    '10.0.0.1:9797',
    '[fe80::1]',
    'localhost',
    'tidewatch.example:80',
    'dns.example',
    'DNS.example:1',
    'a.b.wild.example',
  ])('may be %s when listening for all', async host => expect((await ask(host, '0.0.0.0')).status).toBe(200))
  it.each(['evil.example', 'wild.example', 'evilwild.example', 'dns.example.evil', 'xdns.example', '10.0.0.1.evil.example'])(
    'may not be %s when listening for all',
    async host => expect((await ask(host, '0.0.0.0')).status).toBe(403),
  )
})

describe('methods', () => {
  const ask = (method: string, path: string) => makeApp(fakeServerParts(oddWorld())).request(path, { method })
  it.each([
    ['POST', '/api/v1/anomalies', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/api/v1/anomalies/a-1', 'GET, HEAD, OPTIONS'],
    ['PUT', '/api/v1/flows/coredns-up/runs', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/api/v1/openapi.json', 'GET, HEAD, OPTIONS'],
    ['POST', '/api/v1/events', 'GET, HEAD, OPTIONS'],
    ['POST', '/metrics', 'GET, HEAD, OPTIONS'],
    ['POST', '/-/healthy', 'GET, HEAD, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
    ['GET', '/-/reload', 'OPTIONS, POST, PUT'],
    ['HEAD', '/-/reload', 'OPTIONS, POST, PUT'],
    ['GET', '/api/v1/models/coredns-latency/lstm/3/restore', 'OPTIONS, POST'],
  ])('%s %s is 405 with what is allowed', async (method, path, allow) => {
    const response = await ask(method, path)
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
    if (method !== 'HEAD') expect(ProblemWire.parse(await response.json()).error.code).toBe('method')
  })
  it('OPTIONS says what is allowed, and gives no leave to other sites', async () => {
    const response = await ask('OPTIONS', '/api/v1/anomalies')
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    expect([...response.headers.keys()].filter(name => name.startsWith('access-control'))).toEqual([])
  })
  it.each([
    ['POST', '/api/v1/nothing'],
    ['OPTIONS', '/api/v1/nothing'],
    ['GET', '/api/v1/anomalies/a-1/nothing'],
    ['GET', '/api/v1/anomalies/'],
  ])('%s %s is 404', async (method, path) => expect((await ask(method, path)).status).toBe(404))
  it('HEAD is GET without the body', async () => {
    const response = await ask('HEAD', '/api/v1/anomalies')
    expect([response.status, await response.text()]).toEqual([200, ''])
  })
})

describe('lists', () => {
  it.each(['anomalies', 'flows', 'flows/coredns-up/runs', 'sources', 'channels', 'models'])(
    '%s are not sent again to who has them',
    async name => {
      const world = oddWorld()
      const app = makeApp(fakeServerParts(world))
      const first = await app.request(`/api/v1/${name}`)
      const tag = first.headers.get('etag')!
      expect(tag).toMatch(/^"\w+"$/)
      expect([first.headers.get('cache-control'), first.headers.get('vary')]).toEqual(['private, no-cache', 'Authorization'])
      const again = await app.request(`/api/v1/${name}`, { headers: { 'If-None-Match': tag } })
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag])
    },
  )
  it('are sent when something is new', async () => {
    const world = oddWorld()
    const app = makeApp(fakeServerParts(world))
    const tag = (await app.request('/api/v1/anomalies')).headers.get('etag')!
    world.anomalies = [...world.anomalies, fakeAnomaly('a-9')]
    const again = await app.request('/api/v1/anomalies', { headers: { 'If-None-Match': tag } })
    expect(again.status).toBe(200)
    expect(again.headers.get('etag')).not.toBe(tag)
  })
})

it('answers errors as problems', async () => {
  expect((await refuse('/nothing', 404)).code).toBe('not-found')
  expect((await refuse('/api/v1/nothing', 404)).code).toBe('not-found')
  const parts = fakeServerParts(calmWorld())
  const lines: string[] = []
  const store = { ...parts.store, flows: () => Promise.reject(new StoreError('disk is full at /var/lib')) }
  const response = await makeApp({ ...parts, store, log: line => lines.push(line) }).request('/api/v1/flows')
  expect(response.status).toBe(503)
  expect(ProblemWire.parse(await response.json()).error).toEqual({
    code: 'store',
    message: expect.not.stringContaining('/var/lib'),
  })
  expect(lines.join()).toContain('disk is full')
})

it('carries security headers and no CORS on every answer, errors too', async () => {
  const app = makeApp(fakeServerParts(calmWorld()))
  for (const path of ['/', '/api/v1/status', '/nothing', '/api/v1/anomalies?limit=0', '/-/healthy', '/metrics']) {
    const { headers } = await app.request(path, { headers: { Origin: 'https://evil.example' } })
    expect(headers.get('content-security-policy'), path).toContain("default-src 'none'")
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
    expect(headers.get('x-frame-options'), path).toBe('DENY')
    expect(headers.get('access-control-allow-origin'), path).toBeNull()
  }
})

it('prints metrics', async () => {
  const parts = fakeServerParts(calmWorld())
  new Gauge({ name: 'tidewatch_test', help: 'test', registers: [parts.metrics] }).set(3)
  const response = await makeApp(parts).request('/metrics')
  expect(response.headers.get('content-type')).toContain('text/plain')
  expect(await response.text()).toContain('tidewatch_test 3')
})

it('describes itself as OpenAPI 3.1', async () => {
  const response = await makeApp(fakeServerParts(calmWorld())).request('/api/v1/openapi.json')
  const document = (await response.json()) as { openapi: string; paths: object; components: any }
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toEqual([
    '/api/v1/anomalies',
    '/api/v1/anomalies/{id}',
    '/api/v1/anomalies/{id}/chart',
    '/api/v1/flows',
    '/api/v1/flows/{name}/runs',
    '/api/v1/sources',
    '/api/v1/channels',
    '/api/v1/models',
    '/api/v1/models/{flow}/{detector}/{version}/restore',
    '/api/v1/status',
  ])
  expect(document.components.schemas.Anomaly.properties.sentence.type).toEqual(['string', 'null'])
})

describe('page', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidewatch-web-'))
    await mkdir(join(folder, 'web/assets'), { recursive: true })
    await writeFile(join(folder, 'web/index.html'), '<title>built</title>')
    await writeFile(join(folder, 'web/assets/index-1a_2b.js'), 'export {}')
    await writeFile(join(folder, 'secret.js'), 'no')
  })
  afterAll(() => rm(folder, { recursive: true }))
  const page = (web: string) => makeApp(fakeServerParts(calmWorld()), { web })

  it('is served with its assets', async () => {
    const app = page(join(folder, 'web'))
    const html = await app.request('/')
    expect([html.headers.get('content-type'), await html.text()]).toEqual(['text/html; charset=utf-8', '<title>built</title>'])
    const script = await app.request('/assets/index-1a_2b.js')
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toContain('immutable')
  })

  it('does not leave its folder', async () => {
    const app = page(join(folder, 'web'))
    for (const path of [
      '/assets/../../secret.js',
      '/assets/..%2f..%2fsecret.js',
      '/assets/%2e%2e/%2e%2e/secret.js',
      '/assets/none.js',
    ])
      expect((await app.request(path)).status, path).toBe(404)
  })

  it('helps when it is not built', async () => {
    const response = await page(join(folder, 'nowhere')).request('/')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('npm run build:web')
  })
})
