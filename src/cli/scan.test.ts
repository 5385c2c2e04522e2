import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { World } from '../execution/world.ts'
import { capture } from '../testing/capture.ts'
import { type FakeAnswer, type FakeRequest, failure, fakePrometheus, serveSeries } from '../testing/fake-prometheus.ts'
import { readConfiguration } from './read-configuration.ts'
import { rankTroubles } from './scan/rank.ts'
import { genericSignals } from './scan/signals.ts'
import { writeStarter } from './scan/starter.ts'
import { run, type ScanOptions } from './scan.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const NAMES = [
  'up',
  'coredns_dns_requests_total',
  'coredns_dns_responses_total',
  'coredns_dns_request_duration_seconds_bucket',
  'coredns_dns_request_duration_seconds_count',
  'coredns_dns_request_duration_seconds_sum',
  'coredns_proxy_request_duration_seconds_count',
  'http_requests_total',
  'queue_length',
]

interface Young {
  /** ms of history. */
  readonly age: number
  /** ms between scrapes. */
  readonly interval: number
  /** Begin of 40 s in which answers fail, before now. */
  readonly faultAgo: number
  /** Queries with this text find nothing. */
  readonly empty?: string
}

/** A Prometheus of that age over a CoreDNS whose answers fail for a while, and whose queue is empty. */
function serve({ age, interval, faultAgo, empty = 'nothing is empty' }: Young): (request: FakeRequest) => FakeAnswer {
  const there = (time: number) => time >= NOW - age && time <= NOW
  const odd = (time: number) => time >= NOW - faultAgo && time < NOW - faultAgo + 40 * interval
  const noise = (time: number) => Math.sin((time / interval) * 12.9898) * Math.cos((time / interval) * 78.233)
  const one = (labels: Record<string, string>, value: (time: number) => number) =>
    serveSeries([{ labels, value: time => (there(time) ? value(time) : undefined) }])
  return request => {
    const query = request.params.query ?? ''
    if (request.path.endsWith('/values'))
      return serveSeries(NAMES.map(name => ({ labels: { __name__: name }, value: () => 1 })))(request)
    if (query.startsWith('max(count_over_time('))
      return one({}, () => Number(/\[(\d+)s\]/.exec(query)![1]) / (interval / 1000))(request)
    if (query.startsWith('count by (job)')) return one({ job: 'dns' }, () => 3)(request)
    if (query === 'count(up)') return one({}, () => 3)(request)
    if (query === 'up') return one({ __name__: 'up', instance: 'a:9153', job: 'dns' }, () => 1)(request)
    if (query.includes(empty)) return serveSeries([])(request)
    if (query.includes('SERVFAIL')) return one({}, time => (odd(time) ? 0.4 : 0.01 + 0.002 * noise(time)))(request)
    if (query.includes('http_requests_total')) return failure(422, 'execution', 'too many samples')
    return one({}, time => 100 + 3 * noise(time))(request)
  }
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-scan-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function scan(young: Young, more: Partial<ScanOptions> = {}) {
  const fake = fakePrometheus(serve(young))
  const world: World = { now: () => NOW, random: () => 0.5, fetch: fake.fetch, sleep: async () => {}, log: () => {} }
  const terminal = capture()
  const out = join(folder, 'tidewatch.yaml')
  await run({ url: 'http://127.0.0.1:9090', top: 10, limit: 60, out, write: true, json: false, ...more }, terminal, world)
  return { text: terminal.outText(), err: terminal.errText(), out, requests: fake.requests }
}

const LAB = { age: 180_000, interval: 1000, faultAgo: 50_000 }

describe('scan', () => {
  it('finds the fault in a lab of three minutes at one second', async () => {
    const { text } = await scan(LAB)
    expect(text).toMatch(/1 odd time in \d+ series of \d+ signals over 3m at 1s, strongest first/)
    expect(text).toMatch(/ 1\. coredns-servfail-ratio .* 11:59:1\d/)
    expect(text).toMatch(/[▁▂▃▄▅▆▇█]{10}/)
  })
  it('finds the fault in days at a minute', async () => {
    const { text } = await scan({ age: 6 * 86_400_000, interval: 60_000, faultAgo: 7_200_000 })
    expect(text).toMatch(/over 6d at 5m/)
    expect(text).toMatch(/ 1\. coredns-servfail-ratio /)
  })
  it('asks for the pack by the job that exports it', async () => {
    const { requests } = await scan(LAB)
    const queries = requests.map(request => request.params.query ?? '')
    expect(queries.filter(query => query.includes('coredns_dns_responses_total{job="dns"')).length).toBeGreaterThan(0)
  })
  it('prints JSON', async () => {
    const { text } = await scan(LAB, { json: true })
    const { step, interval, rows } = JSON.parse(text)
    expect({ step, interval }).toEqual({ step: 1000, interval: 1000 })
    expect(rows[0]).toMatchObject({
      rank: 1,
      signal: 'coredns-servfail-ratio',
      direction: 'up',
      sentence: expect.any(String),
      sparkline: expect.any(String),
    })
  })
  it('names the signals whose query found nothing', async () => {
    const { err, text } = await scan(LAB, { json: true })
    expect(JSON.parse(text).withoutData).toEqual([])
    expect(err).not.toContain('No data')
    const without = await scan({ ...LAB, empty: 'SERVFAIL' }, { json: true })
    expect(JSON.parse(without.text).withoutData).toEqual(['coredns-servfail-ratio'])
    expect(without.err).toContain('No data, and so no flow: coredns-servfail-ratio\n')
  })
  it('looks back as far as it is told', async () => {
    const { text } = await scan({ age: 6 * 86_400_000, interval: 60_000, faultAgo: 7_200_000 }, { since: '12h', step: '2m' })
    expect(text).toMatch(/over 12h at 2m/)
  })
  it('goes on when a signal cannot be asked, and says so', async () => {
    expect((await scan(LAB)).err).toMatch(/warning: http_requests_rate: .*too many samples/)
  })
  it('writes a configuration that loads and watches what has data', async () => {
    const { out, err } = await scan(LAB)
    expect(err).toMatch(/tidewatch\.yaml watches \d+ signals; next: tidewatch serve --config/)
    const { flows } = await readConfiguration(out)
    expect(flows.map(flow => flow.name)).toEqual(expect.arrayContaining(['coredns-servfail-ratio', 'up', 'queue_length']))
    expect(flows.map(flow => flow.name)).not.toContain('http_requests_rate')
    expect(flows.find(flow => flow.name === 'up')).toMatchObject({
      every: 1000,
      detect: [{ type: 'absence', down: 0 }],
      notify: ['log'],
    })
  })
  it('writes over no file, and none when told so', async () => {
    writeFileSync(join(folder, 'tidewatch.yaml'), 'mine')
    const { err, out } = await scan(LAB)
    expect(err).toContain('exists and stays as it is')
    expect(readFileSync(out, 'utf8')).toBe('mine')
    await scan(LAB, { write: false, out: join(folder, 'other.yaml') })
    expect(existsSync(join(folder, 'other.yaml'))).toBe(false)
  })
  it('says when there is no data', async () => {
    await expect(scan({ ...LAB, age: -1 })).rejects.toThrow('must have samples of up in the last week, got none')
  })
  it('says when the address is none', async () => {
    await expect(scan(LAB, { url: 'http://' })).rejects.toThrow(
      'URL must be an address like http://127.0.0.1:9090, got "http://"',
    )
  })
})

it('signals: counters are rates, histograms means, trouble comes first', () => {
  const signals = genericSignals(
    [
      'a_bucket',
      'a_sum',
      'a_count',
      'b_errors_total',
      'c_bytes',
      'go_gc_duration_seconds',
      'go_goroutines',
      'job:x:rate5m',
      'd_created',
      'up',
    ],
    '1m',
  )
  expect(signals.map(({ id, expr }) => `${id}: ${expr}`)).toEqual([
    'b_errors_rate: sum by (job) (rate(b_errors_total[1m]))',
    'go_goroutines: avg by (job) (go_goroutines)',
    'a_mean: sum by (job) (rate(a_sum[1m])) / sum by (job) (rate(a_count[1m]))',
    'a_rate: sum by (job) (rate(a_count[1m]))',
    'c_bytes: avg by (job) (c_bytes)',
  ])
})

it('signals: metrics whose names are no words are taken by their label', () => {
  const signals = genericSignals(['http.requests_total', 'http.latency_sum', 'http.latency_count', 'queue length'], '1m')
  const base = '{__name__="http.latency'
  expect(signals.map(({ expr }) => expr)).toEqual([
    'sum by (job) (rate({__name__="http.requests_total"}[1m]))',
    `sum by (job) (rate(${base}_sum"}[1m])) / sum by (job) (rate(${base}_count"}[1m]))`,
    `sum by (job) (rate(${base}_count"}[1m]))`,
    'avg by (job) ({__name__="queue length"})',
  ])
})

describe('troubles', () => {
  const oddity = (id: string, start: number, end: number, strength: number, severity: 'critical' | 'info' = 'info') => ({
    signal: { id, summary: '', expr: '', bad: 'both' as const, severity },
    anomaly: {
      labels: {},
      detector: 'd',
      start,
      end,
      peak: start,
      score: 1,
      strength,
      direction: 'up' as const,
      current: 1,
      expected: 0,
      lower: 0,
      upper: 0,
      ongoing: false,
    },
    values: new Float64Array(),
  })
  it('are oddities of one time under the heaviest', () => {
    const troubles = rankTroubles([oddity('a', 0, 10, 2), oddity('b', 8, 20, 50), oddity('c', 100, 110, 3)], 1)
    expect(troubles.map(({ head, others }) => [head.signal.id, others.map(({ signal }) => signal.id)])).toEqual([
      ['b', ['a']],
      ['c', []],
    ])
  })
  it('weigh more with more signals and with graver ones', () => {
    const many = ['a', 'b', 'c', 'd'].map(id => oddity(id, 0, 10, 8))
    expect(rankTroubles([oddity('x', 100, 110, 9), ...many], 1)[0]!.head.signal.id).toBe('a')
    expect(rankTroubles([oddity('x', 100, 110, 9), oddity('y', 0, 10, 8, 'critical')], 1)[0]!.head.signal.id).toBe('y')
  })
  it('are none without oddities', () => expect(rankTroubles([], 1)).toEqual([]))
})

it('a starter stands hostile names and expressions', async () => {
  const file = join(folder, 'hostile.yaml')
  const signals = [
    {
      id: 'a b{c}',
      summary: 'it\'s: #1 ${HOME} "x"',
      expr: 'm{l=\'x\', k="${y}"}',
      unit: 'ratio',
      bad: 'up' as const,
      severity: 'info' as const,
    },
    { id: 'no', summary: 'yes', expr: 'null', bad: 'both' as const, severity: 'critical' as const },
  ]
  writeFileSync(
    file,
    writeStarter({ source: { part: { url: "http://h/'x" }, unset: [] }, interval: 15_000, window: '75s', signals }),
  )
  const { flows } = await readConfiguration(file)
  expect(flows.map(({ name, summary, query }) => ({ name, summary, expr: query.expr }))).toEqual([
    { name: 'a-b-c-', summary: signals[0]!.summary, expr: signals[0]!.expr },
    { name: 'no', summary: 'yes', expr: 'null' },
  ])
})
