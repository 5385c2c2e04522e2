import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Labels } from '../anomaly.ts'
import { SourceError } from '../errors.ts'
import { create } from '../pipeline/configuration.ts'
import { Secret } from '../secret.ts'
import { formatSize } from '../size.ts'
import {
  type FakeAnswer,
  type FakePrometheus,
  failure,
  fakePrometheus,
  serveSeries,
  success,
} from '../testing/fake-prometheus.ts'
import { sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import type { Source } from './source.ts'

const T0 = Date.UTC(2026, 8, 1)
const STEP = 15_000
const URL = 'http://127.0.0.1:9090'
const never = new AbortController().signal
const rise = { labels: { __name__: 'rise' }, value: (time: number) => (time - T0) / STEP }
const range = { start: T0, end: T0 + 10 * STEP }

/** A source over a fake server, whose pauses are kept instead of slept. */
function open(fake: FakePrometheus, options: object = {}, folder = '/nowhere') {
  const pauses: number[] = []
  const sleep = async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted()
    pauses.push(ms)
  }
  const source: Source = create(
    sources,
    { type: 'prometheus', url: URL, ...options },
    { fetch: fake.fetch, now: () => T0, sleep, folder },
  )
  return { source, pauses }
}

const readAll = (source: Source, extra: object = {}) => source.read({ expr: 'rise', range, step: STEP, ...extra }, never)
const matrix = (...result: { metric: Labels; values: [number, string][] }[]) => success({ resultType: 'matrix', result })
const reject = async (promise: Promise<unknown>): Promise<SourceError> => {
  const error = await promise.then(
    () => undefined,
    error => error,
  )
  expect(error).toBeInstanceOf(SourceError)
  return error
}

describe('prometheus', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
    await writeFile(join(folder, 'token'), 'token-from-file\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  describe('keeps the laws', () => {
    const world = [
      { labels: { __name__: 'a', job: 'x' }, value: (time: number) => (time % (7 * STEP) === 0 ? undefined : time / STEP) },
      { labels: { __name__: 'a', job: 'y' }, value: (time: number) => (time < T0 + 30 * STEP ? 1.5 : undefined) },
      { labels: { __name__: 'a', job: 'z' }, value: (time: number) => (time === T0 + 3 * STEP ? Infinity : Math.sin(time)) },
    ]
    const secrets = ['correct-horse', 'tenant-secret-7', Buffer.from('me:correct-horse').toString('base64')]
    const options = {
      basicAuth: { username: 'me', password: secrets[0] },
      headers: { 'X-Scope-OrgID': secrets[1] },
      maxPoints: 13,
      concurrency: 2,
    }
    for (const law of sourceLaws)
      it(law.name, async () => {
        let fake = fakePrometheus(serveSeries(world))
        await law.check({
          make: () => {
            fake = fakePrometheus(serveSeries(world))
            return open(fake, options).source
          },
          makeBroken: () => {
            const serve = serveSeries(world)
            const echo = JSON.stringify(secrets)
            fake = fakePrometheus((request, at) => (at < 2 ? serve(request) : failure(500, 'internal', `no luck with ${echo}`)))
            return open(fake, options).source
          },
          expr: 'a',
          range: { start: T0 - 4000, end: T0 + 40 * STEP + 4000 },
          step: STEP,
          valueAt: (labels, time) => world.find(series => series.labels.job === labels.job)!.value(time) ?? NaN,
          series: ['a{job="x"}', 'a{job="y"}', 'a{job="z"}'],
          countRequests: () => fake.requests.length,
          secrets,
        })
      })
  })

  describe('asks', () => {
    it('with a form, on the grid, and tells it as a command', async () => {
      const fake = fakePrometheus(serveSeries([rise]))
      const { source } = open(fake, { url: `${URL}/prom/`, params: { dedup: 'true' } })
      const { requests } = await readAll(source, { expr: `rise{a='b'}`, range: { start: T0 + 1, end: T0 + 2 * STEP + 1 } })
      expect(fake.requests).toEqual([
        expect.objectContaining({
          method: 'POST',
          path: '/prom/api/v1/query_range',
          params: {
            dedup: 'true',
            query: `rise{a='b'}`,
            start: String(T0 / 1000 + 15),
            end: String(T0 / 1000 + 30),
            step: '15',
            timeout: '30',
          },
        }),
      ])
      expect(requests).toEqual([
        `curl -sS http://127.0.0.1:9090/prom/api/v1/query_range --data-urlencode dedup=true --data-urlencode 'query=rise{a='\\''b'\\''}' ` +
          `--data-urlencode start=1788220815 --data-urlencode end=1788220830 --data-urlencode step=15 --data-urlencode timeout=30`,
      ])
    })

    it('in pieces of 11,000 points, joined without a seam', async () => {
      const fake = fakePrometheus(serveSeries([rise]))
      const { frames, requests } = await readAll(open(fake).source, { range: { start: T0, end: T0 + 25_000 * STEP } })
      expect(requests).toHaveLength(3)
      expect(frames).toHaveLength(1)
      expect(frames[0].columns.value.every((value, i) => value === i)).toBe(true)
      expect(frames[0].columns.value).toHaveLength(25_000)
    })

    it('in pieces of the longest range, no more at once than allowed', async () => {
      const fake = fakePrometheus(serveSeries([rise]))
      const { source } = open(fake, { maxRange: '1h', concurrency: 3 })
      const [a, b] = await Promise.all([
        readAll(source, { range: { start: T0, end: T0 + 86_400_000 } }),
        readAll(source, { range: { start: T0, end: T0 + 86_400_000 } }),
      ])
      expect(a.requests).toHaveLength(24)
      expect(b.frames[0].columns.value.every((value, i) => value === i)).toBe(true)
      expect(fake.load.most).toBe(3)
    })

    it('with GET when the server does not take forms, once it knows', async () => {
      const serve = serveSeries([rise])
      const fake = fakePrometheus(request => (request.method === 'POST' ? { status: 405, body: 'no' } : serve(request)))
      const { source } = open(fake, { retries: 0 })
      const { requests } = await readAll(source)
      await readAll(source)
      expect(fake.requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET'])
      expect(requests[0]).toMatch(/^curl -sS -G /)
    })

    it.each([
      [{ bearerToken: 'abc' }, { authorization: 'Bearer abc' }],
      [{ bearerTokenFile: 'token' }, { authorization: 'Bearer token-from-file' }],
      [{ basicAuth: { username: 'me', passwordFile: 'token' } }, { authorization: `Basic ${btoa('me:token-from-file')}` }],
      [{ headers: { 'X-Scope-OrgID': 'dns' } }, { 'x-scope-orgid': 'dns' }],
    ])('with the credentials of %j', async (options, headers) => {
      const fake = fakePrometheus(serveSeries([rise]))
      await readAll(open(fake, options, folder).source)
      expect(fake.requests[0].headers).toMatchObject(headers)
    })

    it('with a token that was rotated', async () => {
      const fake = fakePrometheus(serveSeries([rise]))
      const { source } = open(fake, { bearerTokenFile: 'rotated' }, folder)
      expect((await reject(readAll(source))).message).toBe('bearerTokenFile must be a readable file, got ENOENT for rotated')
      for (const token of ['one', 'two']) {
        await writeFile(join(folder, 'rotated'), token)
        await readAll(source)
      }
      expect(fake.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
    })

    it('for one instant of many series', async () => {
      const series = Array.from({ length: 3 }, (_, i) => ({ labels: { pod: `p${i}` }, value: () => (i === 1 ? undefined : i) }))
      const fake = fakePrometheus(serveSeries(series))
      const { frames, requests } = await open(fake).source.latest({ expr: 'x', time: T0 }, never)
      expect(frames.map(({ labels, columns }) => [labels.pod, columns.value[0]])).toEqual([
        ['p0', 0],
        ['p2', 2],
      ])
      expect(requests).toHaveLength(1)
    })

    it('for a scalar', async () => {
      const fake = fakePrometheus([success({ resultType: 'scalar', result: [T0 / 1000, '7'] })])
      const { frames } = await open(fake).source.latest({ expr: '7', time: T0 }, never)
      expect(frames).toEqual([{ labels: {}, times: Float64Array.of(T0), columns: { value: Float64Array.of(7) } }])
    })
  })

  describe('understands', () => {
    it('numbers, and what is none', async () => {
      const t = T0 / 1000
      const values: [number, string][] = [
        [t, '1e3'],
        [t + 15, 'NaN'],
        [t + 30, '+Inf'],
        [t + 45, '-Inf'],
        [t + 75, '-0.5'],
      ]
      const { frames } = await readAll(open(fakePrometheus([matrix({ metric: {}, values })])).source)
      expect(Array.from(frames[0].columns.value.subarray(0, 6))).toEqual([1000, NaN, Infinity, -Infinity, NaN, -0.5])
      expect(Array.from(frames[0].notANumber!)).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    })

    it('what is no number as unknown, with a warning that counts and names', async () => {
      const t = T0 / 1000
      const sent = (...values: unknown[]) => values.map((value, i) => [t + i * 15, value])
      const fake = fakePrometheus([
        success({
          resultType: 'matrix',
          result: [
            { metric: { pod: 'a' }, values: sent('1', null, '', [], true, 5, '0x10', '7') },
            { metric: { pod: 'b' }, values: [[t, '1'], [null, '2'], ['1', '2'], 'x', [t + 30, '3']] },
            { metric: { pod: 'c' }, values: sent('1') },
          ],
        }),
      ])
      const { frames, warnings } = await readAll(open(fake).source)
      expect(frames.map(({ columns }) => Array.from(columns.value.subarray(0, 8)))).toEqual([
        [1, NaN, NaN, NaN, NaN, NaN, NaN, 7],
        [1, NaN, 3, NaN, NaN, NaN, NaN, NaN],
        [1, NaN, NaN, NaN, NaN, NaN, NaN, NaN],
      ])
      expect(frames.every(({ notANumber }) => notANumber === undefined)).toBe(true)
      expect(warnings).toEqual([
        '9 samples are not numbers and are taken as unknown: {pod="a"} 6 (first null), {pod="b"} 3 (first [null,"2"])',
      ])
    })

    it('what is no number at one instant', async () => {
      const result = [null, 'NaN', '+Inf', '5'].map((value, i) => ({ metric: { pod: `p${i}` }, value: [T0 / 1000, value] }))
      const { frames, warnings } = await open(fakePrometheus([success({ resultType: 'vector', result })])).source.latest(
        { expr: 'x', time: T0 },
        never,
      )
      expect(frames.map(({ columns, notANumber }) => [columns.value[0], notANumber?.[0]])).toEqual([
        [NaN, undefined],
        [NaN, 1],
        [Infinity, undefined],
        [5, undefined],
      ])
      expect(warnings).toEqual(['1 sample is not a number and is taken as unknown: {pod="p0"} 1 (first null)'])
    })

    it('the numbers of an answer that has native histograms too', async () => {
      const values = [[T0 / 1000, '1']]
      const histograms = [[T0 / 1000, { count: '3', sum: '7', buckets: [] }]]
      const fake = fakePrometheus([
        success({
          resultType: 'matrix',
          result: [
            { metric: { __name__: 'h' }, histograms },
            { metric: { __name__: 'f' }, values },
            { metric: { __name__: 'both' }, values, histograms },
          ],
        }),
      ])
      const { frames, warnings } = await readAll(open(fake).source)
      expect(frames.map(({ labels }) => labels.__name__)).toEqual(['both', 'f'])
      expect(warnings).toEqual([expect.stringMatching(/^native histograms are left out, of h, both; use histogram_quantile/)])
    })

    it('the same of a large answer, in another thread', async () => {
      const values = Array.from({ length: 10 }, (_, row): [number, string] => [
        T0 / 1000 + row * 15,
        row === 3 ? 'NaN' : String(row),
      ])
      const large = Array.from({ length: 5000 }, (_, i) => ({ metric: { pod: `pod-${i}`, city: 'Zürich ☃' }, values }))
      const read = async (count: number) =>
        (await readAll(open(fakePrometheus([matrix(...large.slice(0, count))])).source)).frames
      const [small, all] = [await read(10), await read(5000)]
      expect(all).toHaveLength(5000)
      for (const frame of small) expect(all).toContainEqual(frame)
      expect(all.every(({ columns, notANumber }) => columns.value[9] === 9 && notANumber?.[3] === 1)).toBe(true)
      const twice = open(fakePrometheus([matrix(...large, large[0])])).source
      await expect(readAll(twice)).rejects.toThrow('must answer with each series once, got {city="Zürich ☃",pod="pod-0"} twice')
    })

    it('10,000 series of 10 points', async () => {
      const result = Array.from({ length: 10_000 }, (_, i) => ({
        metric: { __name__: 'x', pod: `pod-${i}`, namespace: 'kube-system', instance: `10.0.0.${i}:9153` },
        values: Array.from({ length: 10 }, (_, row): [number, string] => [T0 / 1000 + row * 15, String(i + row)]),
      }))
      const { frames } = await readAll(open(fakePrometheus([matrix(...result)])).source)
      expect(frames).toHaveLength(10_000)
      expect(frames.every(({ labels, columns }) => columns.value[9] - 9 === Number(labels.pod.slice(4)))).toBe(true)
    })

    it('remarks beside the data, as warnings, each once', async () => {
      const beside = {
        warnings: ['PromQL warning: quantile value should be between 0 and 1'],
        infos: ['PromQL info: metric might not be a counter'],
      }
      const fake = fakePrometheus([success({ resultType: 'matrix', result: [] }, beside)])
      const { warnings } = await readAll(open(fake, { maxPoints: 2 }).source)
      expect(warnings).toEqual([...beside.warnings, ...beside.infos])
    })

    it('that a counter is used raw', async () => {
      const fake = fakePrometheus(serveSeries([rise]))
      const { warnings } = await readAll(open(fake).source, { expr: 'coredns_dns_requests_total' })
      expect(warnings).toEqual([expect.stringContaining('coredns_dns_requests_total is a counter')])
    })
  })

  describe('refuses partial answers', () => {
    const empty = { resultType: 'matrix', result: [] }
    it.each([
      ['of VictoriaMetrics', success(empty, { isPartial: true }), /some storage nodes did not answer/],
      ['of Thanos', success(empty, { warnings: ['No StoreAPIs matched for this query'] }), /No StoreAPIs matched/],
      ['that were cut', success(empty, { warnings: ['results truncated due to limit'] }), /results truncated/],
    ])('%s, or shows them when told to', async (_, answer, message) => {
      const refused = open(fakePrometheus([answer]), { retries: 1 })
      const error = await reject(readAll(refused.source))
      expect(error.message).toMatch(message)
      expect(error.retryable).toBe(true)
      expect(refused.pauses).toEqual([500])
      const { warnings } = await readAll(open(fakePrometheus([answer]), { partial: 'warn' }).source)
      expect(warnings.join()).toMatch(message)
    })

    it.each([
      [
        'a series twice',
        matrix({ metric: { a: 'b' }, values: [] }, { metric: { a: 'b' }, values: [] }),
        'each series once, got {a="b"} twice',
      ],
      ['a time beside the grid', matrix({ metric: {}, values: [[T0 / 1000 + 7, '1']] }), 'at the times that were asked for'],
      ['a time outside the range', matrix({ metric: {}, values: [[T0 / 1000 - 15, '1']] }), 'at the times that were asked for'],
      [
        'a time twice',
        matrix({
          metric: { a: 'b' },
          values: [
            [T0 / 1000, '1'],
            [T0 / 1000, '2'],
          ],
        }),
        `each time of a series once, got ${T0 / 1000} twice for {a="b"}`,
      ],
      [
        'times that go back',
        matrix({
          metric: { a: 'b' },
          values: [
            [T0 / 1000 + 15, '1'],
            [T0 / 1000, '2'],
          ],
        }),
        `in order of time, got ${T0 / 1000} after a later time for {a="b"}`,
      ],
      [
        'labels that are none',
        success({ resultType: 'matrix', result: [{ metric: 'up', values: [] }] }),
        'with labels, got "up"',
      ],
      [
        'labels that are no text',
        success({ resultType: 'matrix', result: [{ metric: { a: 1 }, values: [] }] }),
        'labels that are text, got 1 for a',
      ],
      ['what is no series', success({ resultType: 'matrix', result: [7] }), 'must answer with series, got 7'],
      ['a vector', success({ resultType: 'vector', result: [] }), 'must answer a range with a matrix, got vector'],
      ['no result', success({}), 'must answer with resultType and result'],
      [
        'native histograms',
        success({ resultType: 'matrix', result: [{ metric: { __name__: 'h' }, histograms: [[1, {}]] }] }),
        'got native histograms for h',
      ],
    ])('%s', async (_, answer, message) => {
      const { source, pauses } = open(fakePrometheus([answer]))
      const error = await reject(readAll(source))
      expect(error.message).toContain(message)
      expect(error.message).toContain(URL)
      expect(error.retryable).toBe(false)
      expect(pauses).toEqual([])
    })
  })

  describe('keeps to its limits', () => {
    const many = (count: number) => ({
      length: count,
      of: (value: (i: number) => object) => Array.from({ length: count }, (_, i) => value(i)),
    })
    const answerOf = (count: number, metric: (i: number) => object) =>
      success({ resultType: 'matrix', result: many(count).of(i => ({ metric: metric(i), values: [[T0 / 1000, '1']] })) })
    const pod = (i: number) => ({ pod: `p${i}` })

    it.each([
      [{ maxSeries: 3 }, answerOf(4, pod), 'at most 3 series, got 4; narrow the query, or raise maxSeries'],
      [{ maxSamples: 39 }, answerOf(4, pod), 'at most 39 samples, got 4 series of 10 rows; narrow the query'],
      [{ maxLabels: 1 }, answerOf(1, () => ({ __name__: 'up', a: 'b' })), 'at most 1 labels, got more for up; raise maxLabels'],
      [
        { maxLabelLength: 9 },
        answerOf(1, () => ({ __name__: 'up', path: '/0123456789' })),
        'labels of at most 9 characters, got 11 for path of up; raise maxLabelLength',
      ],
      [
        { maxLabelLength: 9 },
        answerOf(1, () => ({ ['x'.repeat(100)]: '' })),
        `got 100 for ${'x'.repeat(60)}… of a series without`,
      ],
    ])('%j', async (options, answer, message) => {
      const { source, pauses } = open(fakePrometheus([answer]), options)
      const error = await reject(readAll(source))
      expect(error.message).toContain(`prometheus at ${URL} must answer with`)
      expect(error.message).toContain(message)
      expect(error).toMatchObject({
        retryable: false,
        limit: Object.keys(options)[0],
        requests: [expect.stringMatching(/^curl/)],
      })
      expect(pauses).toEqual([])
    })

    it('of series and samples over all pieces, when each piece has others', async () => {
      let count = 0
      const churn = fakePrometheus(({ params }) =>
        matrix({ metric: { pod: `p${count++}` }, values: [[Number(params.start), '1']] }),
      )
      const error = await reject(readAll(open(churn, { maxPoints: 2, maxSeries: 3 }).source))
      expect(error).toMatchObject({ limit: 'maxSeries' })
    })

    it('of bytes, by asking for less at a time', async () => {
      const serve = serveSeries([rise, { labels: { __name__: 'fall' }, value: time => (T0 - time) / STEP }])
      const fake = fakePrometheus(serve)
      const { source } = open(fake, { maxBytes: '1KiB' })
      const { frames, requests } = await readAll(source, { range: { start: T0, end: T0 + 200 * STEP } })
      expect(frames).toHaveLength(2)
      expect(frames[1].columns.value.every((value, i) => value === i)).toBe(true)
      const starts = requests.map(text => Number(/start=(\d+)/.exec(text)![1]))
      expect(starts).toEqual(starts.toSorted((a, b) => a - b))
      expect(requests.length).toBeGreaterThan(8)
      expect(requests.length).toBeLessThan(fake.requests.length)
    })

    it('of bytes, also of one row and one instant', async () => {
      const body = { padding: 'x'.repeat(2000), ...(answerOf(1, pod).body as object) }
      const { source, pauses } = open(fakePrometheus([{ body }]), { maxBytes: '1KiB' })
      const wanted = { retryable: false, limit: 'maxBytes' }
      const error = await reject(readAll(source))
      expect(error.message).toBe(
        `prometheus at ${URL} must answer with at most 1 KiB, got more; narrow the query, or raise maxBytes`,
      )
      expect(error).toMatchObject(wanted)
      expect(await reject(source.latest({ expr: 'x', time: T0 }, never))).toMatchObject(wanted)
      expect(await reject(source.names(never))).toMatchObject(wanted)
      expect(pauses).toEqual([])
    })

    it('of bytes after unzipping, without reading on', async () => {
      const sent = { chunks: 0 }
      const zeros = new Uint8Array(64 * 1024)
      const endless = async () => new Response(new ReadableStream({ pull: stream => (sent.chunks++, stream.enqueue(zeros)) }))
      const source: Source = create(
        sources,
        { type: 'prometheus', url: URL, maxBytes: '1MiB' },
        { fetch: endless as typeof fetch, now: () => T0, sleep: async () => {}, folder: '/' },
      )
      expect(await reject(source.names(never))).toMatchObject({ limit: 'maxBytes' })
      expect(sent.chunks).toBeLessThan(20)
    })
  })

  describe('fails', () => {
    it.each([
      ['a wrong query', failure(400, 'bad_data', 'parse error: unexpected end'), 'got 400 bad_data: parse error: unexpected end'],
      [
        'a query that cannot be run',
        failure(422, 'execution', 'many-to-many matching'),
        'got 422 execution: many-to-many matching',
      ],
      ['wrong credentials', { status: 401, body: 'Unauthorized' }, 'got 401 "Unauthorized"; check the credentials'],
      ['a wrong path', { status: 404, body: 'page not found' }, 'check url'],
      [
        'a redirect',
        { status: 302, headers: { location: 'https://login.example/?next=x' }, body: '' },
        'it points to https://login.example/',
      ],
      ['a page of HTML', { body: '<html>\n<b>Welcome</b>' }, 'must answer in JSON, got "<html> <b>Welcome</b>"'],
      [
        'an answer that says success and holds an error',
        success({ resultType: 'matrix', result: [] }, { errorType: 'internal', error: 'a store is gone' }),
        'must answer with success or an error, got both: internal: a store is gone',
      ],
      ['an error in a good answer', { body: { status: 'error', errorType: 'x', error: 'y' } }, 'got x: y'],
    ] satisfies [string, FakeAnswer, string][])('at once on %s', async (_, answer, message) => {
      const { source, pauses } = open(fakePrometheus([answer]))
      const error = await reject(readAll(source))
      expect(error.message).toContain(message)
      expect(error.message).toContain(`prometheus at ${URL}`)
      expect(error.retryable).toBe(false)
      expect(error.requests).toEqual([expect.stringMatching(/^curl .*query=rise/)])
      expect(pauses).toEqual([])
    })

    it.each([
      ['503', failure(503, 'timeout', 'query timed out'), 'got 503 timeout: query timed out'],
      ['429', { status: 429, body: '' }, 'got 429 nothing more'],
      [
        'a broken connection',
        Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9090'), { code: 'ECONNREFUSED' }),
        'ECONNREFUSED',
      ],
      ['half an answer', { body: '{"status":"success","data":{"res' }, 'must answer in JSON'],
    ] satisfies [string, FakeAnswer, string][])('after more attempts on %s', async (_, answer, message) => {
      const fake = fakePrometheus([answer])
      const { source, pauses } = open(fake)
      const error = await reject(readAll(source))
      expect(error.message).toContain(message)
      expect(error.retryable).toBe(true)
      expect(pauses).toEqual([500, 1000, 2000])
      expect(fake.requests).toHaveLength(4)
    })

    it('not, when a later attempt succeeds, and waits as long as it is asked', async () => {
      const serve = serveSeries([rise])
      const answers = [
        failure(503, 'unavailable', 'starting', { 'retry-after': '7' }),
        failure(429, 'unavailable', 'slow down', { 'retry-after': new Date(T0 + 11_000).toUTCString() }),
      ]
      const { source, pauses } = open(fakePrometheus((request, at) => answers[at] ?? serve(request)))
      expect((await readAll(source)).frames).toHaveLength(1)
      expect(pauses).toEqual([7000, 11_000])
    })

    it('rather than wait for very long', async () => {
      const { source, pauses } = open(fakePrometheus([failure(503, 'x', 'y', { 'retry-after': '3600' })]))
      expect((await reject(readAll(source))).retryable).toBe(true)
      expect(pauses).toEqual([])
    })

    it('as a whole, and stops the other pieces', async () => {
      const serve = serveSeries([rise])
      const fake = fakePrometheus((request, at) => (at === 3 ? failure(400, 'bad_data', 'no') : serve(request)))
      await reject(readAll(open(fake, { maxPoints: 2, concurrency: 1 }).source, { range: { start: T0, end: T0 + 200 * STEP } }))
      // The next in line may have started before the fault was known.
      expect(fake.requests.length).toBeLessThan(6)
    })

    it('when there is no answer in time', async () => {
      const { source, pauses } = open(fakePrometheus(['hang']), { timeout: '20ms', retries: 1 })
      const error = await reject(readAll(source))
      expect(error.message).toContain('got no answer within 20ms')
      expect(error.retryable).toBe(true)
      expect(pauses).toEqual([500])
    })

    it('with the reason of the signal while it waits for an answer, its turn or the next attempt', async () => {
      const reason = new Error('deadline')
      const after = (ms: number) => {
        const stop = new AbortController()
        setTimeout(() => stop.abort(reason), ms)
        return stop.signal
      }
      const query = { expr: 'rise', range, step: STEP }
      const hung = open(fakePrometheus(['hang']), { concurrency: 1 }).source
      const first = hung.read(query, after(20))
      const second = hung.read(query, after(5))
      await expect(second).rejects.toBe(reason)
      await expect(first).rejects.toBe(reason)
      const stop = new AbortController()
      const fake = fakePrometheus(() => {
        setImmediate(() => stop.abort(reason))
        return failure(503, 'x', 'y')
      })
      await expect(open(fake).source.read(query, stop.signal)).rejects.toBe(reason)
    })

    it('without a secret in sight', async () => {
      const options = { bearerToken: 's3cret-\u2603' }
      const error = await reject(readAll(open(fakePrometheus([]), options).source))
      expect(error.message).toContain('must be text that fits in a header')
      const echo = fakePrometheus([failure(400, 'bad_data', 'header was Bearer hunter2')])
      const told = await reject(readAll(open(echo, { bearerToken: 'hunter2' }).source))
      for (const text of [inspect(error), inspect(told), told.requests.join()]) expect(text).not.toMatch(/s3cret|hunter2/)
      expect(told.message).toContain('header was Bearer ***')
      expect(told.requests[0]).toContain(`-H 'Authorization: Bearer ***'`)
    })
  })

  it('sends a parameter that is a secret, and prints it as ***', async () => {
    const echo = fakePrometheus(({ params }) => failure(400, 'bad_data', `no such token ${params.token}`))
    const params = { token: new Secret('correct horse'), dedup: 'true' }
    const error = await reject(readAll(open(echo, { params }).source))
    expect(echo.requests[0].params).toMatchObject({ token: 'correct horse', dedup: 'true' })
    expect(error.message).toContain('no such token ***')
    expect(error.requests[0]).toContain(`--data-urlencode 'token=***' --data-urlencode dedup=true`)
  })

  describe('has options that are checked', () => {
    const parse = (options: object) => sources.prometheus.config.safeParse({ url: URL, ...options })
    it.each([
      [{ url: 'http://me:hunter2@host' }, 'must not hold a user or password'],
      [{ url: 'ftp://host' }, 'must be an address that begins with http:// or https://'],
      [{ url: 'http://host/?token=hunter2' }, 'use params'],
      [{ basicAuth: { username: 'a', password: 'hunter2', passwordFile: 'b' } }, 'got both'],
      [{ bearerToken: 'hunter2', bearerTokenFile: 'b' }, 'must have one of'],
      [{ tls: {} }, 'must have an https url'],
      [{ url: 'https://host', tls: { certFile: 'a' } }, 'certFile and keyFile together'],
      [{ retrys: 3 }, 'Unrecognized key'],
    ])('%j: %s', (options, message) => {
      const { success, error } = parse(options)
      expect(success).toBe(false)
      expect(error?.message).toContain(message)
      expect(error?.message).not.toContain('hunter2')
    })
    it('and whose limits are as documented', () => {
      const page = readFileSync(join(import.meta.dirname, '../../docs/sources.md'), 'utf8')
      const { maxBytes, maxSeries, maxSamples, maxLabels, maxLabelLength, maxPoints } = parse({}).data!
      const counts = { maxSeries, maxSamples, maxLabels, maxLabelLength, maxPoints }
      const texts = Object.entries(counts).map(([name, value]) => [name, value.toLocaleString('en')])
      for (const [name, text] of [...texts, ['maxBytes', formatSize(maxBytes)]])
        expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${text} +\\|`))
    })
    it('and whose secrets do not print', () => {
      expect(JSON.stringify(parse({ bearerToken: 'hunter2', headers: { a: 'hunter2' } }).data)).not.toContain('hunter2')
    })
  })
})
